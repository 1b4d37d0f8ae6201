//! What the folders show, taken in.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use holdfast::{
    CollectionId, Limits, Receipt, RecordId, RoundId, Store as _, Timestamp,
    act::receipt::Effect,
    decide::{
        line::LineKind,
        listing::{Complete, Listing, Partial},
        refusal::Refusal,
        row::Native,
        slice::ReadSet,
    },
    values::{id::FieldName, value::Value, version::Version},
};

use super::{
    folder::{Contents, Item, Print},
    item,
    memory::Noted,
    names::{label, record_of},
    progress::Progress,
    report::Report,
    session::{Stop, random},
    side::Side,
};

/// How the folder of a side is listed in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Care {
    /// What is missing was removed.
    Whole,
    /// Nothing is known to be removed.
    Additive,
}

/// Records that are known to have been in a folder whose bookkeeping is lost, as they were then.
pub(crate) type Had = BTreeMap<CollectionId, Vec<(RecordId, Version)>>;

/// Takes in what one side's folder shows of some collections.
pub(crate) fn observe(
    side: &mut Side,
    (collections, had): (&BTreeSet<CollectionId>, &Had),
    care: Care,
    round: RoundId,
    report: &mut Report,
    progress: &Progress,
) -> Result<(), Stop> {
    for error in &side.walk.errors {
        report.trouble(side.which, error);
    }
    for collection in collections {
        if side.walk.errors.iter().any(|error| error.collection.as_deref() == Some(collection.as_str())) {
            // Something stands in its place, and says nothing of what it holds.
            side.unlisted.insert(collection.clone());
            continue;
        }
        if is_something_else(side, collection) {
            let what = "something else stands where this folder was; its items were left as they are on the other side";
            report.file_trouble(side.which, collection, "", what);
            side.unlisted.insert(collection.clone());
            continue;
        }
        let read = match side.walked(collection.as_str()) {
            Some(Contents::Unreadable(error)) => {
                report.trouble(side.which, error);
                side.unlisted.insert(collection.clone());
                continue;
            }
            Some(Contents::Listed(_)) | None => Reading::of(side, collection, report, progress),
        };
        let had = had.get(collection).map_or(&[][..], Vec::as_slice);
        read.take_in(side, (collection, had), care, round, report)?;
    }
    Ok(())
}

/// Whether a folder that was synced is none any more, though something of its name is there.
fn is_something_else(side: &Side, collection: &CollectionId) -> bool {
    side.walked(collection.as_str()).is_none()
        && side.index.files.get(collection.as_str()).is_some_and(|files| !files.is_empty())
        && std::fs::symlink_metadata(side.root.path().join(collection.as_str())).is_ok()
}

/// The files of one collection, those read that had to be.
struct Reading {
    listing: Partial,
    /// What is noted of each file.
    notes: BTreeMap<String, Noted>,
    files: BTreeMap<RecordId, Vec<String>>,
    /// Files that can not be read, and are no record that is known.
    strangers: BTreeMap<String, Print>,
    /// Files that are no items, and which records they were.
    unreadable: Vec<(Item, Option<RecordId>)>,
    /// It may be that a record is here that was not found: then nothing is known to be missing.
    is_in_doubt: bool,
}

impl Reading {
    fn of(side: &Side, collection: &CollectionId, report: &mut Report, progress: &Progress) -> Self {
        let (listing, notes, files) = (Partial::new(collection.clone()), BTreeMap::new(), BTreeMap::new());
        let strangers = BTreeMap::new();
        let mut reading = Self { listing, notes, files, strangers, unreadable: Vec::new(), is_in_doubt: false };
        let items = side.items(collection.as_str());
        for (done, item) in items.iter().enumerate() {
            progress.tell(&format!("{} {collection}", side.which), done, items.len());
            reading.file(side, collection, item, report);
        }
        if let Some(Contents::Listed(listed)) = side.walked(collection.as_str()) {
            for error in &listed.errors {
                report.trouble(side.which, error);
                let noted = error.file.as_ref().and_then(|file| side.noted(collection.as_str(), file));
                if let (Some(file), Some(noted)) = (&error.file, noted) {
                    reading.unreadable(file, noted.clone());
                }
            }
        }
        // The last item of a list may be removed. But a folder that is gone with it says less than one that is empty.
        let noted = side.index.files.get(collection.as_str()).map_or(0, BTreeMap::len);
        if side.walked(collection.as_str()).is_none() && noted == 1 {
            let what = "the folder is gone, and its item was left as it is on the other side. To remove it there, too, make \
                        an empty folder of this name; to have it back, copy it from there";
            report.file_trouble(side.which, collection, "", what);
            reading.is_in_doubt = true;
        }
        reading
    }

