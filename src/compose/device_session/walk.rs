//! Where a comparison stands in a session: ranges in the order of ids, from coarse to fine.

use alloc::{
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};

use crate::compose::serve::RANGES;
use crate::decide::{
    line::Revision,
    position::Issued,
    reconcile::{BRANCHES, Fingerprint, Outline, SMALL, Span},
    slice::Slice,
};
use crate::talk::compare::FoundPart;
use crate::values::{digest::Digest, id::RecordId, version_vector::VersionVector};

/// How often a server may split one range again. With 16 branches that is enough for 10^14 records.
const DEPTH: u8 = 12;
/// A range that differs and holds more records than this is split here, too, before it is asked about.
const FEW: usize = 8;

/// Where a comparison stands in a session.
#[derive(Debug, Default)]
pub(super) struct Walk {
    is_begun: bool,
    /// The last record up to which all was compared when it began.
    pub(super) from: Option<RecordId>,
    /// Something of it is durable: the next session does not begin where this one did.
    pub(super) has_got_on: bool,
    /// Ranges that are still to be compared.
    pub(super) todo: VecDeque<Todo>,
    /// Ranges of which it is known what the server holds. All of them are settled before others are asked about.
    pub(super) told: VecDeque<Told>,
    /// Records to fetch. Of those that the server named as its own, where no loss has been named: what it had seen.
    pub(super) fetch: BTreeMap<RecordId, Option<VersionVector>>,
    /// Where the server stood when it last said something.
    pub(super) now: Option<Issued>,
}

/// A range that is still to be compared.
#[derive(Debug, Clone)]
pub(super) struct Todo {
    pub(super) span: Span,
    depth: u8,
    /// What the server holds of it, if it has said so.
    theirs: Option<Digest>,
}

/// A range that is asked about.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    pub(super) span: Span,
    pub(super) depth: u8,
    pub(super) fingerprint: Digest,
    /// The commit of this device up to which the fingerprint speaks.
    pub(super) read_at: Revision,
}

impl Asking {
    pub(super) fn again(self) -> Todo {
        Todo { span: self.span, depth: self.depth, theirs: None }
    }
}

/// A range of which it is known what the server holds.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) span: Span,
    pub(super) holds: Holds,
}

/// What a server holds of a range.
#[derive(Debug, Clone)]
pub(super) enum Holds {
    /// What this device held of it at a commit.
    Same { read_at: Revision },
    /// These records, and no others.
    These(BTreeMap<RecordId, Digest>),
}

/// What follows in a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Settle,
    Ask,
    End,
}

impl Walk {
    pub(super) fn begin(&mut self, after: Option<RecordId>) {
        if !core::mem::replace(&mut self.is_begun, true) {
            self.from.clone_from(&after);
            self.todo.push_back(Todo { span: Span { after, until: None }, depth: 0, theirs: None });
        }
    }

    pub(super) fn next(&self) -> Step {
        let is_full = self.fetch.len() >= super::reconcile::FETCHED_AT_ONCE;
        if !self.told.is_empty() && !is_full {
            Step::Settle
        } else if is_full || !self.is_begun || !self.fetch.is_empty() || !self.todo.is_empty() {
            Step::Ask
        } else {
            Step::End
        }
    }

    pub(super) fn put_back(&mut self, todo: Vec<Todo>) {
        todo.into_iter().rev().for_each(|todo| self.todo.push_front(todo));
    }

    /// The next ranges to ask about, at most `limit`. Those of which the server has said what it holds, and that are the same
    /// here or empty there, are told.
    pub(super) fn asked(&mut self, slice: &Slice, limit: usize) -> Vec<Asking> {
        let read_at = slice.head.revision;
        let nothing = Fingerprint::default().digest();
        let held = slice.spans.iter().cloned().chain(core::iter::repeat_with(|| Outline::Listed(Vec::new())));
        let due: Vec<Todo> = self.todo.drain(..self.todo.len().min(RANGES)).collect();
        let (mut asked, mut later) = (Vec::new(), Vec::new());
        for (todo, ours) in due.into_iter().zip(held) {
            let fingerprint = ours.fingerprint().digest();
            if todo.theirs == Some(fingerprint) {
                self.tell(todo.span, Holds::Same { read_at });
            } else if todo.theirs == Some(nothing) {
                self.tell(todo.span, Holds::These(BTreeMap::new()));
            } else if asked.len() >= limit {
                later.push(todo);
            } else {
                let depth = todo.depth;
                for (span, fingerprint) in finer(&todo, ours) {
                    if asked.len() < limit {
                        asked.push(Asking { span, depth, fingerprint, read_at });
                    } else {
                        later.push(Todo { span, depth, theirs: None });
                    }
                }
            }
        }
        self.put_back(later);
        asked
    }

