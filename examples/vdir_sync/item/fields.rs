//! An item taken apart into fields.

use std::collections::{BTreeMap, BTreeSet};

use holdfast::values::{id::FieldName, value::Value};

use super::{
    Kind,
    fold::{Folds, Style},
    layout::{self, Encoder, Piece},
    lines::{Line, Lines},
    place::{EMPTY, Place, is_quiet},
    property::{Role, id_of},
    scan::MARK,
    sections::{Section, Unit, sections},
};

/// The fields of a complete item; `None` if it has a shape that these can not express.
pub(super) fn apart(kind: Kind, bytes: &[u8]) -> Option<BTreeMap<FieldName, Value>> {
    let text = bytes.strip_prefix(MARK);
    let lines: Vec<_> = Lines::new(text.unwrap_or(bytes)).collect();
    let style = Style::of(&lines, text.is_some());
    let sections = sections(kind, &lines)?;
    let units: Vec<_> = sections.iter().filter_map(unit).collect();
    let names = names(kind, &units);
    let layout = layout_of(style, &sections, &names)?;
    let mut fields = BTreeMap::from([(FieldName::new(layout::FIELD).ok()?, Value::Text(layout))]);
    for (name, unit) in names.into_iter().zip(units) {
        let is_first = fields.insert(FieldName::new(name).ok()?, value(unit)).is_none();
        is_first.then_some(())?;
    }
    Some(fields)
}

const fn unit<'s, 'a>(section: &'s Section<'a>) -> Option<&'s Unit<'a>> {
    match section {
        Section::Unit(unit) => Some(unit),
        Section::Blank(_) | Section::Open { .. } | Section::Close { .. } => None,
    }
}

fn value(unit: &Unit<'_>) -> Value {
    if unit.is_empty {
        return Value::Null;
    }
    String::from_utf8(unit.text.clone()).map_or_else(|error| Value::Bytes(error.into_bytes()), Value::Text)
}

/// The names of the fields, one for each unit. They depend on the content alone, and not on its order; but of several
/// properties where there should be one, the first is the one.
fn names(kind: Kind, units: &[&Unit<'_>]) -> Vec<String> {
    let mut names = vec![String::new(); units.len()];
    let mut seen: BTreeSet<Place<'_>> = BTreeSet::new();
    let mut alike: BTreeMap<String, Vec<(&Unit<'_>, &mut String)>> = BTreeMap::new();
    for (unit, name) in units.iter().copied().zip(&mut names) {
        let is_quiet = is_quiet(kind, &unit.path, &unit.family);
        let place = Place { is_quiet, path: &unit.path, family: &unit.family, element: None };
        let is_single = !unit.is_block && Role::of(kind, &unit.family) != Role::Many;
        if is_single && seen.insert(place) {
            *name = place.name();
        } else {
            let id = if unit.is_empty { EMPTY.to_owned() } else { id_of(&unit.canonical) };
            alike.entry(Place { element: Some(&id), ..place }.name()).or_default().push((unit, name));
        }
    }
    for (first, mut group) in alike {
        group.sort_by(|(a, _), (b, _)| a.text.cmp(&b.text));
        for (number, (_, name)) in (1_usize..).zip(group) {
            *name = if number == 1 { first.clone() } else { format!("{first}-{number}") };
        }
    }
    names
}

fn layout_of(style: Style, sections: &[Section<'_>], names: &[String]) -> Option<String> {
    let mut names = names.iter();
    let mut encoder = Encoder::new(style);
    for section in sections {
        match section {
            Section::Blank(line) => encoder.push(&Piece::Blank, Folds::of(*line, style).as_ref()),
            Section::Open { path, line } => {
                let raw = str::from_utf8(line.first()).ok()?;
                encoder.push(&Piece::Open { path, raw }, Folds::of(*line, style).as_ref());
            }
            Section::Close { line } => {
                let raw = str::from_utf8(line.first()).ok()?;
                encoder.push(&Piece::Close { raw }, Folds::of(*line, style).as_ref());
            }
            Section::Unit(unit) => lay_out(unit, names.next()?, style, &mut encoder)?,
        }
    }
    Some(encoder.finish())
}

fn lay_out(unit: &Unit<'_>, name: &str, style: Style, encoder: &mut Encoder) -> Option<()> {
    let mut push = |piece: &Piece<'_>, line: Line<'_>| encoder.push(piece, Folds::of(line, style).as_ref());
    if !unit.is_block {
        let line = unit.lines.first().copied()?;
        match unit.is_empty {
            true => push(&Piece::Empty { name, raw: str::from_utf8(&unit.text).ok()? }, line),
            false => push(&Piece::Line { name }, line),
        }
        return Some(());
    }
    encoder.push(&Piece::Block { name }, None);
    for line in &unit.lines {
        let text = line.unfolded();
        let piece = match unit.is_empty {
            _ if text.is_empty() => Piece::Blank,
            true => Piece::Part { raw: Some(str::from_utf8(&text).ok()?) },
            false => Piece::Part { raw: None },
        };
        encoder.push(&piece, Folds::of(*line, style).as_ref());
    }
    Some(())
}
