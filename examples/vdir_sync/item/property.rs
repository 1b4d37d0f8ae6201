//! One property: its name, its identity, and whether it says anything. All but the name is asked of `calcard`.

use calcard::{
    Entry, Parser,
    common::IanaParse,
    icalendar::{ICalendarComponentType, ICalendarEntry, ICalendarProperty, ICalendarValue, Uri},
    vcard::{VCardEntry, VCardProperty, VCardValue},
};

use super::{Kind, lines::is_quoted_printable};

/// The longest line that `calcard` is given, in bytes, inclusive.
pub(super) const MAX_READ_BYTES: usize = 64 * 1024;
/// The longest name of a property or a component, in bytes, inclusive.
const MAX_NAME_BYTES: usize = 100;

/// A content line, split where the grammar splits it first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header<'a> {
    /// With its dot: `item1.`, or empty.
    group: &'a str,
    pub(super) name: &'a str,
    /// With the semicolon before them, or empty.
    parameters: &'a [u8],
    pub(super) value: &'a [u8],
}

impl<'a> Header<'a> {
    /// `None` for what is no content line, or one that could not be written back.
    pub(super) fn of(line: &'a [u8]) -> Option<Self> {
        if line.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return None;
        }
        let end = line.iter().position(|byte| matches!(byte, b':' | b';'))?;
        let (start, rest) = line.split_at(end);
        let start = str::from_utf8(start).ok()?;
        let (group, name) = match start.find('.') {
            Some(dot) => start.split_at_checked(dot.saturating_add(1))?,
            None => ("", start),
        };
        let is_sound = is_name(name) && (group.is_empty() || is_name(group.strip_suffix('.')?));
        let is_edge = name.eq_ignore_ascii_case("BEGIN") || name.eq_ignore_ascii_case("END");
        // Without its next line, a soft break would swallow another property.
        if !is_sound || is_edge || (line.ends_with(b"=") && is_quoted_printable(line)) {
            return None;
        }
        let (parameters, value) = rest.split_at(colon(rest)?);
        Some(Self { group, name, parameters, value: value.split_first()?.1 })
    }

    /// The name as a family of fields.
    pub(super) fn family(&self) -> String {
        self.name.to_ascii_uppercase()
    }

    /// The line in the one spelling that its id is made from: names of properties and parameters in upper case.
    pub(super) fn canonical(&self, is_understood: bool) -> Vec<u8> {
        let mut canonical = [self.group, self.name].concat().to_ascii_uppercase().into_bytes();
        let (mut is_quoted, mut is_name) = (false, false);
        for byte in self.parameters {
            match byte {
                b'"' => is_quoted = !is_quoted,
                b';' if !is_quoted => is_name = true,
                b'=' => is_name = false,
                _ => {}
            }
            canonical.push(if is_name && is_understood { byte.to_ascii_uppercase() } else { *byte });
        }
        canonical.push(b':');
        canonical.extend_from_slice(self.value);
        canonical
    }

    /// Parameters and value, as they stand.
    pub(super) fn tail(&self) -> Option<(&'a str, &'a str)> {
        Some((str::from_utf8(self.parameters).ok()?, str::from_utf8(self.value).ok()?))
    }
}

/// Whether this can be the name of a property, a group or a component.
pub(super) fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=MAX_NAME_BYTES).contains(&text.len()) && text.bytes().all(is_part)
}

/// The first colon outside of quotes; or the first at all, where a quote is never closed.
fn colon(rest: &[u8]) -> Option<usize> {
    let mut is_quoted = false;
    let unquoted = rest.iter().position(|byte| {
        is_quoted ^= *byte == b'"';
        *byte == b':' && !is_quoted
    });
    unquoted.or_else(|| rest.iter().position(|byte| *byte == b':'))
}

/// How often a property stands in one component, and what for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Once.
    One,
    /// Several times, or unknown: each is an element.
    Many,
    /// Once, and it says nothing about the person or the event.
    Bookkeeping,
}

impl Role {
    pub(super) fn of(kind: Kind, name: &str) -> Self {
        match kind {
            Kind::VCard => VCardProperty::parse(name.as_bytes()).map_or_else(|| other_role(name), |it| card_role(&it)),
            Kind::ICalendar => ICalendarProperty::parse(name.as_bytes()).map_or(Self::Many, |it| calendar_role(&it)),
        }
    }
}

