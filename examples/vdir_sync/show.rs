//! The folders, written: each file as its record is, and none for what is deleted.

use std::collections::{BTreeMap, BTreeSet};

use holdfast::{
    CollectionId, RecordId,
    decide::row::{Native, Row},
};

use super::{
    folder::{Contents, EntryError, Expect, Print, Writer, file_name_for, folded, safe_collection},
    item,
    memory::Noted,
    names::fields_of,
    progress::Progress,
    report::{Report, Wrote},
    session::Stop,
    side::{Side, is_calendar},
};

/// Writes what one side's folder does not show yet. On a dry run it only says what it would write.
pub(crate) fn show(
    side: &mut Side,
    other: &Side,
    may_remove: bool,
    report: &mut Report,
    progress: &Progress,
) -> Result<(), Stop> {
    let mut steps = Vec::new();
    for collection in side.body.store.collections().cloned().collect::<Vec<_>>() {
        let rows = side.device().unshown(&collection, usize::MAX).map_err(|error| Stop::Bug(error.to_string()))?;
        if rows.is_empty() {
            continue;
        }
        match safe_collection(collection.as_str()) {
            Ok(_) => steps.push((collection, rows)),
            Err(error) => report.file_trouble(side.which, &collection, "", &format!("{error}; it was not written")),
        }
    }
    let mut done = Vec::new();
    {
        let mut writer = side.hands.as_ref().map(|hands| Writer::new(&side.root, hands, &side.walk));
        for (collection, rows) in steps {
            let mut target = Target::of(side, other, &collection, may_remove);
            let (mut shown, total) = (Vec::new(), rows.len());
            for (at, row) in rows.into_iter().enumerate() {
                progress.tell(&format!("{} {collection}, writing", side.which), at, total);
                match target.write(&row, writer.as_mut()) {
                    Ok(Some(wrote)) => {
                        report.wrote(side.which, wrote);
                        shown.push((row.record, row.version));
                    }
                    Ok(None) => {}
                    Err(error) => report.trouble(side.which, &error),
                }
            }
            let notes = target.notes;
            done.push((collection, shown, notes));
        }
        if let Some(Err(errors)) = writer.map(Writer::finish) {
            errors.iter().for_each(|error| report.trouble(side.which, error));
        }
    }
    for (collection, shown, notes) in done {
        let noted = side.device().shown(&collection, shown);
        noted.map_err(|error| Stop::Bug(error.to_string()))?;
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
    /// What is to be noted of files: `None` is gone.
    notes: Vec<(String, Option<Noted>)>,
}

impl<'a> Target<'a> {
    fn of(side: &'a Side, other: &'a Side, collection: &'a CollectionId, may_remove: bool) -> Self {
        let mut taken: BTreeSet<String> =
            side.items(collection.as_str()).iter().map(|item| folded(&item.file)).collect();
        if let Some(Contents::Listed(listing)) = side.walked(collection.as_str()) {
            taken.extend(listing.errors.iter().filter_map(|error| error.file.as_deref()).map(folded));
        }
        let (files, files_there) =
            (side.index.files_by_record(collection.as_str()), other.index.files_by_record(collection.as_str()));
        Self { side, files, files_there, collection, may_remove, taken, notes: Vec::new() }
    }

    /// Writes one record's file. `None`: not now.
    fn write(&mut self, row: &Row, writer: Option<&mut Writer<'_>>) -> Result<Option<Wrote>, EntryError> {
        let collection = self.collection.as_str();
        if self.side.contested.contains(&(self.collection.clone(), row.record.clone())) {
            return Ok(None);
        }
        let file = self.files.get(&row.record).map(|file| (*file).to_owned());
        let print = file.as_ref().and_then(|file| self.print(file));
        if !row.version.is_alive() {
            return self.remove(file.zip(print), writer);
        }
        if let (Some(Native::Shown(base)), Some(_)) = (&row.native, print)
            && fields_of(base) == fields_of(&row.version)
        {
            return Ok(Some(Wrote::Nothing));
        }
        let bytes = item::render(&fields_of(&row.version));
        let (file, expect, wrote) = match (file, print) {
            (Some(file), Some(print)) => (file, Expect::Print(print), Wrote::Changed),
            _ => (self.new_name(&row.record, &bytes), Expect::Absent, Wrote::Added),
        };
        if let Some(writer) = writer {
            let print = writer.put(collection, &file, &bytes, expect)?;
            let noted = Noted { print, record: row.record.clone(), is_trusted: true };
            self.notes.push((file.clone(), Some(noted)));
        }
        self.taken.insert(folded(&file));
        Ok(Some(wrote))
    }

    fn remove(
        &mut self,
        at: Option<(String, Print)>,
        writer: Option<&mut Writer<'_>>,
    ) -> Result<Option<Wrote>, EntryError> {
        let Some((file, print)) = at else { return Ok(Some(Wrote::Nothing)) };
        if !self.may_remove {
            return Ok(None);
        }
        if let Some(writer) = writer {
            writer.remove(self.collection.as_str(), &file, print)?;
            self.notes.push((file, None));
        }
        Ok(Some(Wrote::Removed))
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

fn begins_a_calendar(bytes: &[u8]) -> bool {
    let start: Vec<u8> = bytes.iter().copied().take(64).map(|byte| byte.to_ascii_uppercase()).collect();
    start.windows(15).any(|window| window == b"BEGIN:VCALENDAR")
}
