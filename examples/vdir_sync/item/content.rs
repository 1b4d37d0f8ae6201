//! What the value of a field gives to a file, if it is fit for one.

use holdfast::values::value::Value;

use super::{
    Kind, MAX_DEPTH, MAX_LINES,
    place::{Place, is_quiet, key_property, keyed_path},
    property::{Header, Read, is_blank, is_known_component},
    scan::edge_of,
};

/// What a field gives to its component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content<'a> {
    /// A property or component that says nothing.
    Empty,
    /// A property, in one piece.
    Line(&'a [u8]),
    /// A component, line by line.
    Block(Vec<&'a [u8]>),
}

impl<'a> Content<'a> {
    /// `None` for a value that is not of this place.
    pub(super) fn of(kind: Kind, place: &Place<'_>, value: &'a Value) -> Option<Self> {
        if place.is_quiet != is_quiet(kind, place.path, place.family) {
            return None;
        }
        let is_key = place.path.split_once('/').is_some_and(|(name, _)| key_property(name) == place.family);
        let text = match value {
            _ if value.is_empty() => return (!is_key).then_some(Self::Empty),
            Value::Text(text) => text.as_bytes(),
            Value::Bytes(bytes) => bytes,
            _ => return None,
        };
        if let Some((lines, component)) = block(text) {
            return component.eq_ignore_ascii_case(place.family).then_some(Self::Block(lines));
        }
        let header = Header::of(text)?;
        let is_fit = match place.path.split_once('/') {
            Some((component, _)) if is_key => keyed_path(component, text).as_deref() == Some(place.path),
            _ => true,
        };
        (header.family() == place.family && is_fit).then_some(Self::Line(text))
    }
}

/// The lines of a component and its name; `None` if it is not exactly one, complete.
pub(super) fn block(text: &[u8]) -> Option<(Vec<&[u8]>, &str)> {
    let lines: Vec<_> = text.split(|byte| *byte == b'\n').take(MAX_LINES.saturating_add(1)).collect();
    let mut open: Vec<&str> = Vec::new();
    let name = edge_of(lines.first()?).filter(|(is_begin, _)| *is_begin)?.1;
    for (number, line) in lines.iter().enumerate() {
        if line.contains(&b'\r') || line.contains(&0) || (number > 0 && open.is_empty()) {
            return None;
        }
        match edge_of(line) {
            Some((true, name)) => open.push(name),
            Some((false, name)) => _ = open.pop().filter(|begun| begun.eq_ignore_ascii_case(name))?,
            None => _ = Header::of(line)?,
        }
        if open.len() > MAX_DEPTH {
            return None;
        }
    }
    (open.is_empty() && lines.len() <= MAX_LINES).then_some((lines, name))
}

/// Whether a component says nothing: all its properties are empty.
pub(super) fn is_blank_block(kind: Kind, lines: &[&[u8]]) -> bool {
    let is_known = lines.first().and_then(|line| edge_of(line)).is_some_and(|(_, name)| is_known_component(name));
    let is_blank = |line: &&[u8]| edge_of(line).is_some() || is_blank_line(kind, line);
    is_known && lines.iter().all(is_blank)
}

/// Whether this is a property that says nothing.
pub(super) fn is_blank_line(kind: Kind, line: &[u8]) -> bool {
    Header::of(line).is_some_and(|header| is_blank(&header, Read::of(kind, line).as_ref()))
}
