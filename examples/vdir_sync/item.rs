//! The item format: the bytes of one vCard or iCalendar file into fields, and back.
//!
//! Each property is one field, so that two people who edit different properties of one card both get what they want.
//! Its value is the line as it was written, but in one piece; see [`place`] for its name. A property with an empty
//! value is [`Value::Null`], so that a card which was emptied is seen to be empty. All that is not content is
//! in fields that begin with `~`: the order of the lines, how they are broken, the revision, the program that wrote it.
//!
//! [`render`] of what [`parse`] gives is the same file, byte for byte. What can not be taken apart like this (a large
//! or deep item, a line that is no property) is one field, [`ITEM`], with the whole file. What is not one complete item
//! is an error, so that a file that was cut short is never taken for a person who lost their numbers.

use std::collections::BTreeMap;

use holdfast::values::{id::FieldName, value::Value};

pub(crate) use error::ItemError;

#[path = "item/error.rs"]
mod error;
#[path = "item/lines.rs"]
mod lines;
#[path = "item/property.rs"]
mod property;
#[path = "item/place.rs"]
mod place;
#[path = "item/scan.rs"]
mod scan;
#[path = "item/fold.rs"]
mod fold;
#[path = "item/layout.rs"]
mod layout;
#[path = "item/content.rs"]
mod content;
#[path = "item/sections.rs"]
mod sections;
#[path = "item/fields.rs"]
mod fields;
#[path = "item/parts.rs"]
mod parts;
#[path = "item/output.rs"]
mod output;
#[path = "item/writer.rs"]
mod writer;
#[path = "item/follow.rs"]
mod follow;
#[path = "item/whole.rs"]
mod whole;

/// The field of an item that is not taken apart.
pub(crate) const ITEM: &str = "ITEM";
/// What is taken apart, inclusive: bytes, logical lines, and nesting.
const MAX_BYTES: usize = 1024 * 1024;
const MAX_LINES: usize = 4_000;
const MAX_DEPTH: usize = 8;
/// Of [`Item::name`], in characters, inclusive.
const MAX_NAME_CHARS: usize = 80;

/// The two formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    VCard,
    ICalendar,
}

/// One file, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// What the file says that it is; it may be missing.
    pub(crate) uid: Option<String>,
    /// What a person calls it, in one line.
    pub(crate) name: Option<String>,
    pub(crate) kind: Kind,
    pub(crate) fields: BTreeMap<FieldName, Value>,
}

/// Reads the bytes of a file.
///
/// # Errors
/// [`ItemError`] if it is not one complete item. The file name is for the message only.
pub(crate) fn parse(file_name: &str, bytes: Vec<u8>) -> Result<Item, ItemError> {
    let outline = scan::scan(file_name, &bytes)?;
    let is_small = bytes.len() <= MAX_BYTES && outline.lines <= MAX_LINES && outline.depth <= MAX_DEPTH;
    let apart = if is_small && outline.is_regular { fields::apart(outline.kind, &bytes) } else { None };
    // Whatever a strange file holds, it is not taken apart if it could not be put together again.
    let fields = match apart.filter(|fields| render(fields) == bytes) {
        Some(fields) => fields,
        None => whole::fields(bytes),
    };
    let name = outline.name.map(|name| scan::cut(&name, MAX_NAME_CHARS));
    Ok(Item { uid: outline.uid, name, kind: outline.kind, fields })
}

/// Writes the bytes of a file. Any fields give some: they may come from a peer, or be put together of two edits.
///
/// Fields that are in no layout stand at the end of their component. A value that is not one line, or one component, of
/// its property is left out, so that no field can bring in another.
pub(crate) fn render(fields: &BTreeMap<FieldName, Value>) -> Vec<u8> {
    whole::render(fields).unwrap_or_else(|| follow::render(fields))
}
