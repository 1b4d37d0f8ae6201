//! A listing → Draft: what a native store shows, compared with what it showed when it was last in step.
//!
//! V is the stored version, B the one that the native store showed last, E what it shows now.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{
    author::{Pen, WriteError, beside_own_write, first_too_deep, proposal},
    draft::{After, By, Change, Draft, Entry, Origin, Proposal},
    harm::{Harm, Loss},
    line::LineStatus,
    listing::{Listed, Listing},
    refusal::Refusal,
    resolve::Judge,
    row::{Native, Proposed, Quarantine, Row},
    slice::Slice,
    write::owned,
};
use crate::values::{
    codec::content_digest_of,
    id::{FieldName, RecordId, ReplicaId},
    record::{Life, Record, Seeing},
    register::{Cause, Show, Stamp},
    shape::changed,
    time::Timestamp,
    value::Value,
    version::Version,
};

/// What an entry shows, by field.
type Fields = BTreeMap<FieldName, Value>;

impl Draft {
    /// Proposes what a listing shows. `slice` holds the rows that it names, and every row of the collection if the
    /// listing is complete or the first one.
    ///
    /// | B | E | what is proposed |
    /// |---|---|---|
    /// | B | equals B | nothing |
    /// | B | equals V | nothing: the same was done here and there |
    /// | B | something else | a person's edit from B to E, covering what B had seen |
    /// | B | equals what V has superseded | the same, with no author: as many are an old backup |
    /// | B | missing from a complete listing | the removal of V, if B is V; else V is shown again |
    /// | unknown | equals V, or what V has superseded | nothing: it *is* that version |
    /// | unknown | something else | E beside V, covering nothing |
    /// | unknown | missing | nothing: V is shown |
    ///
    /// Where no row is, the entry is a new record. No dot exists before the guard has agreed. `at` is when the listing was
    /// made, and `show` says which of several siblings the native store was given.
    ///
    /// # Errors
    /// [`WriteError`]; nothing was changed.
    pub fn of_listing(
        slice: Slice,
        replica: ReplicaId,
        listing: &Listing,
        identifying: Option<&str>,
        (show, at): (Show, Timestamp),
    ) -> Result<Self, WriteError> {
        let judge = Judge { slice: &slice, identifying, believes_moves: true };
        let mut observer = Observer { judge, pen: Pen::new(&slice, replica, at), listing, show, at };
        let mut entries = Vec::new();
        for (record, listed) in listing.entries() {
            entries.extend(observer.listed(record, listed)?);
        }
        let is_first = !slice.head.is_listed;
        for row in slice.rows.values().filter(|row| !listing.entries().contains_key(&row.record)) {
            match &row.native {
                None if is_first => entries.push(noted(row, Native::Unknown, After::Same)),
                Some(_) if listing.is_complete() => entries.extend(observer.missing(row)?),
                Some(_) | None => {}
            }
        }
        Ok(Self::new(slice, Origin::Listing, entries).written_by(replica))
    }

    /// Proposes to note what the native store is about to show of living records of which it shows nothing yet. That an
    /// entry is missing means nothing then, and one that is there is an edit of this.
    pub fn of_showing(slice: Slice, versions: Vec<(RecordId, Version)>) -> Self {
        let note = |(record, version): (RecordId, Version)| {
            let is_new = |row: &&Row| matches!(row.native, Some(Native::Unknown | Native::Missing(_)));
            let row = slice.rows.get(&record).filter(is_new).filter(|_| version.is_alive())?;
            Some(noted(row, Native::Missing(version), After::Same))
        };
        let entries = versions.into_iter().filter_map(note).collect();
        Self::new(slice, Origin::Own, entries)
    }

    /// Proposes to note what the native store was given to show: for a living record the version, for a dead one that
    /// it is gone there.
    pub fn of_shown(slice: Slice, shown: Vec<(RecordId, Version)>) -> Self {
        let note = |(record, version): (RecordId, Version)| {
            let row = slice.rows.get(&record).filter(|row| row.native.is_some())?;
            let native = if version.is_alive() { Native::Shown(version) } else { Native::Missing(version) };
            Some(noted(row, native, After::Same))
        };
        let entries = shown.into_iter().filter_map(note).collect();
        Self::new(slice, Origin::Own, entries)
    }
}

