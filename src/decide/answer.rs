//! A person's answer → Draft. Releasing is drafting again, today, with the answer among the guard's inputs; nothing turns
//! a stored hold into a plan.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use super::{
    author::{Pen, WriteError, beside_own_write},
    consent::{Answer, Excuse, Verdict},
    draft::{After, By, Change, Claim, Draft, Entry, Origin, Proposal},
    harm::Harm,
    line::{Line, LineStatus},
    observe::written,
    refusal::Refusal,
    resolve::Judge,
    row::{Former, Native, Proposed, Quarantine, Row},
    slice::{Head, Slice},
};
use crate::values::{
    digest::Digest,
    id::{CollectionId, RecordId, ReplicaId},
    record::Life,
    register::Cause,
    time::{Day, DayTick, Timestamp},
    version::Version,
};

/// Why an answer releases nothing. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The answer is about another collection.
    #[error("expected an answer for '{expected}', found one for '{found}'; nothing was changed; answer there")]
    WrongCollection {
        /// The slice's.
        expected: CollectionId,
        /// The answer's.
        found: CollectionId,
    },
    /// No open hold has ever been shown under this digest.
    #[error("expected the digest of an open hold, found {found}; nothing was changed; show the hold as it is now")]
    Unknown {
        /// The answer's.
        found: Digest,
    },
    /// Every line that the digest names has been answered or has lapsed.
    #[error(
        "expected open lines under {found}, found none; nothing was changed; nothing is to be done: all of them were answered or have lapsed"
    )]
    NothingOpen {
        /// The answer's.
        found: Digest,
    },
    /// A dot could not be had.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Who asks for an undo, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// In words the app can show.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// The number of the last line that `digest` names: it names that line and all before it.
#[must_use]
pub(super) fn last_line_named(lines: &[Line], digest: Digest) -> Option<&Line> {
    lines.iter().find(|line| line.running == digest)
}

impl Draft {
    /// Proposes what an answer releases: the lines that its digest names and that are `wanted`, as far as they still stand.
    /// `slice` holds all lines of the hold, the rows that they name, and the rows with an unanswered loss.
    ///
    /// # Errors
    /// [`AnswerError`]; nothing was changed.
    pub fn of_answer(
        slice: Slice,
        replica: ReplicaId,
        answer: Answer,
        wanted: impl Fn(&Line) -> bool,
        identifying: Option<&str>,
    ) -> Result<Self, AnswerError> {
        if slice.collection != answer.collection {
            return Err(AnswerError::WrongCollection { expected: slice.collection, found: answer.collection });
        }
        let last = last_line_named(&slice.lines, answer.digest)
            .cloned()
            .ok_or(AnswerError::Unknown { found: answer.digest })?;
        let mut pen = Pen::new(&slice, replica, answer.at);
        let judge = Judge { slice: &slice, identifying, believes_moves: true };
        let mut entries: BTreeMap<RecordId, Entry> = BTreeMap::new();
        let is_named = |line: &&Line| line.number <= last.number && line.is_open() && wanted(line);
        for line in slice.lines.iter().filter(is_named) {
            let row = slice.rows.get(&line.record).filter(|row| waits_under(row, line));
            if let Some(row) = row {
                let pass = release(&judge, &mut pen, row, &answer)?;
                entries.insert(line.record.clone(), claimed(row, pass, line));
            }
        }
        if entries.is_empty() {
            return Err(AnswerError::NothingOpen { found: answer.digest });
        }
        // The answer is also about what the hold listed as lost before, here and wherever it was lost, too.
        let earlier = slice.rows.values().filter(|row| row.lost.is_some_and(|lost| lost.at <= last.at));
        for row in earlier.filter(|row| !entries.contains_key(&row.record)).collect::<Vec<_>>() {
            let digest = row.version.digest();
            let (verdict, by, at) = (answer.verdict, answer.by.clone(), answer.at);
            let excuse = Excuse { verdict, held: digest, hidden: digest, by, at };
            entries.insert(row.record.clone(), plain(row, Change { excuse: Some(excuse), ..unchanged(row) }));
        }
        Ok(Self::new(slice, Origin::Answer(answer), entries.into_values().collect()).written_by(replica))
    }

