//! What may cross, at most.

use crate::values::codec::DecodeLimits;

/// What may cross, at most; each bound inclusive. Both sides refuse what is beyond it, with the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WireLimits {
    /// Bytes of one frame.
    pub max_frame_bytes: usize,
    /// Bytes of records in a page after which no more are added. A page holds at least one record.
    pub page_bytes: usize,
    /// Records, ids or messages in one list.
    pub max_items: usize,
    /// One record or patch.
    pub record: DecodeLimits,
}

/// The least that a record takes in a page, about.
const RECORD_BYTES: usize = 64;

impl WireLimits {
    /// Records that a page of so many bytes can hold, at most.
    pub(crate) fn records_in(&self, page_bytes: usize) -> usize {
        page_bytes.min(self.page_bytes).div_euclid(RECORD_BYTES).clamp(1, self.max_items.max(1))
    }
}

impl Default for WireLimits {
    /// Frames of 40 MiB, pages of 256 KiB, 10 000 items, records of 16 MiB.
    fn default() -> Self {
        Self { max_frame_bytes: 40 << 20, page_bytes: 256 << 10, max_items: 10_000, record: DecodeLimits::default() }
    }
}
