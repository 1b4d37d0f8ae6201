//! An item that is not taken apart: the whole file is one field.

use std::collections::BTreeMap;

use holdfast::values::{id::FieldName, value::Value};

use super::{
    ITEM, Kind,
    fold::Style,
    lines::{Ending, Join, Lines},
    scan::{MARK, Outline, scan},
    writer::additions,
};

/// The one field. The bytes are moved into it.
pub(super) fn fields(bytes: Vec<u8>) -> BTreeMap<FieldName, Value> {
    let value = String::from_utf8(bytes).map_or_else(|error| Value::Bytes(error.into_bytes()), Value::Text);
    FieldName::new(ITEM).map(|name| (name, value)).into_iter().collect()
}

/// The whole file, if there is one and it is one complete item. Fields beside it are from another edit of the item, and
/// are added to it, so that nothing is lost.
pub(super) fn render(fields: &BTreeMap<FieldName, Value>) -> Option<Vec<u8>> {
    let item = match fields.iter().find(|(name, _)| name.as_str() == ITEM)?.1 {
        Value::Text(text) => text.as_bytes(),
        Value::Bytes(bytes) => bytes,
        _ => return None,
    };
    let outline = scan(ITEM, item).ok()?;
    let others = || fields.iter().filter(|(name, value)| is_addition(name) && !value.is_empty());
    if others().next().is_none() {
        return Some(item.to_vec());
    }
    let others = others().map(|(name, value)| (name.clone(), value.clone())).collect();
    let written = add(item, &outline, &others)?;
    // What does not go together with it is left out.
    Some(if scan(ITEM, &written).is_ok() { written } else { item.to_vec() })
}

fn is_addition(name: &FieldName) -> bool {
    name.as_str() != ITEM && !name.as_str().starts_with('~')
}

fn add(item: &[u8], outline: &Outline, others: &BTreeMap<FieldName, Value>) -> Option<Vec<u8>> {
    let offset = if item.starts_with(MARK) { MARK.len() } else { 0 };
    let end = outline.end.checked_add(offset)?;
    let main_end = match outline.kind {
        Kind::VCard => Some(end),
        Kind::ICalendar => outline.main_end.and_then(|at| at.checked_add(offset)),
    };
    let first = Lines::new(item).next().and_then(|line| line.segments().last());
    let is_lf = first.is_some_and(|segment| segment.join == Join::End(Ending::Lf));
    let style = Style { ending: if is_lf { Ending::Lf } else { Ending::CrLf }, ..Style::CANONICAL };
    let (main, root) = additions(outline.kind, others, style, main_end.is_some());
    let at = main_end.unwrap_or(end);
    Some([item.get(..at)?, &main, item.get(at..end)?, &root, item.get(end..)?].concat())
}