    fn file(&mut self, side: &Side, collection: &CollectionId, item: &Item, report: &mut Report) {
        let noted = side.noted(collection.as_str(), &item.file);
        if let Some(noted) = noted.filter(|noted| noted.is_trusted && noted.print == item.print) {
            self.named(&item.file, noted.clone());
            self.listing.unchanged(noted.record.clone());
            return;
        }
        report.read(side.which);
        let is_settled = item.print.is_settled(now_nanos());
        let parsed = side
            .root
            .read(collection.as_str(), &item.file, &item.print)
            .map_err(|error| report.trouble(side.which, &error))
            .and_then(|bytes| {
                item::parse(&item.file, bytes).map_err(|error| {
                    let what = error.to_string();
                    let what = what.strip_prefix(&format!("{}: ", item.file)).unwrap_or(&what);
                    report.file_trouble(side.which, collection, &item.file, what);
                })
            });
        let record = parsed
            .as_ref()
            .ok()
            .and_then(|parsed| record_of(parsed.uid.as_deref(), noted.map(|noted| &noted.record), &item.file));
        match (parsed, record, noted) {
            (Ok(parsed), Some(record), _) => {
                let at = written_at(item.print.mtime_nanos);
                let noted = Noted { print: item.print, record: record.clone(), is_trusted: is_settled };
                self.named(&item.file, noted);
                let at = if side.is_newcomer { Timestamp::default() } else { at };
                self.entry(record, parsed.fields, at);
            }
            (_, _, Some(noted)) => {
                self.unreadable.push((item.clone(), Some(noted.record.clone())));
                self.unreadable(&item.file, noted.clone());
            }
            (_, _, None) => {
                self.unreadable.push((item.clone(), None));
                // A record under another name, perhaps, that is being written just now. If it is the same next time, it is
                // none of ours.
                let known = side.index.strangers.get(collection.as_str()).and_then(|files| files.get(&item.file));
                self.is_in_doubt |= known != Some(&item.print);
                self.strangers.insert(item.file.clone(), item.print);
            }
        }
    }

    /// The entries that the folder has, by the walk and by what is noted of it: what a whole listing must come to.
    fn entries(&self, side: &Side, collection: &CollectionId) -> usize {
        let is_noted = |file: &str| side.noted(collection.as_str(), file).is_some();
        let errors = match side.walked(collection.as_str()) {
            Some(Contents::Listed(listed)) => {
                listed.errors.iter().filter(|error| error.file.as_deref().is_some_and(is_noted)).count()
            }
            Some(Contents::Unreadable(_)) | None => 0,
        };
        (side.items(collection.as_str()).len() + errors).saturating_sub(self.strangers.len())
    }

    fn named(&mut self, file: &str, noted: Noted) {
        self.files.entry(noted.record.clone()).or_default().push(file.to_owned());
        self.notes.insert(file.to_owned(), noted);
    }

    fn entry(&mut self, record: RecordId, fields: BTreeMap<FieldName, Value>, at: Timestamp) {
        self.listing.entry(record, fields, at);
    }

    fn unreadable(&mut self, file: &str, noted: Noted) {
        self.listing.unreadable(noted.record.clone());
        self.named(file, Noted { is_trusted: false, ..noted });
    }

