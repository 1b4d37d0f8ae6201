//! Names: which record a file is, and what a person calls a record.

use std::collections::BTreeMap;

use holdfast::{
    RecordId,
    values::{id::FieldName, register::Show, value::Value, version::Version},
};

use super::{folder::shown, item};

/// In bytes; what is longer is hashed.
const MAX_UID_BYTES: usize = 200;
/// Records without a UID are called by their first file's name, under this prefix.
const BY_FILE: &str = "file:";
/// In characters.
const MAX_LABEL_CHARS: usize = 60;

/// Which record a file is: by its UID, else as it was noted before, else by its name.
pub(crate) fn record_of(uid: Option<&str>, noted: Option<&RecordId>, file: &str) -> Option<RecordId> {
    let hashed = |kind: &str, text: &str| format!("{kind}{}", blake3::hash(text.as_bytes()).to_hex());
    let name = match (uid, noted) {
        (Some(uid), _) if (1..=MAX_UID_BYTES).contains(&uid.len()) && !uid.starts_with(BY_FILE) => uid.to_owned(),
        (Some(uid), _) if !uid.is_empty() => hashed("uid:", uid),
        (_, Some(noted)) => return Some(noted.clone()),
        _ if file.len() <= MAX_UID_BYTES => format!("{BY_FILE}{file}"),
        _ => hashed(BY_FILE, file),
    };
    RecordId::new(name).ok()
}

/// What a file shows of a version.
pub(crate) fn fields_of(version: &Version) -> BTreeMap<FieldName, Value> {
    let record = version.record();
    record.shown(Show::Latest).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// What a person calls a record, as its format says; else its id.
pub(crate) fn label(record: &RecordId, version: &Version) -> String {
    let name = item::parse("", item::render(&fields_of(version))).ok().and_then(|item| item.name);
    shortened(&name.unwrap_or_else(|| record.as_str().to_owned()))
}

/// A name as a label.
pub(crate) fn shortened(name: &str) -> String {
    shown(&name.chars().take(MAX_LABEL_CHARS).collect::<String>())
}
