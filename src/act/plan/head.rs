//! What a commit changes of the head.

use alloc::vec::Vec;

use crate::decide::{
    authorship::{AcceptedWrites, Authorship},
    draft::Heading,
    history::History,
    line::LineStatus,
    row::Row,
    slice::{Head, Slice},
};
use crate::values::{id::ReplicaId, version_vector::VersionVector};

/// What a draft changes of the head, beside what follows from its records, and the lines that it closes.
pub(super) fn head_on(head: &mut Head, heading: &Heading, slice: &Slice) -> Vec<(u64, LineStatus)> {
    let mut closed = Vec::new();
    if let Some(beginning) = &heading.begins {
        head.history = Some(History::begun(head.history.take(), beginning, slice.head.revision, head.tick));
        for line in slice.vanished() {
            closed.push((line.number, LineStatus::Struck));
            head.hold.close(line.kind);
        }
    }
    if let (Some(history), Some(pushed)) = (&mut head.history, heading.pushed) {
        let had_finished = history.authors.get(&pushed.by).is_some_and(|accepted| accepted.has_finished);
        let accepted = AcceptedWrites { link: pushed.link, has_finished: had_finished || pushed.is_finished };
        history.authors.insert(pushed.by, accepted);
        if pushed.is_settled {
            history.settle(pushed.by);
        }
    }
    if let (Some(history), Some((by, judgement))) = (&mut head.history, &heading.heard) {
        history.hear(*by, judgement, head.tick);
    }
    if let Some(server) = &heading.server {
        head.server = Some(server.clone());
    }
    if heading.leaves {
        (head.tally, head.is_listed, head.hold.lines, head.hold.running) = (None, false, 0, None);
        head.left_at = head.counter;
        head.taken.clear();
    }
    if let (Some(replica), Some(author)) = (heading.takes_over, head.author.as_mut()) {
        let former = author.former.iter().copied().chain([author.replica]).collect();
        // The counter goes on: under the new id, no number is used yet.
        *author = Authorship::new(replica, former);
        head.left_at = 0;
    }
    if let Some(author) = head.author.as_mut().filter(|_| heading.offers_writes) {
        author.offer(author.link(head.counter));
    }
    closed
}

/// Whether nothing of the head is worth a commit by itself.
pub(super) fn tells_the_same_head(old: &Head, new: &Head) -> bool {
    new.history == old.history
        && new.author == old.author
        && new.server == old.server
        && new.is_listed == old.is_listed
        && new.taken == old.taken
        && (new.tick, new.day) == (old.tick, old.day)
}

/// A counter is durable before a message carries it, and so is what was written under it.
pub(super) fn note_write(head: &mut Head, writer: Option<ReplicaId>, row: &Row, before: &VersionVector) {
    let Some(writer) = writer else { return };
    let counter = row.known().context().get(writer);
    if counter <= before.get(writer) {
        return;
    }
    head.counter = head.counter.max(counter);
    let author = head.author.get_or_insert_with(|| Authorship::new(writer, [].into()));
    author.write(counter, &row.record, row.known().digest());
}
