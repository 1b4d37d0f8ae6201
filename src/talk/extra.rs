//! What a newer version of the library adds to a frame: kept and handed back, not understood.

use alloc::{collections::BTreeMap, vec::Vec};

use serde::{Serialize, Serializer};

use super::view::Hex;
use crate::values::codec::{self, DecodeError, Reader, Writer};

/// Bytes of all that is added to one frame, at most, inclusive; keys included.
pub const MAX_EXTRA_BYTES: usize = 4096;

/// What a newer version of the library says in a frame, by number: one CBOR item each, kept byte for byte.
///
/// This version knows no number. What it decodes it encodes again as it was, so that a relay takes nothing away. Nothing
/// costs one byte.
///
/// ```
/// use holdfast::talk::extra::Extra;
/// let mut extra = Extra::default();
/// extra.insert(7, vec![0x63, b'n', b'e', b'w'])?; // a text, as CBOR
/// assert_eq!(extra.get(7), Some(&[0x63, b'n', b'e', b'w'][..]));
/// assert!(extra.insert(8, vec![0x63, b'n']).is_err()); // no whole item; `extra` is as it was
/// assert_eq!(extra.iter().count(), 1);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extra(BTreeMap<u64, Vec<u8>>);

impl Extra {
    /// Adds one item, in the place of the one that stood under this number.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`], [`DecodeError::TooDeep`] and [`DecodeError::NotCanonical`] where the bytes are not one
    /// item as a value of a record is written, and [`DecodeError::TooMany`] beyond [`MAX_EXTRA_BYTES`]. Nothing is added
    /// then.
    pub fn insert(&mut self, number: u64, item: Vec<u8>) -> Result<(), DecodeError> {
        let mut reader = Reader::new(&item);
        read_item(&mut reader)?;
        reader.end()?;
        let mut with = self.clone();
        with.0.insert(number, item);
        with.check()?;
        *self = with;
        Ok(())
    }

    /// The item under this number.
    #[must_use]
    pub fn get(&self, number: u64) -> Option<&[u8]> {
        self.0.get(&number).map(Vec::as_slice)
    }

    /// All items, by number.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (u64, &[u8])> + '_ {
        self.0.iter().map(|(number, item)| (*number, item.as_slice()))
    }

    /// Whether nothing was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.map(self.0.len());
        for (number, item) in &self.0 {
            writer.uint(*number);
            writer.raw(item);
        }
    }

    /// Reads what [`write`](Self::write) wrote. The order of the numbers is seen by writing it again.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let items = reader.entries()?;
        let item = |_| Ok((reader.uint()?, read_item(reader)?.into()));
        let extra = Self((0..items).map(item).collect::<Result<_, DecodeError>>()?);
        extra.check()?;
        Ok(extra)
    }

    fn check(&self) -> Result<(), DecodeError> {
        let mut writer = Writer::default();
        self.write(&mut writer);
        match writer.len() {
            0..=MAX_EXTRA_BYTES => Ok(()),
            found => Err(DecodeError::TooMany { what: "bytes of additions", limit: MAX_EXTRA_BYTES, found }),
        }
    }
}

/// By number, each item as hexadecimal digits.
impl Serialize for Extra {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(number, item)| (number, Hex(item))))
    }
}

/// The bytes of the next item, which must be in the form that a value has.
fn read_item<'b>(reader: &mut Reader<'b>) -> Result<&'b [u8], DecodeError> {
    let start = reader.position();
    let value = codec::read_value(reader)?;
    let (item, mut again) = (reader.since(start), Writer::default());
    codec::write_value(&mut again, &value);
    if again.finish() == item { Ok(item) } else { Err(DecodeError::NotCanonical) }
}