/// What a proposal about a row, of which this is `stored`, writes, and what the native store is known to show then.
pub(super) fn written(row: &Row, proposed: &Proposed, stored: &Record, stamp: Stamp) -> (Version, Option<Native>) {
    match (proposed, base_of(row)) {
        (Proposed::Removal, _) => {
            let dead = stored.with_life(stamp, &row.version.seeing(), Life::Deleted { moved: None });
            (Version::encode(&dead), None)
        }
        (Proposed::Contents { edits, .. }, Some(base)) => {
            let version = Version::encode(&stored.edited(stamp, &base.seeing(), edits.clone()));
            let shown = if *base == row.version {
                version.clone()
            } else {
                Version::encode(&base.record().edited_behind(stored, stamp, &base.seeing(), edits.clone()))
            };
            (version, Some(Native::Shown(shown)))
        }
        (Proposed::Contents { edits, .. }, None) => {
            let seeing = row.version.seeing();
            let alive = stored.with_life(stamp, &seeing, Life::Alive { moved: None });
            let version = Version::encode(&alive.with_fields(stamp, &seeing, edits.clone()));
            (version.clone(), Some(Native::Shown(version)))
        }
    }
}

/// What an entry of the native store is an edit of. A record that was deleted and comes back is none: it is as new.
fn base_of(row: &Row) -> Option<&Version> {
    match (&row.native, row.version.is_alive()) {
        (Some(Native::Shown(base)), _) | (Some(Native::Missing(base)), true) => Some(base),
        (Some(Native::Missing(_)), false) | (Some(Native::Unknown | Native::Stale(_)) | None, _) => None,
    }
}

struct Observer<'a> {
    judge: Judge<'a>,
    pen: Pen,
    listing: &'a Listing,
    show: Show,
    at: Timestamp,
}

