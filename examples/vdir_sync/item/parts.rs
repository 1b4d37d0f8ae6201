//! The fields of an item, sorted by component for writing.

use std::collections::{BTreeMap, BTreeSet};

use holdfast::values::{id::FieldName, value::Value};

use super::{
    Kind,
    content::Content,
    layout::{Piece, Placed},
    place::{CALENDAR, MAIN, Place, is_component, is_main},
    property::Header,
};

/// One field that has a place in the file.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) place: Place<'a>,
    pub(super) content: Content<'a>,
    /// Whether it is written.
    pub(super) is_done: bool,
}

impl Part<'_> {
    /// A calendar file is about one UID; what has another is of another item.
    fn has_no_uid_but(&self, uid: &[u8]) -> bool {
        let value = |line| {
            Header::of(line).filter(|header| header.name.eq_ignore_ascii_case("UID")).map(|it| it.value.trim_ascii())
        };
        let is_other = |line| value(line).is_some_and(|other| value(uid) != Some(other));
        match &self.content {
            Content::Empty => true,
            Content::Line(line) => self.place.path == CALENDAR || !is_other(line),
            Content::Block(lines) => self.place.path != CALENDAR || !lines.iter().any(|line| is_other(line)),
        }
    }
}

/// The UID of the main component, or else the first there is.
fn uid<'a>(parts: &BTreeMap<&'a str, Part<'a>>) -> Option<&'a [u8]> {
    let is_uid = |part: &&Part<'a>| part.place.family == "UID" && part.place.path != CALENDAR;
    parts.get("~UID").into_iter().chain(parts.values().filter(is_uid)).find_map(|part| match part.content {
        Content::Line(line) => Some(line),
        Content::Empty | Content::Block(_) => None,
    })
}

/// All of them.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) by_name: BTreeMap<&'a str, Part<'a>>,
    by_path: BTreeMap<&'a str, Vec<&'a str>>,
    /// What the layout has a line for.
    listed: BTreeSet<&'a str>,
    /// The line with the UID that all components of a calendar share.
    pub(super) uid: Option<&'a [u8]>,
}

impl<'a> Parts<'a> {
    /// Leaves out what is not fit for a file.
    pub(super) fn new(kind: Kind, fields: &'a BTreeMap<FieldName, Value>, pieces: &[Placed<'a>]) -> Self {
        let part = |(name, value): (&'a FieldName, &'a Value)| {
            let place = Place::of(kind, name.as_str())?;
            Some((name.as_str(), Part { place, content: Content::of(kind, &place, value)?, is_done: false }))
        };
        let mut by_name: BTreeMap<_, _> = fields.iter().filter_map(part).collect();
        let uid = uid(&by_name);
        if let Some(uid) = uid.filter(|_| kind == Kind::ICalendar) {
            by_name.retain(|_, part| part.has_no_uid_but(uid));
        }
        let mut by_path: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (name, part) in &by_name {
            by_path.entry(part.place.path).or_default().push(*name);
        }
        let listed = pieces.iter().filter_map(|(piece, _)| match piece {
            Piece::Line { name } | Piece::Empty { name, .. } | Piece::Block { name } => Some(*name),
            Piece::Blank | Piece::Open { .. } | Piece::Close { .. } | Piece::Part { .. } => None,
        });
        Self { by_name, by_path, listed: listed.collect(), uid }
    }

    /// The fields of a component that are not written yet, by name.
    pub(super) fn open_of(&self, path: &str) -> Vec<&'a str> {
        let names = self.by_path.get(path).map(Vec::as_slice).unwrap_or_default();
        names.iter().copied().filter(|name| self.by_name.get(name).is_some_and(|part| !part.is_done)).collect()
    }

    /// Those that come first in a component: bookkeeping that the layout has no line for, the version first of all.
    pub(super) fn heads_of(&self, path: &str) -> Vec<&'a str> {
        let is_head = |name: &&str| name.starts_with('~') && !self.listed.contains(name);
        let mut heads: Vec<_> = self.open_of(path).into_iter().filter(is_head).collect();
        let rank = |name: &&str| (!name.ends_with("VERSION"), !name.ends_with("PRODID"));
        heads.sort_by_key(rank);
        heads
    }

    /// Whether there is enough of a component for it to be written. An occurrence, or a main component beside some, is
    /// gone when only its bookkeeping is left.
    pub(super) fn is_alive(&self, path: &str) -> bool {
        let names = self.by_path.get(path).map(Vec::as_slice).unwrap_or_default();
        let has_content = names.iter().any(|name| !name.starts_with('~'));
        let has_block = || {
            let mut parts = names.iter().filter_map(|name| self.by_name.get(name));
            parts.any(|part| match part.content {
                Content::Block(_) => true,
                Content::Empty => is_component(&part.place),
                Content::Line(_) => false,
            })
        };
        match path {
            CALENDAR => true,
            MAIN => has_content || (!names.is_empty() && !self.paths().any(|path| path != MAIN && self.is_event(path))),
            _ if path.starts_with("VTIMEZONE/") => has_block(),
            _ => has_content,
        }
    }

    fn is_event(&self, path: &str) -> bool {
        let component = path.split_once('/').map_or("", |(component, _)| component);
        is_main(component) && self.is_alive(path)
    }

    /// The components that have fields.
    pub(super) fn paths(&self) -> impl Iterator<Item = &'a str> + use<'a, '_> {
        self.by_path.keys().copied()
    }

    /// Whether any of these families is in the main component.
    pub(super) fn has_any(&self, families: &[&str]) -> bool {
        let names = self.by_path.get(MAIN).map(Vec::as_slice).unwrap_or_default();
        names.iter().any(|name| families.contains(name))
    }
}
