//! The lines of a file, sorted into components.

use super::{
    Kind,
    content::{is_blank_block, is_blank_line},
    lines::Line,
    place::{CALENDAR, MAIN, is_keyed, is_main, key_property, keyed_path},
    property::{Header, Read},
    scan::edge,
};

/// What one field is made of, or what stands between fields.
#[derive(Debug)]
pub(super) enum Section<'a> {
    Blank(Line<'a>),
    Open { path: String, line: Line<'a> },
    Close { line: Line<'a> },
    Unit(Unit<'a>),
}

/// A property, or a component that is kept in one piece.
#[derive(Debug)]
pub(super) struct Unit<'a> {
    pub(super) path: String,
    pub(super) family: String,
    pub(super) is_block: bool,
    /// Blank lines among them.
    pub(super) lines: Vec<Line<'a>>,
    /// The lines in one piece each, without the blank ones, with line feeds between.
    pub(super) text: Vec<u8>,
    /// What its id is made from.
    pub(super) canonical: Vec<u8>,
    pub(super) is_empty: bool,
}

/// Sorts the lines of a complete item; `None` if there is a line, or a component, that has no place.
pub(super) fn sections<'a>(kind: Kind, lines: &[Line<'a>]) -> Option<Vec<Section<'a>>> {
    let ends = ends(lines);
    let mut open: Vec<String> = Vec::new();
    let mut sections = Vec::new();
    let mut at = 0_usize;
    while let Some(line) = lines.get(at).copied() {
        let mut next = at.saturating_add(1);
        match edge(line) {
            _ if line.first().is_empty() => sections.push(Section::Blank(line)),
            Some((true, name)) => {
                let component = lines.get(at..=ends.get(at).copied().flatten()?)?;
                match path(kind, open.len(), &name.to_ascii_uppercase(), component) {
                    Some(path) => {
                        open.push(path.clone());
                        sections.push(Section::Open { path, line });
                    }
                    None => {
                        next = at.saturating_add(component.len());
                        sections.push(Section::Unit(block(kind, open.last()?, name, component)?));
                    }
                }
            }
            Some((false, _)) => {
                open.pop()?;
                sections.push(Section::Close { line });
            }
            None => sections.push(Section::Unit(property(kind, open.last()?, line)?)),
        }
        at = next;
    }
    Some(sections)
}

/// For each line with a `BEGIN`, where its `END` is.
fn ends(lines: &[Line<'_>]) -> Vec<Option<usize>> {
    let mut ends = vec![None; lines.len()];
    let mut open = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        match edge(*line) {
            Some((true, _)) => open.push(at),
            Some((false, _)) => {
                let begun = open.pop().and_then(|begun: usize| ends.get_mut(begun));
                begun.map(|end| *end = Some(at)).unwrap_or_default();
            }
            None => {}
        }
    }
    ends
}

/// The path of a component whose properties are fields; `None` if the component is one field.
fn path(kind: Kind, depth: usize, name: &str, lines: &[Line<'_>]) -> Option<String> {
    match (kind, depth) {
        (Kind::VCard, 0) => Some(MAIN.to_owned()),
        (Kind::ICalendar, 0) => Some(CALENDAR.to_owned()),
        (Kind::ICalendar, 1) if is_keyed(name) => match key(name, lines) {
            Some(line) => keyed_path(name, &line.unfolded()),
            None => is_main(name).then(|| MAIN.to_owned()),
        },
        _ => None,
    }
}

/// The key line of a component: a property of its own, not of a component inside.
fn key<'a>(component: &str, lines: &[Line<'a>]) -> Option<Line<'a>> {
    let mut depth = 0_usize;
    lines.iter().copied().find(|line| {
        match edge(*line) {
            Some((true, _)) => depth = depth.saturating_add(1),
            Some((false, _)) => depth = depth.saturating_sub(1),
            None => {}
        }
        let is_key = |header: Header<'_>| header.name.eq_ignore_ascii_case(key_property(component));
        depth == 1 && Header::of(&line.unfolded()).is_some_and(is_key)
    })
}

fn property<'a>(kind: Kind, path: &str, line: Line<'a>) -> Option<Unit<'a>> {
    let text = line.unfolded().into_owned();
    let header = Header::of(&text)?;
    let family = header.family();
    let canonical = header.canonical(Read::of(kind, &text).is_some());
    let is_empty = is_blank_line(kind, &text) && is_text(&text);
    Some(Unit { path: path.to_owned(), family, is_block: false, lines: vec![line], text, canonical, is_empty })
}

fn block<'a>(kind: Kind, path: &str, name: &str, lines: &[Line<'a>]) -> Option<Unit<'a>> {
    let texts: Vec<_> = lines.iter().map(|line| line.unfolded()).filter(|text| !text.is_empty()).collect();
    let mut canonical = Vec::new();
    for text in &texts {
        match Header::of(text) {
            Some(header) => canonical.extend(header.canonical(Read::of(kind, text).is_some())),
            None => canonical.extend(text.to_ascii_uppercase()),
        }
        canonical.push(b'\n');
    }
    let texts: Vec<&[u8]> = texts.iter().map(|text| &**text).collect();
    Some(Unit {
        path: path.to_owned(),
        family: name.to_ascii_uppercase(),
        is_block: true,
        lines: lines.to_vec(),
        is_empty: is_blank_block(kind, &texts) && texts.iter().all(|text| is_text(text)),
        text: texts.join(&b'\n'),
        canonical,
    })
}

/// Whether a layout can keep it.
fn is_text(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).is_ok()
}