impl Observer<'_> {
    /// What an entry says of its record; `None` if nothing new.
    fn listed(&mut self, record: &RecordId, listed: &Listed) -> Result<Option<Entry>, WriteError> {
        let row = self.judge.slice.rows.get(record);
        let refused = |refusal| {
            let proposal = Proposal::Refused(refusal);
            Ok(Some(Entry { record: record.clone(), before: row.cloned(), proposal }))
        };
        match (listed, row) {
            (Listed::Unreadable, _) => refused(Refusal::Unreadable),
            (Listed::Twice, _) => refused(Refusal::ListedTwice),
            (Listed::Unchanged, Some(row)) => match &row.native {
                Some(Native::Missing(base)) => self.contents(row, &self.shows(base), self.at).map(Some),
                Some(Native::Shown(_) | Native::Stale(_)) => Ok(None),
                Some(Native::Unknown) | None => refused(Refusal::NeverShown),
            },
            (Listed::Unchanged, None) => refused(Refusal::NeverShown),
            (Listed::Contents { fields, .. }, _) if first_too_deep(fields.iter()).is_some() => {
                let field = first_too_deep(fields.iter()).cloned();
                field.map_or(Ok(None), |field| refused(Refusal::TooDeep { field }))
            }
            (Listed::Contents { fields, at }, Some(row)) => self.contents(row, fields, *at).map(Some),
            (Listed::Contents { fields, at }, None) => self.born(record, fields, *at).map(Some),
        }
    }

    /// A record that nobody here has heard of.
    fn born(&mut self, record: &RecordId, fields: &Fields, at: Timestamp) -> Result<Entry, WriteError> {
        let stamp = self.pen.at(at).stamp(Cause::Listing)?;
        let version = Version::encode(&newborn(fields, stamp, self.judge.slice.head.left_at));
        let pass = listed(version.clone(), After::Nothing, Harm::default(), Some(Native::Shown(version)));
        Ok(entry(record, None, pass, None))
    }

    fn contents(&mut self, row: &Row, fields: &Fields, at: Timestamp) -> Result<Entry, WriteError> {
        let shows = self.shows(&row.version);
        let is_shown = |fields: &Fields| row.version.is_alive() && is_same(fields, &shows);
        let stored = || noted(row, Native::Shown(row.version.clone()), settled(row));
        match &row.native {
            Some(Native::Shown(base) | Native::Missing(base)) => {
                let was = self.shows(base);
                let fields = self.completed(fields, &was);
                let is_back = matches!(row.native, Some(Native::Missing(_)));
                if fields == was && (!is_back || row.version.is_alive()) {
                    Ok(noted(row, Native::Shown(base.clone()), settled(row)))
                } else if fields == shows && row.version.is_alive() {
                    Ok(stored())
                } else {
                    self.edited(row, &fields, &was, at)
                }
            }
            Some(Native::Unknown | Native::Stale(_)) | None => match self.completed(fields, &shows) {
                fields if is_shown(&fields) => Ok(stored()),
                fields => self.adopted(row, &fields, at),
            },
        }
    }

    /// An entry of which nothing is known: it is a version that is known here, or something that stands beside it.
    fn adopted(&mut self, row: &Row, fields: &Fields, at: Timestamp) -> Result<Entry, WriteError> {
        let content = content_digest_of(fields.iter());
        let is_old = row.known().superseded().contains(content) || row.version.superseded().contains(content);
        if is_old || row.native == Some(Native::Stale(content)) {
            return Ok(noted(row, Native::Stale(content), After::Same));
        }
        let shows = self.shows(&row.version);
        let stamp = self.pen.at(at).stamp(Cause::Listing)?;
        let news = fields.iter().filter(|(name, value)| shows.get(*name) != Some(*value));
        let edits = news.map(|(name, value)| (name.clone(), Some(value.clone()))).collect();
        let version = Version::encode(&self.pen.held(&row.version).edited(stamp, &Seeing::default(), edits));
        let (version, after) = beside_own_write(&self.judge, row, version);
        let native = Native::Shown(Version::encode(&newborn(fields, stamp, 0)));
        Ok(entry(&row.record, Some(row), listed(version, after, Harm::default(), Some(native)), None))
    }

    /// An edit in the native store, or an entry that has come back there.
    fn edited(&mut self, row: &Row, fields: &Fields, was: &Fields, at: Timestamp) -> Result<Entry, WriteError> {
        let edits = if base_of(row).is_some() { changed(was, fields) } else { as_new(row, fields) };
        let cause = if edits.iter().all(|(name, _)| name.is_layout()) { Cause::App } else { Cause::Listing };
        let proposed = Proposed::Contents { edits, shows: content_digest_of(fields.iter()) };
        if let Some(Quarantine::Proposal { base, proposed: open, .. }) = &row.quarantine
            && *base == row.version.digest()
            && *open == proposed
        {
            return Ok(known(row));
        }
        let (version, native) = written(row, &proposed, &self.pen.held(&row.version), self.pen.at(at).stamp(cause)?);
        let (version, after) = beside_own_write(&self.judge, row, version);
        let harm = self.harm(row, &version);
        let held = match &row.quarantine {
            // One record has one question.
            Some(Quarantine::Version { .. }) if harm.loss.is_some() => return Ok(refused_as_held(row)),
            Some(Quarantine::Version { .. }) => None,
            Some(_) | None => Some(proposal(row, proposed, cause, harm.is_unauthored)),
        };
        Ok(entry(&row.record, Some(row), listed(version, after, harm, native), held))
    }

    /// A record that a complete listing lacks.
    fn missing(&mut self, row: &Row) -> Result<Option<Entry>, WriteError> {
        match &row.native {
            Some(Native::Shown(base)) if row.version.is_alive() && base.has_seen_the_same(&row.version) => {
                if matches!(row.quarantine, Some(Quarantine::Version { .. })) {
                    return Ok(Some(refused_as_held(row)));
                }
                let stamp = self.pen.at(self.at).stamp(Cause::Listing)?;
                let (version, _) = written(row, &Proposed::Removal, &self.pen.held(&row.version), stamp);
                let harm = Harm { loss: Some(Loss::Hidden), is_unauthored: true, ..Harm::default() };
                let pass = listed(version, After::Nothing, harm, Some(Native::Missing(base.clone())));
                let held = proposal(row, Proposed::Removal, Cause::Listing, true);
                Ok(Some(entry(&row.record, Some(row), pass, Some(held))))
            }
            Some(Native::Shown(base)) => Ok(Some(noted(row, Native::Missing(base.clone()), settled(row)))),
            Some(Native::Stale(_)) => Ok(Some(noted(row, Native::Unknown, After::Same))),
            Some(Native::Unknown | Native::Missing(_)) | None => Ok(None),
        }
    }

    fn shows(&self, version: &Version) -> Fields {
        owned(version.record().shown(self.show))
    }

    /// What an entry shows, with the fields that its native store has no place for as they were.
    fn completed(&self, fields: &Fields, was: &Fields) -> Fields {
        let kept = was.iter().filter(|(name, _)| !self.listing.has_place_for(name));
        fields.iter().chain(kept).map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    fn harm(&self, row: &Row, version: &Version) -> Harm {
        let content = version.record().content_digest();
        if !row.version.is_alive() && version.is_alive() && row.version.superseded().contains(content) {
            // Deleted, and back as it was: with no author, as every return to a superseded content.
            return Harm { loss: Some(Loss::Reverted), is_unauthored: true, ..Harm::default() };
        }
        self.judge.harm(&row.version, version)
    }
}

