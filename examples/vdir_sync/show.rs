//! The folders, written: each file as its record is, and none for what is deleted.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

use holdfast::{
    CollectionId, RecordId,
    decide::row::{Native, Row},
};

use super::{
    continuity::Trust,
    folder::{Contents, Expect, Item, Print, Put, Writer, file_name_for, folded, safe_collection},
    item,
    memory::Noted,
    names::{fields_of, label},
    progress::Progress,
    report::{Report, Wrote},
    session::Stop,
    side::{Side, is_calendar},
};

/// Where files of deleted records are kept that somebody put back, beside the bookkeeping.
const ASIDE: &str = "aside";
/// Files are written together until there are so many bytes or files.
const BATCH_BYTES: usize = 4 << 20;
const BATCH_FILES: usize = 64;

/// Writes what one side's folder does not show yet. On a dry run it only says what it would write.
pub(crate) fn show(
    side: &mut Side,
    other: &Side,
    may_remove: bool,
    report: &mut Report,
    progress: &Progress,
) -> Result<(), Stop> {
    let mut unshown = Vec::new();
    for collection in side.body.store.collections().cloned().collect::<Vec<_>>() {
        let rows = side.device().unshown(&collection, usize::MAX).map_err(|error| Stop::Bug(error.to_string()))?;
        if rows.is_empty() || side.unlisted.contains(&collection) {
            continue;
        }
        match safe_collection(collection.as_str()) {
            Ok(_) => unshown.push((collection, rows)),
            Err(error) => report.file_trouble(side.which, &collection, "", &format!("{error}; it was not written")),
        }
    }
    let mut done = Vec::new();
    let mut writer = side.hands.as_ref().map(|hands| Writer::new(&side.root, hands, &side.walk));
    for (collection, rows) in &unshown {
        let target = Target::of(side, other, collection, may_remove);
        done.push((collection.clone(), target.write(rows, writer.as_mut(), report, progress)));
    }
    if let Some(Err(errors)) = writer.map(Writer::finish) {
        errors.iter().for_each(|error| report.trouble(side.which, error));
    }
    for (collection, Written { rows, notes }) in done {
        let shown = rows.into_iter().map(|row| (row.record.clone(), row.version.clone())).collect();
        side.device().shown(&collection, shown).map_err(|error| Stop::Bug(error.to_string()))?;
        side.touched();
        let files = side.files(collection.as_str());
        for (file, noted) in notes {
            match noted {
                Some(noted) => files.insert(file, noted),
                None => files.remove(&file),
            };
        }
    }
    Ok(())
}

/// Notes which new files are about to be written.
pub(crate) fn announce(side: &mut Side) -> Result<(), Stop> {
    for collection in side.body.store.collections().cloned().collect::<Vec<_>>() {
        let rows = side.device().unshown(&collection, usize::MAX).map_err(|error| Stop::Bug(error.to_string()))?;
        let new: Vec<_> = rows
            .into_iter()
            .filter(|row| row.version.is_alive() && row.native == Some(Native::Unknown))
            .map(|row| (row.record, row.version))
            .collect();
        if !new.is_empty() && !side.unlisted.contains(&collection) {
            side.device().showing(&collection, new).map_err(|error| Stop::Bug(error.to_string()))?;
            side.touched();
        }
    }
    Ok(())
}

/// Sets files aside that are no items, where a person said so, and writes anew what is known of their records.
pub(crate) fn rewrite(side: &mut Side, report: &mut Report) {
    let mut done = Vec::new();
    let mut writer = side.hands.as_ref().map(|hands| Writer::new(&side.root, hands, &side.walk));
    for collection in &side.rewritten {
        let rows: BTreeMap<RecordId, Row> = side.rows(collection).map(|row| (row.record.clone(), row)).collect();
        for (item, record) in side.unreadable.get(collection).into_iter().flatten() {
            let row = record.as_ref().and_then(|record| rows.get(record)).filter(|row| row.version.is_alive());
            let written = match writer.as_mut() {
                None => Ok(None),
                Some(writer) => rewrite_one(side, writer, collection, (item, row)),
            };
            match written {
                Err(what) => report.file_trouble(side.which, collection, &item.file, &what),
                Ok(noted) => {
                    report.mended(side.which, collection, &item.file);
                    report.wrote(side.which, if row.is_some() { Wrote::Changed } else { Wrote::Removed });
                    done.push((collection.clone(), item.file.clone(), noted));
                }
            }
        }
    }
    if let Some(Err(errors)) = writer.map(Writer::finish) {
        errors.iter().for_each(|error| report.trouble(side.which, error));
    }
    for (collection, file, noted) in done {
        side.index.strangers.entry(collection.as_str().to_owned()).or_default().remove(&file);
        if let Some(noted) = noted {
            side.files(collection.as_str()).insert(file, noted);
        }
        side.touched();
    }
}