    fn take_in(
        mut self,
        side: &mut Side,
        (collection, had): (&CollectionId, &[(RecordId, Version)]),
        care: Care,
        round: RoundId,
        report: &mut Report,
    ) -> Result<(), Stop> {
        let entries = self.entries(side, collection);
        let again = (!had.is_empty() && !self.is_in_doubt).then(|| self.listing.clone());
        let listing: Listing = match care {
            Care::Whole if !self.is_in_doubt => match self.listing.complete(entries) {
                Ok(complete) => complete.into(),
                Err(cut) => cut.listing.into(),
            },
            Care::Whole | Care::Additive => self.listing.into(),
        };
        let at = Timestamp::from_micros(now_nanos() / 1000);
        let receipt = side.device().observe(listing, round, at).map_err(|error| Stop::Bug(error.to_string()))?;
        side.committed(&receipt, true);
        report.saw(&receipt);
        if let Some(listing) = again.and_then(|listing| listing.complete(entries).ok()) {
            ask(side, (collection, had), &self.files, listing, report)?;
        }
        note_moves(side, collection, &receipt, report)?;
        for (record, refusal) in &receipt.refused {
            let files = self.files.get(record).map(|files| files.join("', '")).unwrap_or_default();
            match refusal {
                Refusal::Unreadable => {} // The file's own error has said so.
                Refusal::ListedTwice => {
                    let what = "they have one UID; they were left as they are. Give all but one another UID";
                    report.file_trouble(side.which, collection, &files, what);
                }
                other => report.file_trouble(side.which, collection, &files, &other.to_string()),
            }
        }
        let hold = side.device().hold(collection).map_err(|error| Stop::Bug(error.to_string()))?;
        let contested = hold.iter().flat_map(|hold| hold.open()).filter(|line| line.kind == LineKind::Contents);
        let contested: Vec<RecordId> = contested.map(|line| line.record.clone()).collect();
        // What was not taken in is read again next time.
        let refused = receipt.refused.iter().map(|(record, _)| record);
        for record in refused.chain(&contested) {
            for noted in self.notes.values_mut().filter(|noted| noted.record == *record) {
                noted.is_trusted = false;
            }
        }
        let refused: Vec<RecordId> = receipt.refused.iter().map(|(record, _)| record.clone()).collect();
        side.contested.extend(refused.into_iter().chain(contested).map(|record| (collection.clone(), record)));
        *side.files(collection.as_str()) = self.notes;
        side.unreadable.insert(collection.clone(), self.unreadable);
        side.index.strangers.insert(collection.as_str().to_owned(), self.strangers);
        Ok(())
    }
}

/// Of records that were in a folder whose bookkeeping is lost, some are missing. If these are many, files were lost, and if
/// others show what is old, this is a backup. Else they may have been deleted, and nobody knows: then it is noted that the
/// folder has shown them, and they are proposed for removal, more of them than what passes without an answer.
fn ask(
    side: &mut Side,
    (collection, had): (&CollectionId, &[(RecordId, Version)]),
    files: &BTreeMap<RecordId, Vec<String>>,
    listing: Complete,
    report: &mut Report,
) -> Result<(), Stop> {
    let missing: Vec<_> = had.iter().filter(|(record, _)| !files.contains_key(record)).cloned().collect();
    let stale = side.rows(collection).filter(|row| matches!(row.native, Some(Native::Stale(_)))).count();
    side.stale += stale;
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let limit = Limits::STANDARD.unauthored_round.of(count(side.living(collection)));
    if count(missing.len()) <= limit || missing.len() * 2 > had.len() || stale > 0 {
        return Ok(());
    }
    side.device().shown(collection, missing).map_err(|error| Stop::Bug(error.to_string()))?;
    // In a round of its own: the base of the other one was taken when nothing was here yet.
    let at = Timestamp::from_micros(now_nanos() / 1000);
    let receipt = side.device().observe(listing, RoundId(random()?), at);
    let receipt = receipt.map_err(|error| Stop::Bug(error.to_string()))?;
    side.committed(&receipt, true);
    report.saw(&receipt);
    Ok(())
}

/// Says of what is new in a collection where else it is, or was until now.
fn note_moves(side: &Side, to: &CollectionId, receipt: &Receipt, report: &mut Report) -> Result<(), Stop> {
    if !side.is_trusted() {
        return Ok(());
    }
    let added = receipt.changes.iter().filter(|change| change.effect == Effect::Added);
    let added: Vec<RecordId> = added.map(|change| change.record.clone()).collect();
    if added.is_empty() {
        return Ok(());
    }
    for from in side.body.store.collections().filter(|from| *from != to) {
        let Ok(slice) = side.body.store.read(&ReadSet::head(from.clone()).with_records(added.iter().cloned()));
        for row in slice.rows.values() {
            let files = side.index.files.get(from.as_str()).into_iter().flatten();
            let mut files = files.filter(|(_, noted)| noted.record == row.record).map(|(file, _)| file);
            let is_there = files.any(|file| side.items(from.as_str()).iter().any(|item| item.file == *file));
            let name = label(&row.record, &row.version);
            if is_there {
                let what = "they are two records, and each is kept in step by itself";
                report.note(format!("{}: '{name}' is in {from} and in {to}: {what}", side.which));
            } else if row.version.is_alive() {
                report.note(format!("{}: '{name}' was moved from {from} to {to}", side.which));
            }
        }
    }
    Ok(())
}

/// When a file was written, by its own account. A time that is still to come is none, and is earlier than all others.
fn written_at(mtime_nanos: i64) -> Timestamp {
    if mtime_nanos > now_nanos() { Timestamp::default() } else { Timestamp::from_micros(mtime_nanos / 1000) }
}

/// By the system's clock, since 1970.
pub(crate) fn now_nanos() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
