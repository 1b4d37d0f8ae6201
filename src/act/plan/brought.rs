//! What a device has brought back to a server that lost it, told from what a commit writes.

use alloc::collections::BTreeSet;

use crate::decide::{
    history::History,
    line::Line,
    row::{Former, Row},
};
use crate::values::id::{RecordId, ReplicaId};

/// Notes what was news of what `by` has brought.
pub(super) fn brought(
    history: &mut History,
    by: Option<ReplicaId>,
    (rows, formers, lines): (&[Row], &[Former], &[Line]),
) {
    let (Some(repair), Some(by)) = (&mut history.repair, by) else { return };
    let changed: BTreeSet<&RecordId> = formers.iter().map(|former| &former.record).collect();
    let news = |is_alive: bool| {
        let of = |row: &&Row| row.version.is_alive() == is_alive && changed.contains(&row.record);
        count(rows.iter().filter(of).count())
    };
    repair.note(by, |brought| {
        brought.records = brought.records.saturating_add(news(true));
        brought.deletes = brought.deletes.saturating_add(news(false));
        brought.holds = brought.holds.saturating_add(count(lines.len()));
    });
}

fn count(things: usize) -> u64 {
    u64::try_from(things).unwrap_or(u64::MAX)
}