const fn card_role(property: &VCardProperty) -> Role {
    use VCardProperty::{
        Anniversary, Bday, Birthplace, Created, Deathdate, Deathplace, Fn, Gender, Kind, Language, N, Prodid, Rev, Uid,
        Version,
    };
    match property {
        Created | Prodid | Rev | Uid | Version => Role::Bookkeeping,
        // A second FN is rare, and the first is the one that is shown.
        Anniversary | Bday | Birthplace | Deathdate | Deathplace | Fn | Gender | Kind | Language | N => Role::One,
        _ => Role::Many,
    }
}

/// Of vCard 3.0, and not in 4.0.
fn other_role(name: &str) -> Role {
    let single = ["CLASS", "MAILER", "NAME", "SORT-STRING"];
    if single.iter().any(|known| known.eq_ignore_ascii_case(name)) { Role::One } else { Role::Many }
}

const fn calendar_role(property: &ICalendarProperty) -> Role {
    use ICalendarProperty::{
        Calscale, Class, Color, Completed, Created, Description, Dtend, Dtstamp, Dtstart, Due, Duration, Geo,
        LastModified, Location, Method, Organizer, PercentComplete, Priority, Prodid, RecurrenceId, RefreshInterval,
        Rrule, Sequence, Status, Summary, Transp, Tzid, Tzurl, Uid, Url, Version,
    };
    match property {
        Calscale | Created | Dtstamp | LastModified | Method | Prodid | Sequence | Uid | Version => Role::Bookkeeping,
        Class | Color | Completed | Description | Dtend | Dtstart | Due | Duration | Geo | Location | Organizer
        | PercentComplete | Priority | RecurrenceId | RefreshInterval | Rrule | Status | Summary | Transp | Tzid
        | Tzurl | Url => Role::One,
        _ => Role::Many,
    }
}

/// Whether the grammar has a component of this name.
pub(super) fn is_known_component(name: &str) -> bool {
    ICalendarComponentType::parse(name.as_bytes()).is_some()
}

/// What `calcard` reads in one line.
#[derive(Debug)]
pub(super) enum Read {
    VCard(VCardEntry),
    ICalendar(ICalendarEntry),
}

impl Read {
    /// `None` for what is no text, too long, or not understood.
    pub(super) fn of(kind: Kind, line: &[u8]) -> Option<Self> {
        if line.len() > MAX_READ_BYTES {
            return None;
        }
        let line = str::from_utf8(line).ok()?;
        let component = match kind {
            Kind::VCard => "VCARD",
            Kind::ICalendar => "VEVENT",
        };
        match Parser::new(&format!("BEGIN:{component}\n{line}\nEND:{component}\n")).entry() {
            Entry::VCard(card) => <[_; 1]>::try_from(card.entries).ok().map(|[entry]| Self::VCard(entry)),
            Entry::ICalendar(calendar) => {
                let [component] = <[_; 1]>::try_from(calendar.components).ok()?;
                <[_; 1]>::try_from(component.entries).ok().map(|[entry]| Self::ICalendar(entry))
            }
            _ => None,
        }
    }

    /// The texts of the value, unescaped; `None` if it is anything but text.
    pub(super) fn texts(&self) -> Option<Vec<&str>> {
        match self {
            Self::VCard(entry) => {
                let texts = entry.values.iter().map(|value| match value {
                    VCardValue::Text(text) => Some(vec![text.as_str()]),
                    VCardValue::Component(texts) => Some(texts.iter().map(String::as_str).collect()),
                    _ => None,
                });
                texts.collect::<Option<Vec<_>>>().map(|texts| texts.concat())
            }
            Self::ICalendar(entry) => {
                let text = |value| match value {
                    &ICalendarValue::Text(ref text) | &ICalendarValue::Uri(Uri::Location(ref text)) => Some(&**text),
                    _ => None,
                };
                entry.values.iter().map(text).collect()
            }
        }
    }
}

/// Whether a property says nothing: `TEL;TYPE=home:`, `N:;;;;`.
pub(super) fn is_blank(header: &Header<'_>, read: Option<&Read>) -> bool {
    let is_separators = header.value.iter().all(|byte| matches!(byte, b' ' | b'\t' | b';' | b','));
    let texts = read.and_then(Read::texts);
    is_separators || texts.is_some_and(|texts| !texts.is_empty() && texts.iter().all(|text| text.trim().is_empty()))
}

/// Of a line, the text for people, its parts joined; `None` if there is none.
pub(super) fn display(kind: Kind, line: &[u8]) -> Option<String> {
    let read = Read::of(kind, line)?;
    let texts = read.texts()?;
    let parts: Vec<_> = texts.into_iter().map(str::trim).filter(|text| !text.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// 16 hexadecimal digits that depend on nothing but the content.
pub(super) fn id_of(canonical: &[u8]) -> String {
    blake3::hash(canonical).to_hex().chars().take(16).collect()
}
