//! A layout, followed.
//!
//! It says what stands where. It may be of another version of the item: fields that are gone are passed over, fields
//! that it does not know stand at the end of their component, and what makes no sense is not followed.

use std::collections::BTreeMap;

use holdfast::values::{id::FieldName, value::Value};

use super::{
    Kind,
    content::{Content, block, is_blank_block},
    fold::{Folds, Style},
    layout::{self, Piece, Placed},
    place::{CALENDAR, MAIN, is_keyed, is_main},
    property::Role,
    scan::edge_of,
    writer::Writer,
};

/// Writes a file.
pub(super) fn render(fields: &BTreeMap<FieldName, Value>) -> Vec<u8> {
    let text = fields.iter().find(|(name, _)| name.as_str() == layout::FIELD).map(|(_, value)| value);
    let decoded = match text {
        Some(Value::Text(text)) => layout::decode(text),
        _ => None,
    };
    let has_layout = decoded.is_some();
    let (style, pieces) = decoded.unwrap_or((Style::CANONICAL, Vec::new()));
    let kind = kind(fields, &pieces);
    let mut writer = Writer::new(kind, fields, style, &pieces);
    writer.is_canonical = !has_layout;
    writer.follow(&pieces);
    writer.finish()
}

/// What the content says, or else the layout: the layout of a peer makes no event of a person.
fn kind(fields: &BTreeMap<FieldName, Value>, pieces: &[Placed<'_>]) -> Kind {
    let is_single = |kind, name: &str| Role::of(kind, name) == Role::One;
    let speaks_for = |kind, other| {
        fields.keys().any(|name| is_single(kind, name.as_str()) && !is_single(other, name.as_str()))
            || (kind == Kind::ICalendar && fields.keys().any(|name| name.as_str().split('/').nth(2).is_some()))
    };
    let root = pieces.iter().find_map(|(piece, _)| match piece {
        Piece::Open { raw, .. } => edge_of(raw.as_bytes()),
        _ => None,
    });
    match (speaks_for(Kind::VCard, Kind::ICalendar), speaks_for(Kind::ICalendar, Kind::VCard)) {
        (true, false) => Kind::VCard,
        (false, true) => Kind::ICalendar,
        _ => match root {
            Some((_, name)) if name.eq_ignore_ascii_case(CALENDAR) => Kind::ICalendar,
            None if fields.keys().any(|name| name.family().trim_start_matches('~') == CALENDAR) => Kind::ICalendar,
            _ => Kind::VCard,
        },
    }
}

impl<'a> Writer<'a> {
    fn follow(&mut self, pieces: &[Placed<'a>]) {
        let mut rest = pieces;
        while let Some(((piece, folds), after)) = rest.split_first() {
            rest = after;
            if !matches!(piece, Piece::Blank | Piece::Part { .. }) {
                self.end_block();
            }
            match piece {
                Piece::Blank if matches!(self.open.last(), Some(None)) => {}
                Piece::Blank => self.out.line(b"", folds.as_ref()),
                Piece::Open { path, raw } => self.follow_open(path, raw, folds.as_ref()),
                Piece::Close { raw } => self.close(Some(raw), folds.as_ref()),
                Piece::Line { name } if self.is_here(name) => self.field(name, None, folds.as_ref()),
                Piece::Empty { name, raw } if self.is_here(name) => self.field(name, Some(raw), folds.as_ref()),
                Piece::Block { name } if self.is_here(name) => self.begin_block(name, after),
                Piece::Line { .. } | Piece::Empty { .. } | Piece::Block { .. } => {}
                Piece::Part { .. } => {
                    if let Some(line) = self.block.pop() {
                        self.out.line(&line, folds.as_ref());
                    }
                }
            }
        }
    }

    fn finish(mut self) -> Vec<u8> {
        self.end_block();
        let (path, name) = self.root();
        if !self.opened.contains(path) {
            self.open(path, name, None, None);
        }
        while !self.open.is_empty() {
            self.close(None, None);
        }
        self.out.finish()
    }

    /// Whether the component of this field is the innermost open one, and the field is still to be written.
    fn is_here(&self, name: &str) -> bool {
        let here = self.open.last().and_then(Option::as_ref).map(|(path, _)| *path);
        self.parts.by_name.get(name).is_some_and(|part| !part.is_done && Some(part.place.path) == here)
    }

    fn follow_open(&mut self, path: &'a str, raw: &str, folds: Option<&Folds>) {
        let component = edge_of(raw.as_bytes()).filter(|(is_begin, _)| *is_begin);
        let component = component.map(|(_, name)| name.to_ascii_uppercase()).unwrap_or_default();
        let (root, root_name) = self.root();
        let is_in_calendar = matches!(self.open.as_slice(), [Some((CALENDAR, _))]);
        let is_sound = match path.split_once('/') {
            _ if path == root => self.open.is_empty() && component == root_name,
            None => is_in_calendar && path == MAIN && is_main(&component),
            Some((name, key)) => is_in_calendar && is_keyed(name) && name == component && !key.contains('/'),
        };
        if is_sound && !self.opened.contains(path) && (path == root || self.parts.is_alive(path)) {
            self.open(path, &component, Some(raw), folds);
        } else {
            self.open.push(None);
        }
    }

    /// Makes the lines of a component ready for the parts that follow.
    fn begin_block(&mut self, name: &str, after: &[Placed<'a>]) {
        let Some(part) = self.parts.by_name.get_mut(name) else { return };
        let family = part.place.family;
        let lines: Vec<Vec<u8>> = match &part.content {
            Content::Line(_) => return,
            Content::Block(lines) => lines.iter().map(|line| line.to_vec()).collect(),
            Content::Empty => {
                let parts = after.iter().map_while(|(piece, _)| match piece {
                    Piece::Part { raw } => Some(*raw),
                    Piece::Blank => Some(None),
                    _ => None,
                });
                let text = parts.flatten().collect::<Vec<_>>().join("\n");
                let is_fit = block(text.as_bytes()).is_some_and(|(lines, name)| {
                    name.eq_ignore_ascii_case(family) && is_blank_block(self.kind, &lines)
                });
                if !is_fit {
                    return;
                }
                text.split('\n').map(|line| line.as_bytes().to_vec()).collect()
            }
        };
        part.is_done = true;
        self.block = lines;
        self.block.reverse();
    }

    fn end_block(&mut self) {
        while let Some(line) = self.block.pop() {
            self.out.line(&line, None);
        }
    }
}
