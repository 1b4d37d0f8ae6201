//! What a server says of ranges of ids is what its rows say.

use alloc::format;

use super::World;
use crate::decide::reconcile::{Fingerprint, told};
use crate::talk::compare::{AskedRange, Comparison, Found, FoundRange};
use crate::testing::failure::{Broken, broken};
use crate::values::id::CollectionId;

impl World {
    /// S8, S15: nothing is called the same that is not, what is listed is all that there is, and a reply is bounded.
    pub(super) fn check_compared(
        &mut self,
        server: usize,
        of: &CollectionId,
        holds: &Comparison,
        found: &Found,
    ) -> Result<(), Broken> {
        let (Some(spans), Comparison::Ranges(asked), Found::Ranges(found)) = (holds.spans(), holds, found) else {
            return broken("S13", "a device asks about ranges that can not be");
        };
        if found.is_empty() || found.len() > asked.len() {
            return broken("S15", format!("{} ranges of {} were answered", found.len(), asked.len()));
        }
        let rows = self.cloud(server)?.disk.rows(of);
        for ((span, AskedRange { fingerprint, .. }), found) in spans.iter().zip(asked).zip(found) {
            let within = || rows.iter().filter(|row| span.contains(&row.record)).map(|row| (&row.record, told(row)));
            let is_same = within().collect::<Fingerprint>().digest() == *fingerprint;
            let is_right = match found {
                FoundRange::Same => is_same,
                FoundRange::Listed(records) => !is_same && within().eq(records.iter().map(|(id, told)| (id, *told))),
                FoundRange::Parts(parts) => !is_same && parts.len() > 1,
            };
            if !is_right {
                return broken("S8", format!("of {span:?} a server says {found:?}, and its rows do not"));
            }
            self.summary.check(if is_same { "S8 ranges that are the same" } else { "S8 ranges that differ" });
        }
        Ok(())
    }
}
