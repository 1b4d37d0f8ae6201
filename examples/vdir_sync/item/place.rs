//! Where a field stands: its component, and its property there.
//!
//! ```text
//! FN                       the one property of this name in the card or the main component
//! TEL/<id>                 one of several
//! VALARM/<id>              a component inside of it, as a block of lines
//! VEVENT/<when>/SUMMARY    of the occurrence that was moved or changed
//! ~VTIMEZONE/<zone>/TZURL  of a time zone
//! VCALENDAR/NAME/<id>      of the calendar around all of them
//! ```
//!
//! A leading `~` is on what says nothing about the person or the event. An id of `empty` is on what says nothing at all.

use super::{
    ITEM, Kind,
    property::{Header, Role, is_known_component, is_name},
};

/// The calendar around the components.
pub(super) const CALENDAR: &str = "VCALENDAR";
/// A component in which no key can be found.
pub(super) const MAIN: &str = "";
/// The id of what is present and empty.
pub(super) const EMPTY: &str = "empty";
/// The longest key of a component, in bytes, inclusive.
const MAX_KEY_BYTES: usize = 100;

/// What the name of a field says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place<'a> {
    /// The name begins with `~`.
    pub(super) is_quiet: bool,
    /// [`MAIN`], [`CALENDAR`], or the name of a component with its key.
    pub(super) path: &'a str,
    pub(super) family: &'a str,
    pub(super) element: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// `None` for a name that no item gives.
    pub(super) fn of(kind: Kind, name: &'a str) -> Option<Self> {
        let (is_quiet, name) = name.strip_prefix('~').map_or((false, name), |name| (true, name));
        let (path, property) = match kind {
            Kind::VCard => (MAIN, name),
            Kind::ICalendar => split(name),
        };
        let (family, element) = match property.split_once('/') {
            Some((family, element)) => (family, Some(element)),
            None => (property, None),
        };
        let is_sound = is_name(family) && !family.bytes().any(|byte| byte.is_ascii_lowercase());
        let is_whole = element.is_none_or(|element| !element.contains('/'));
        (is_sound && is_whole && name != ITEM).then_some(Self { is_quiet, path, family, element })
    }

    pub(super) fn name(&self) -> String {
        let quiet = if self.is_quiet { "~" } else { "" };
        let path = if self.path == MAIN { String::new() } else { format!("{}/", self.path) };
        let element = self.element.map(|element| format!("/{element}")).unwrap_or_default();
        format!("{quiet}{path}{}{element}", self.family)
    }
}

fn split(name: &str) -> (&str, &str) {
    let Some((first, rest)) = name.split_once('/') else { return (MAIN, name) };
    if first == CALENDAR {
        return (CALENDAR, rest);
    }
    let Some((key, property)) = rest.split_once('/') else { return (MAIN, name) };
    if !is_keyed(first) {
        return (MAIN, name);
    }
    let end = first.len().saturating_add(key.len()).saturating_add(1);
    name.split_at_checked(end).map_or((MAIN, name), |(path, _)| (path, property))
}

/// Whether components of this name are told apart by a key.
pub(super) fn is_keyed(component: &str) -> bool {
    is_main(component) || component == "VTIMEZONE"
}

/// Whether a component of this name is what a calendar file is about.
pub(super) fn is_main(component: &str) -> bool {
    matches!(component, "VEVENT" | "VTODO" | "VJOURNAL")
}

/// The property that a component has its key from.
pub(super) fn key_property(component: &str) -> &'static str {
    if component == "VTIMEZONE" { "TZID" } else { "RECURRENCE-ID" }
}

/// The path of the component that has this key line; `None` if the line could not be made again from it.
pub(super) fn keyed_path(component: &str, line: &[u8]) -> Option<String> {
    let header = Header::of(line)?;
    let (parameters, value) = header.tail()?;
    let is_sound = |text: &str| !text.chars().any(|c| c.is_control() || c == '|');
    let key = match parameters.strip_prefix(';') {
        Some(parameters) if component != "VTIMEZONE" => format!("{parameters}:{value}"),
        _ => value.to_owned(),
    };
    let path = format!("{component}/{}", key.replace('/', "|"));
    let is_short = (1..=MAX_KEY_BYTES).contains(&key.len());
    let line = [header.name.as_bytes(), parameters.as_bytes(), b":", value.as_bytes()].concat();
    let is_same = component == "VTIMEZONE" || key_line(&path).eq_ignore_ascii_case(&line);
    (is_sound(&key) && is_short && is_same).then_some(path)
}

/// The key line that a path stands for.
pub(super) fn key_line(path: &str) -> Vec<u8> {
    let (component, key) = path.split_once('/').unwrap_or((path, ""));
    let is_bare = component == "VTIMEZONE" || !key.contains(':');
    let separator = if is_bare { ":" } else { ";" };
    format!("{}{separator}{}", key_property(component), key.replace('|', "/")).into_bytes()
}

/// Whether a property says nothing about the person or the event: the program's own, the key of its component, and all
/// of a time zone, which every program writes in its own words.
pub(super) fn is_quiet(kind: Kind, path: &str, family: &str) -> bool {
    let component = path.split_once('/').map(|(component, _)| component);
    let is_key = component.is_some_and(|component| key_property(component) == family);
    component == Some("VTIMEZONE") || is_key || Role::of(kind, family) == Role::Bookkeeping
}

/// Whether what says nothing in this place is a component.
pub(super) fn is_component(place: &Place<'_>) -> bool {
    place.element.is_some() && is_known_component(place.family)
}