    /// What was told by fingerprints here, and what by the server, in one order.
    pub(super) fn sort(&mut self) {
        self.told.make_contiguous().sort_by(|one, other| one.span.after.cmp(&other.span.after));
    }

    /// Neighbours that are the same are one range.
    fn tell(&mut self, span: Span, holds: Holds) {
        if let (Some(last), Holds::Same { read_at }) = (self.told.back_mut(), &holds)
            && matches!(&last.holds, Holds::Same { read_at: other } if other == read_at)
            && last.span.until == span.after
        {
            last.span.until = span.until;
            return;
        }
        self.told.push_back(Told { span, holds });
    }

    /// Up to where all is compared and taken in, once a range is settled up to a record; `None` is its end, or nothing.
    pub(super) fn progress(&self, before: Option<RecordId>, upto: Option<RecordId>) -> Option<RecordId> {
        if !self.fetch.is_empty() {
            return before;
        }
        let reached = match (self.todo.front(), upto) {
            (None, upto) => upto,
            (Some(todo), None) => todo.span.after.clone(),
            (Some(todo), Some(upto)) => todo.span.after.clone().map(|after| after.min(upto)),
        };
        reached.max(before)
    }
}

/// A range, or its parts where it is known to differ and there is something to split.
fn finer(todo: &Todo, ours: Outline) -> Vec<(Span, Digest)> {
    let is_split = match &ours {
        Outline::Parts(_) => true,
        Outline::Listed(records) => todo.theirs.is_some() && records.len() > FEW,
    };
    if !is_split {
        return [(todo.span.clone(), ours.fingerprint().digest())].into();
    }
    let mut after = todo.span.after.clone();
    let part = |part: crate::decide::reconcile::Part| {
        let until = part.until.or_else(|| todo.span.until.clone());
        let span = Span { after: core::mem::replace(&mut after, until.clone()), until };
        (span, part.fingerprint.digest())
    };
    ours.in_parts().into_iter().map(part).collect()
}

/// The records of a range as a server has listed them; `None` if they are not in order, not in it, or too many.
pub(super) fn listed(span: &Span, records: Vec<(RecordId, Digest)>) -> Option<BTreeMap<RecordId, Digest>> {
    let is_sound = records.len() <= SMALL
        && records.is_sorted_by(|one, next| one.0 < next.0)
        && records.iter().all(|(record, _)| span.contains(record));
    is_sound.then(|| records.into_iter().collect())
}

/// The parts of a range as a server has told them; `None` if they are not in order, not in it, or none of them gets on.
pub(super) fn parted(span: &Span, depth: u8, parts: Vec<FoundPart>) -> Option<Vec<Todo>> {
    let depth = depth.checked_add(1).filter(|depth| *depth <= DEPTH)?;
    if !(2..=BRANCHES).contains(&parts.len()) {
        return None;
    }
    let (last, mut after) = (parts.len().saturating_sub(1), span.after.clone());
    let mut todo = Vec::with_capacity(parts.len());
    for (place, FoundPart { until, fingerprint }) in parts.into_iter().enumerate() {
        let until = match until {
            Some(until) if place < last => {
                let is_inside = after.as_ref() < Some(&until) && span.until.as_ref().is_none_or(|end| until < *end);
                Some(is_inside.then_some(until)?)
            }
            None if place == last => span.until.clone(),
            _ => return None,
        };
        let span = Span { after: core::mem::replace(&mut after, until.clone()), until };
        todo.push(Todo { span, depth, theirs: Some(fingerprint) });
    }
    Some(todo)
}