    /// Proposes to bring back what was before a receipt. Records changed since are left as they are, and listed.
    ///
    /// # Errors
    /// [`WriteError`]; nothing was changed.
    pub fn of_undo(
        slice: Slice,
        replica: ReplicaId,
        formers: &[Former],
        signature: &Signature,
        identifying: Option<&str>,
    ) -> Result<Self, WriteError> {
        let mut pen = Pen::new(&slice, replica, signature.at);
        let judge = Judge { slice: &slice, identifying, believes_moves: true };
        let mut entries = Vec::new();
        let mut done: BTreeSet<&RecordId> = BTreeSet::new();
        for former in formers {
            if let Some(row) = slice.rows.get(&former.record).filter(|_| done.insert(&former.record)) {
                entries.push(undo(&judge, &mut pen, row, former, signature)?);
            }
        }
        Ok(Self::new(slice, Origin::Own, entries).written_by(replica))
    }

    /// Proposes that a day has passed: drops the fields of records that have been dead for the whole retention. Their
    /// certificates stay. A jump of the calendar counts as one day; a day named before, or an earlier one, as none.
    ///
    /// `slice` holds the rows that [`Query::Dead`](super::slice::Query::Dead) finds until [`purge_until`].
    pub fn of_day(slice: Slice, today: Day, retention_days: u64) -> Self {
        let purge = |row: &Row| {
            let purged = Version::encode(&row.version.record().purged());
            plain(row, Change { version: purged, by: By::Retention, ..unchanged(row) })
        };
        let forget = purge_until(&slice.head, today, retention_days);
        let is_due = |row: &&Row| !row.version.is_alive() && row.died_at.is_some() && row.died_at <= forget;
        let entries = slice.found.iter().filter_map(|id| slice.rows.get(id)).filter(is_due).map(purge).collect();
        let day = slice.head.day.map_or(today, |day| day.max(today));
        let origin = Origin::Day { tick: tick_on(&slice.head, today), day, forget };
        Self::new(slice, origin, entries)
    }
}

/// The last tick of death whose retention is over on `today`; `None` if none is.
#[must_use]
pub fn purge_until(head: &Head, today: Day, retention_days: u64) -> Option<DayTick> {
    tick_on(head, today).0.checked_sub(retention_days).map(DayTick)
}

fn tick_on(head: &Head, today: Day) -> DayTick {
    let is_new = head.day.is_none_or(|day| today > day);
    DayTick(head.tick.0.saturating_add(u64::from(is_new)))
}

fn waits_under(row: &Row, line: &Line) -> bool {
    row.quarantine.as_ref().is_some_and(|waiting| waiting.line() == line.number)
}