fn rewrite_one(
    side: &Side,
    writer: &mut Writer<'_>,
    collection: &CollectionId,
    (item, row): (&Item, Option<&Row>),
) -> Result<Option<Noted>, String> {
    keep_aside(side, collection.as_str(), &item.file, &item.print)?;
    let Some(row) = row else {
        return writer
            .remove(collection.as_str(), &item.file, item.print)
            .map(|()| None)
            .map_err(|error| error.to_string());
    };
    let bytes = item::render(&fields_of(&row.version));
    let (collection, expect) = (collection.as_str(), Expect::Print(item.print));
    let put = Put { collection, file: &item.file, bytes: &bytes, expect };
    let written = writer.put_all(&[put]).into_iter().next().transpose().map_err(|error| error.to_string())?;
    Ok(written.map(|print| Noted { print, record: row.record.clone(), is_trusted: true }))
}

/// Copies a file to where files are kept that are taken away here.
fn keep_aside(side: &Side, collection: &str, file: &str, print: &Print) -> Result<(), String> {
    let Some(hands) = &side.hands else { return Ok(()) };
    let bytes = side.root.read(collection, file, print).map_err(|error| error.to_string())?;
    let folder = hands.state().path().join(ASIDE).join(collection);
    set_aside(&folder, file, &bytes).map_err(|error| format!("could not be set aside: {error}; it was left"))
}

/// What was done in one collection.
#[derive(Default)]
struct Written<'a> {
    rows: Vec<&'a Row>,
    /// What is to be noted of files: `None` is gone.
    notes: Vec<(String, Option<Noted>)>,
}

/// What is to be done for one record.
enum Todo {
    Nothing,
    NotNow,
    /// A file of a deleted record; one that somebody put back is kept aside.
    Remove {
        file: String,
        print: Print,
        is_kept: bool,
    },
    Put {
        file: String,
        bytes: Vec<u8>,
        expect: Expect,
        wrote: Wrote,
    },
}

/// The files of one collection, while it is written.
struct Target<'a> {
    side: &'a Side,
    /// The file of each record, here and on the other side.
    files: BTreeMap<&'a RecordId, &'a str>,
    files_there: BTreeMap<&'a RecordId, &'a str>,
    collection: &'a CollectionId,
    may_remove: bool,
    /// Names that are taken, folded.
    taken: BTreeSet<String>,
}

impl<'a> Target<'a> {
    fn of(side: &'a Side, other: &'a Side, collection: &'a CollectionId, may_remove: bool) -> Self {
        let name = collection.as_str();
        let mut taken: BTreeSet<String> = side.items(name).iter().map(|item| folded(&item.file)).collect();
        if let Some(Contents::Listed(listing)) = side.walked(name) {
            taken.extend(listing.errors.iter().filter_map(|error| error.file.as_deref()).map(folded));
        }
        let (files, files_there) = (side.index.files_by_record(name), other.index.files_by_record(name));
        Self { side, files, files_there, collection, may_remove, taken }
    }

