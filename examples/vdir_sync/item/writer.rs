//! Fields put together to a file, component by component.

use std::collections::{BTreeMap, BTreeSet};

use holdfast::values::{id::FieldName, value::Value};

use super::{
    Kind,
    content::{Content, is_blank_line},
    fold::{Folds, Style},
    layout::Placed,
    output::Output,
    parts::Parts,
    place::{CALENDAR, MAIN, Place, is_component, is_main, key_line, key_property},
    property::{Header, Role},
    scan::edge_of,
};

/// Lines for what an item that is not taken apart does not have: those for its main component (if it has one), and those
/// for the end of the file.
pub(super) fn additions(
    kind: Kind,
    fields: &BTreeMap<FieldName, Value>,
    style: Style,
    has_main: bool,
) -> (Vec<u8>, Vec<u8>) {
    let mut main = Writer::new(kind, fields, style, &[]);
    if has_main {
        main.rest(MAIN);
    }
    let mut root = Writer::new(kind, fields, style, &[]);
    if has_main {
        root.opened.insert(MAIN);
    }
    if kind == Kind::ICalendar {
        root.rest(CALENDAR);
        root.missing();
    }
    (main.out.finish(), root.out.finish())
}

/// A file that is being put together.
pub(super) struct Writer<'a> {
    pub(super) kind: Kind,
    pub(super) parts: Parts<'a>,
    pub(super) out: Output,
    /// The components that are open, with their names; `None` for one that is passed over.
    pub(super) open: Vec<Option<(&'a str, String)>>,
    pub(super) opened: BTreeSet<&'a str>,
    /// What is left of the component that is being written, last line first.
    pub(super) block: Vec<Vec<u8>>,
    /// Whether there is no layout, so that what every file has is added.
    pub(super) is_canonical: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(kind: Kind, fields: &'a BTreeMap<FieldName, Value>, style: Style, pieces: &[Placed<'a>]) -> Self {
        let parts = Parts::new(kind, fields, pieces);
        let (open, opened, block) = (Vec::new(), BTreeSet::new(), Vec::new());
        Self { kind, parts, out: Output::new(style), open, opened, block, is_canonical: false }
    }

    pub(super) const fn root(&self) -> (&'static str, &'static str) {
        match self.kind {
            Kind::VCard => (MAIN, "VCARD"),
            Kind::ICalendar => (CALENDAR, CALENDAR),
        }
    }

    pub(super) fn open(&mut self, path: &'a str, component: &str, raw: Option<&str>, folds: Option<&Folds>) {
        let begin = format!("BEGIN:{component}");
        self.out.line(raw.unwrap_or(&begin).as_bytes(), folds);
        self.open.push(Some((path, component.to_owned())));
        self.opened.insert(path);
        if self.is_canonical && path == self.root().0 {
            self.usual_heads(path);
        }
        for name in self.parts.heads_of(path) {
            self.field(name, None, None);
        }
        self.keys(path, component);
    }

    /// What every file has.
    fn usual_heads(&mut self, path: &str) {
        let usual: [(&str, &[u8]); 2] = match self.kind {
            Kind::VCard => [("VERSION", b"VERSION:3.0"), ("", b"")],
            Kind::ICalendar => [("VERSION", b"VERSION:2.0"), ("PRODID", b"PRODID:-//holdfast//vdir_sync//EN")],
        };
        for (family, line) in usual.into_iter().filter(|(family, _)| !family.is_empty()) {
            let name = Place { is_quiet: true, path, family, element: None }.name();
            if !self.parts.by_name.contains_key(name.as_str()) {
                self.out.line(line, None);
            }
        }
    }

    /// What tells a component from others. If another edit took its lines away, they are made again.
    fn keys(&mut self, path: &'a str, component: &str) {
        if path == MAIN || path == CALENDAR {
            return;
        }
        let has = |writer: &Self, family| {
            let name = Place { is_quiet: true, path, family, element: None }.name();
            writer.parts.by_name.get(name.as_str()).is_some_and(|part| part.content != Content::Empty)
        };
        if !has(self, key_property(component)) {
            self.out.line(&key_line(path), None);
        }
        if let (true, false, Some(uid)) = (is_main(component), has(self, "UID"), self.parts.uid) {
            self.out.line(uid, None);
        }
    }

    pub(super) fn close(&mut self, raw: Option<&str>, folds: Option<&Folds>) {
        let Some((path, component)) = self.open.pop().flatten() else { return };
        self.rest(path);
        if path == CALENDAR {
            self.missing();
        }
        let edge = raw.and_then(|raw| edge_of(raw.as_bytes()));
        let is_fit = edge.is_some_and(|(is_begin, name)| !is_begin && name.eq_ignore_ascii_case(&component));
        let end = format!("END:{component}");
        self.out.line(raw.filter(|_| is_fit).unwrap_or(&end).as_bytes(), folds.filter(|_| is_fit));
    }

    /// The fields of a component that the layout has no line for.
    fn rest(&mut self, path: &str) {
        for name in self.parts.open_of(path) {
            self.field(name, None, None);
        }
    }

    /// The components that the layout does not know; time zones first.
    fn missing(&mut self) {
        let mut paths: Vec<_> = self.parts.paths().filter(|path| !self.opened.contains(path)).collect();
        paths.sort_by_key(|path| !path.starts_with("VTIMEZONE/"));
        for path in paths.into_iter().filter(|path| *path != CALENDAR) {
            if self.parts.is_alive(path) {
                let component = path.split_once('/').map_or_else(|| self.main_component(), |(name, _)| name);
                self.open(path, component, None, None);
                self.close(None, None);
            }
        }
    }

    fn main_component(&self) -> &'static str {
        let is_todo = self.parts.has_any(&["DUE", "COMPLETED", "PERCENT-COMPLETE"]);
        if is_todo { "VTODO" } else { "VEVENT" }
    }

    /// Writes a field, and before a second property of a kind the first, which has no id.
    pub(super) fn field(&mut self, name: &str, raw: Option<&str>, folds: Option<&Folds>) {
        let Some(part) = self.parts.by_name.get_mut(name).filter(|part| !part.is_done) else { return };
        part.is_done = true;
        let place = part.place;
        let content = part.content.clone();
        if place.element.is_some() && Role::of(self.kind, place.family) != Role::Many {
            self.field(&Place { element: None, ..place }.name(), None, None);
        }
        match content {
            Content::Line(line) => self.out.line(line, folds),
            Content::Block(lines) => lines.into_iter().for_each(|line| self.out.line(line, None)),
            Content::Empty if is_component(&place) => {
                self.out.line(format!("BEGIN:{}", place.family).as_bytes(), None);
                self.out.line(format!("END:{}", place.family).as_bytes(), None);
            }
            Content::Empty => {
                let is_fit = |raw: &&str| {
                    let header = Header::of(raw.as_bytes());
                    let is_same = header.is_some_and(|header| header.family() == place.family);
                    is_same && is_blank_line(self.kind, raw.as_bytes())
                };
                let bare = format!("{}:", place.family);
                self.out.line(raw.filter(is_fit).unwrap_or(&bare).as_bytes(), folds);
            }
        }
    }
}