fn release(judge: &Judge<'_>, pen: &mut Pen, row: &Row, answer: &Answer) -> Result<Change, WriteError> {
    let closes = LineStatus::of(answer.verdict);
    let mut native = None;
    let (from, version) = match (&row.quarantine, answer.verdict) {
        (Some(Quarantine::Version { hidden, .. }), Verdict::Consent) => (row.version.digest(), hidden.clone()),
        (Some(Quarantine::Version { hidden, .. }), Verdict::Keep) => {
            let stamp = pen.stamp(Cause::User)?;
            let kept = pen.held(hidden).restored(stamp, &row.version.record(), false);
            (hidden.digest(), Version::encode(&kept))
        }
        (Some(Quarantine::Beside { held, .. }), Verdict::Consent) => (held.digest(), row.version.clone()),
        (Some(Quarantine::Beside { held, hidden, .. }), Verdict::Keep) => {
            // All that is known, though it may have been purged here since.
            let stamp = pen.stamp(Cause::User)?;
            let kept = pen.held(&row.version.join(hidden)).restored(stamp, &held.record(), false);
            (row.version.digest(), Version::encode(&kept))
        }
        (Some(Quarantine::Proposal { base, proposed, cause, .. }), Verdict::Consent)
            if row.version.digest() == *base =>
        {
            let (version, shown) = written(row, proposed, &pen.held(&row.version), pen.stamp(*cause)?);
            native = shown;
            (*base, version)
        }
        (Some(Quarantine::Proposal { proposed: Proposed::Contents { shows, .. }, .. }), _) => {
            let native = Some(Native::Stale(*shows));
            return Ok(Change { after: After::Nothing, closes, native, ..unchanged(row) });
        }
        (Some(Quarantine::Proposal { .. }), _) | (None, _) => {
            return Ok(Change { after: After::Nothing, closes, ..unchanged(row) });
        }
    };
    // Where more has come since than the line names, a consent does not speak of that.
    let named = match (&row.quarantine, answer.verdict) {
        (Some(Quarantine::Beside { hidden, .. }), Verdict::Consent) => hidden.digest(),
        _ => version.digest(),
    };
    let excuse = Excuse { verdict: answer.verdict, held: from, hidden: named, by: answer.by.clone(), at: answer.at };
    let harm = judge.harm(&row.version, &version);
    Ok(Change { version, after: After::Nothing, harm, excuse: Some(excuse), closes, native, ..unchanged(row) })
}

fn undo(
    judge: &Judge<'_>,
    pen: &mut Pen,
    row: &Row,
    former: &Former,
    signature: &Signature,
) -> Result<Entry, WriteError> {
    let found = row.version.digest();
    if found != former.after {
        let refusal = Refusal::ChangedSince { expected: former.after, found };
        return Ok(Entry {
            record: row.record.clone(),
            before: Some(row.clone()),
            proposal: Proposal::Refused(refusal),
        });
    }
    let now = pen.held(&row.version);
    let next = match former.before.as_ref().filter(|before| before.is_alive()) {
        Some(before) => now.restored(pen.stamp(Cause::User)?, &before.record(), true),
        None if now.is_alive() => {
            // As any own delete, it answers what was asked about the record: it is stored with all that came.
            let stamp = pen.stamp(Cause::User)?;
            pen.held(row.known()).with_life(stamp, &row.known().seeing(), Life::Deleted { moved: None })
        }
        None => return Ok(Entry { record: row.record.clone(), before: Some(row.clone()), proposal: Proposal::Known }),
    };
    let version = Version::encode(&next);
    let (version, after) = match &row.quarantine {
        // An undo restores what was, and lets nothing in beside it: what is held stays a question.
        Some(Quarantine::Version { hidden, .. }) if version.is_alive() => {
            let hidden = hidden.join(&version);
            (version, After::Moved { hidden })
        }
        Some(_) | None => beside_own_write(judge, row, version),
    };
    let excuse = Excuse {
        verdict: Verdict::Keep,
        held: found,
        hidden: version.digest(),
        by: signature.by.clone(),
        at: signature.at,
    };
    Ok(plain(row, Change { version, after, excuse: Some(excuse), ..unchanged(row) }))
}

/// An answer's change that leaves the version as it is.
fn unchanged(row: &Row) -> Change {
    Change {
        version: row.version.clone(),
        after: After::Same,
        by: By::Answer,
        harm: Harm::default(),
        excuse: None,
        closes: LineStatus::Struck,
        peer: None,
        native: None,
    }
}

fn plain(row: &Row, pass: Change) -> Entry {
    let proposal = Proposal::Change { pass, held: None, excused: None };
    Entry { record: row.record.clone(), before: Some(row.clone()), proposal }
}

/// A change that only the line may lift. Without it, nothing is done.
fn claimed(row: &Row, change: Change, line: &Line) -> Entry {
    let proposal = Proposal::Change {
        pass: Change { by: By::Peer, ..unchanged(row) },
        held: None,
        excused: Some((Claim::Line(line.number), change)),
    };
    Entry { record: row.record.clone(), before: Some(row.clone()), proposal }
}