    fn write<'r>(
        mut self,
        rows: &'r [Row],
        mut writer: Option<&mut Writer<'_>>,
        report: &mut Report,
        progress: &Progress,
    ) -> Written<'r> {
        let mut written = Written::default();
        let mut batch = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            progress.tell(&format!("{} {}, writing", self.side.which, self.collection), at, rows.len());
            match self.todo(row) {
                Todo::NotNow => {
                    let file = self.files.get(&row.record).copied().unwrap_or_default();
                    let what = "what it shows was not taken in, and was not written over; the next run goes on";
                    report.file_trouble(self.side.which, self.collection, file, what);
                }
                Todo::Nothing => written.rows.push(row),
                Todo::Remove { file, print, is_kept } => {
                    let removed = match writer.as_mut() {
                        None => Ok(()),
                        Some(writer) => self.remove(writer, &file, print, is_kept),
                    };
                    match removed {
                        Err(what) => report.file_trouble(self.side.which, self.collection, &file, &what),
                        Ok(()) => {
                            if is_kept {
                                let name = label(&row.record, &row.version);
                                let what = "had been deleted; its file was set aside under";
                                report.note(format!("{}: '{name}' {what} '{ASIDE}'", self.side.which));
                            }
                            report.wrote(self.side.which, Wrote::Removed);
                            written.notes.push((file, None));
                            written.rows.push(row);
                        }
                    }
                }
                Todo::Put { file, bytes, expect, wrote } => {
                    batch.push((row, file, bytes, expect, wrote));
                    let bytes: usize = batch.iter().map(|(_, _, bytes, ..)| bytes.len()).sum();
                    if batch.len() >= BATCH_FILES || bytes >= BATCH_BYTES {
                        self.put(std::mem::take(&mut batch), writer.as_deref_mut(), &mut written, report);
                    }
                }
            }
        }
        self.put(batch, writer, &mut written, report);
        written
    }

    /// Removes a file that still is what it was. What is to be kept is copied first.
    fn remove(&self, writer: &mut Writer<'_>, file: &str, print: Print, is_kept: bool) -> Result<(), String> {
        let collection = self.collection.as_str();
        if is_kept {
            keep_aside(self.side, collection, file, &print)?;
        }
        writer.remove(collection, file, print).map_err(|error| error.to_string())
    }

    fn put<'r>(
        &self,
        batch: Vec<(&'r Row, String, Vec<u8>, Expect, Wrote)>,
        writer: Option<&mut Writer<'_>>,
        written: &mut Written<'r>,
        report: &mut Report,
    ) {
        let collection = self.collection.as_str();
        let puts = batch.iter().map(|(_, file, bytes, expect, _)| Put { collection, file, bytes, expect: *expect });
        let prints = writer.map(|writer| writer.put_all(&puts.collect::<Vec<_>>()));
        let mut prints = prints.into_iter().flatten(); // none on a dry run
        for (row, file, _, _, wrote) in batch {
            match prints.next() {
                Some(Err(error)) => {
                    report.trouble(self.side.which, &error);
                    continue;
                }
                Some(Ok(print)) => {
                    written.notes.push((file, Some(Noted { print, record: row.record.clone(), is_trusted: true })));
                }
                None => {}
            }
            if wrote == Wrote::Added && self.side.standing.trust == Trust::Little {
                // It may have been deleted here, and nobody knows.
                let name = label(&row.record, &row.version);
                let what = "was not here, and has been written; if you had deleted it, delete it again";
                report.note(format!("{}: {}: '{name}' {what}", self.side.which, self.collection));
            }
            report.wrote(self.side.which, wrote);
            written.rows.push(row);
        }
    }

    fn todo(&mut self, row: &Row) -> Todo {
        if self.side.contested.contains(&(self.collection.clone(), row.record.clone())) {
            return Todo::NotNow;
        }
        let file = self.files.get(&row.record).map(|file| (*file).to_owned());
        let at = file.and_then(|file| self.print(&file).map(|print| (file, print)));
        match (row.version.is_alive(), at) {
            (false, None) => Todo::Nothing,
            (false, Some(_)) if !self.may_remove => Todo::NotNow,
            (false, Some((file, print))) => {
                Todo::Remove { file, print, is_kept: matches!(row.native, Some(Native::Stale(_))) }
            }
            (true, Some(_)) if shows_it_already(row) => Todo::Nothing,
            (true, Some((file, print))) => {
                let bytes = item::render(&fields_of(&row.version));
                let found = self.side.root.read(self.collection.as_str(), &file, &print);
                if found.is_ok_and(|found| found == bytes) {
                    return Todo::Nothing;
                }
                Todo::Put { file, bytes, expect: Expect::Print(print), wrote: Wrote::Changed }
            }
            (true, None) => {
                let bytes = item::render(&fields_of(&row.version));
                let file = self.new_name(&row.record, &bytes);
                self.taken.insert(folded(&file));
                Todo::Put { file, bytes, expect: Expect::Absent, wrote: Wrote::Added }
            }
        }
    }

    fn print(&self, file: &str) -> Option<Print> {
        let items = self.side.items(self.collection.as_str());
        let at = items.binary_search_by(|item| item.file.as_str().cmp(file)).ok()?;
        items.get(at).map(|item| item.print)
    }

    /// The other side's name for it, where it is safe and free here.
    fn new_name(&self, record: &RecordId, bytes: &[u8]) -> String {
        let wanted = self.files_there.get(record).copied();
        let is_event = wanted.map_or_else(|| begins_a_calendar(bytes), is_calendar);
        let extension = if is_event { "ics" } else { "vcf" };
        file_name_for(wanted, record.as_str(), extension, &|name| self.taken.contains(name))
    }
}

/// Writes a copy under a name that is free.
fn set_aside(folder: &Path, file: &str, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for attempt in 0..u32::MAX {
        let name = if attempt == 0 { file.to_owned() } else { format!("{attempt}-{file}") };
        match OpenOptions::new().write(true).create_new(true).open(folder.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            opened => {
                let mut opened = opened?;
                opened.write_all(bytes)?;
                return opened.sync_all();
            }
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Whether the file shows just what the record does, though more is known of it now.
fn shows_it_already(row: &Row) -> bool {
    matches!(&row.native, Some(Native::Shown(base)) if fields_of(base) == fields_of(&row.version))
}

fn begins_a_calendar(bytes: &[u8]) -> bool {
    let start: Vec<u8> = bytes.iter().copied().take(64).map(|byte| byte.to_ascii_uppercase()).collect();
    start.windows(15).any(|window| window == b"BEGIN:VCALENDAR")
}