/// What waits beside a record that is as this replica knows it: what its listing had proposed is settled.
const fn settled(row: &Row) -> After {
    match &row.quarantine {
        Some(Quarantine::Proposal { cause: Cause::Listing | Cause::App, .. }) => After::Nothing,
        Some(_) | None => After::Same,
    }
}

/// A record that was deleted and has come back is as new: what it does not show is cleared.
fn as_new(row: &Row, fields: &Fields) -> Vec<(FieldName, Option<Value>)> {
    let old = row.version.record();
    let gone = old.fields().keys().filter(|name| !fields.contains_key(*name)).map(|name| (name.clone(), None));
    let shown = fields.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
    shown.chain(gone).collect()
}

/// Whether two entries show the same; layout is no part of it.
fn is_same(left: &Fields, right: &Fields) -> bool {
    let is_content = |(name, _): &(&FieldName, &Value)| !name.is_layout();
    left.iter().filter(is_content).eq(right.iter().filter(is_content))
}

fn newborn(fields: &Fields, stamp: Stamp, left_at: u64) -> Record {
    let born = Record::new().with_life(stamp, &Seeing::default(), Life::Alive { moved: None });
    let edits = fields.iter().map(|(name, value)| (name.clone(), Some(value.clone()))).collect();
    born.with_fields(stamp, &Seeing::default(), edits).behind(left_at, stamp.dot)
}

fn listed(version: Version, after: After, harm: Harm, native: Option<Native>) -> Change {
    Change { version, after, by: By::Listed, harm, excuse: None, closes: LineStatus::Struck, peer: None, native }
}

/// Nothing new but what the native store is known to show.
fn noted(row: &Row, native: Native, after: After) -> Entry {
    entry(&row.record, Some(row), listed(row.version.clone(), after, Harm::default(), Some(native)), None)
}

fn known(row: &Row) -> Entry {
    Entry { record: row.record.clone(), before: Some(row.clone()), proposal: Proposal::Known }
}

fn refused_as_held(row: &Row) -> Entry {
    let proposal = Proposal::Refused(Refusal::Held);
    Entry { record: row.record.clone(), before: Some(row.clone()), proposal }
}

fn entry(record: &RecordId, before: Option<&Row>, pass: Change, held: Option<super::draft::Quarantined>) -> Entry {
    let proposal = Proposal::Change { pass, held, excused: None };
    Entry { record: record.clone(), before: before.cloned(), proposal }
}
