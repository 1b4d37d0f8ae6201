//! The address book under `examples/data`, as an app would hold it: plain structs with serde, and nothing of vCard left.
//!
//! # Element ids
//!
//! A person may have several telephone numbers, so each carries an `id`: it names the element while its content
//! changes, and two replicas that import the same card name it alike. The id is the `PID` that the card gives it, or
//! else a hash of the value as it was when it was read: of a telephone number the digits, of anything else the text in
//! lower case. Its place in the card plays no part, so sorting a card changes nothing. A value that stands twice in one
//! card gets `-2` at its second place. An app keeps the id when a person edits the value; it never computes it again.

#![allow(dead_code, reason = "each user of this module takes a part of it")]

use std::{collections::BTreeSet, fs, io, path::Path};

use calcard::{
    Entry, Parser,
    common::{IanaString, PartialDateTime},
    vcard::{
        VCard, VCardEntry, VCardParameter, VCardParameterName, VCardParameterValue, VCardProperty, VCardType,
        VCardValue,
    },
};
use serde::{Deserialize, Serialize};

/// One person or company.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Contact {
    /// Unique in the whole address book.
    pub(crate) uid: String,
    /// As it is shown, with titles and all.
    pub(crate) name: String,
    pub(crate) given_name: Option<String>,
    pub(crate) family_name: Option<String>,
    pub(crate) nickname: Option<String>,
    pub(crate) phones: Vec<Phone>,
    pub(crate) emails: Vec<Email>,
    pub(crate) addresses: Vec<Address>,
    /// The groups that it is in, each once, sorted.
    pub(crate) groups: Vec<String>,
    /// With its departments: `Kelp & Co., Night Desk`.
    pub(crate) organisation: Option<String>,
    pub(crate) title: Option<String>,
    /// `1984-03-12`, `--03-12` without a year, or `1984`.
    pub(crate) birthday: Option<String>,
    pub(crate) note: Option<String>,
    /// Where the picture is.
    pub(crate) photo: Option<String>,
    /// What this struct has no place for, `X-` properties among it.
    pub(crate) others: Vec<Other>,
}

/// One telephone number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Phone {
    pub(crate) id: String,
    /// `cell`, `home`, `work`, `fax`, `other`, or a person's own label.
    pub(crate) kind: String,
    pub(crate) number: String,
}

/// One mail address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Email {
    pub(crate) id: String,
    /// `home`, `work` or `other`.
    pub(crate) kind: String,
    pub(crate) address: String,
}

/// One postal address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) id: String,
    /// `home`, `work` or `other`.
    pub(crate) kind: String,
    pub(crate) street: String,
    pub(crate) town: String,
    pub(crate) region: String,
    pub(crate) code: String,
    pub(crate) country: String,
}

/// One property that passes through as text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Other {
    pub(crate) id: String,
    /// The property, such as `X-SOCIALPROFILE`.
    pub(crate) name: String,
    pub(crate) value: String,
}

/// Why an address book could not be read. Nothing of it is returned.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("{file} can not be read: {source}")]
    File { file: String, source: io::Error },
    #[error("expected a card, found {found}")]
    NotACard { found: String },
    #[error("card {number} has no {property}")]
    Missing { number: usize, property: &'static str },
}

/// The 320 contacts under `examples/data`, file by file in the order of the names.
pub(crate) fn address_book() -> Result<Vec<Contact>, ReadError> {
    read_folder(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data")))
}

/// Reads all `.vcf` files of a folder.
pub(crate) fn read_folder(folder: &Path) -> Result<Vec<Contact>, ReadError> {
    let failed = |path: &Path, source| ReadError::File { file: path.display().to_string(), source };
    let mut paths = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>())
        .map_err(|error| failed(folder, error))?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "vcf"));
    paths.sort();

    let mut contacts = Vec::new();
    for path in &paths {
        let text = fs::read_to_string(path).map_err(|error| failed(path, error))?;
        contacts.append(&mut read(&text)?);
    }
    Ok(contacts)
}

/// Reads all cards of a text.
pub(crate) fn read(text: &str) -> Result<Vec<Contact>, ReadError> {
    // Strict: a card that is cut short is an error. Read leniently, it would look like a person who lost their numbers.
    let mut parser = Parser::new(text).strict();
    let mut contacts = Vec::new();
    loop {
        match parser.entry() {
            Entry::VCard(card) => {
                let missing = |property| ReadError::Missing { number: contacts.len().saturating_add(1), property };
                let contact = contact(&card).map_err(missing)?;
                contacts.push(contact);
            }
            Entry::Eof => return Ok(contacts),
            found => return Err(ReadError::NotACard { found: format!("{found:?}") }),
        }
    }
}

fn contact(card: &VCard) -> Result<Contact, &'static str> {
    let one = |property| card.property(&property).map(text).filter(|text| !text.is_empty());
    let names = card.property(&VCardProperty::N).map(parts).unwrap_or_default();
    let name_part = |at: usize| names.get(at).filter(|part| !part.is_empty()).cloned();
    let groups: BTreeSet<_> = card.properties(&VCardProperty::Categories).flat_map(parts).collect();
    Ok(Contact {
        uid: one(VCardProperty::Uid).ok_or("UID")?,
        name: one(VCardProperty::Fn).ok_or("FN")?,
        given_name: name_part(1),
        family_name: name_part(0),
        nickname: one(VCardProperty::Nickname),
        phones: elements(card, &VCardProperty::Tel, phone),
        emails: elements(card, &VCardProperty::Email, email),
        addresses: elements(card, &VCardProperty::Adr, address),
        groups: groups.into_iter().collect(),
        organisation: one(VCardProperty::Org),
        title: one(VCardProperty::Title),
        birthday: one(VCardProperty::Bday),
        note: one(VCardProperty::Note),
        photo: one(VCardProperty::Photo),
        others: others(card),
    })
}

fn phone(card: &VCard, entry: &VCardEntry, id: String) -> Phone {
    let number = text(entry).trim_start_matches("tel:").to_owned();
    Phone { id, kind: kind(card, entry), number }
}

fn email(card: &VCard, entry: &VCardEntry, id: String) -> Email {
    Email { id, kind: kind(card, entry), address: text(entry) }
}

fn address(card: &VCard, entry: &VCardEntry, id: String) -> Address {
    // The first two are the box and the extension, which nobody fills in any more.
    let mut parts = parts(entry).into_iter().skip(2);
    let mut next = || parts.next().unwrap_or_default();
    let (street, town, region, code, country) = (next(), next(), next(), next(), next());
    Address { id, kind: kind(card, entry), street, town, region, code, country }
}

fn others(card: &VCard) -> Vec<Other> {
    let mut ids = Ids::default();
    let entries = card.entries.iter().filter(|entry| !has_a_place(entry));
    let other = |entry: &VCardEntry| {
        let (name, value) = (entry.name.as_str().to_owned(), text(entry));
        Other { id: ids.unique(hash(&format!("{name}:{value}"))), name, value }
    };
    entries.map(other).collect()
}

/// Whether a property is in a contact already, or belongs to the file and not to the person.
fn has_a_place(entry: &VCardEntry) -> bool {
    use VCardProperty::{
        Adr, Bday, Begin, Categories, Clientpidmap, Email, End, Fn, N, Nickname, Note, Org, Photo, Prodid, Rev, Tel,
        Title, Uid, Version,
    };
    match &entry.name {
        Adr | Bday | Categories | Email | Fn | N | Nickname | Note | Org | Photo | Tel | Title | Uid => true,
        Begin | Clientpidmap | End | Prodid | Rev | Version => true,
        // In `kind`, by way of its group.
        VCardProperty::Other(name) => name.eq_ignore_ascii_case("X-ABLabel"),
        _ => false,
    }
}

/// All elements of a multi-valued property, each under its own id.
fn elements<T>(card: &VCard, property: &VCardProperty, build: fn(&VCard, &VCardEntry, String) -> T) -> Vec<T> {
    let mut ids = Ids::default();
    card.properties(property).map(|entry| build(card, entry, ids.unique(element_id(entry)))).collect()
}

fn element_id(entry: &VCardEntry) -> String {
    if let Some(pid) = entry.parameters(&VCardParameterName::Pid).find_map(VCardParameterValue::as_text) {
        return pid.to_owned();
    }
    let text = text(entry);
    match entry.name {
        VCardProperty::Tel => hash(&text.chars().filter(char::is_ascii_digit).collect::<String>()),
        _ => hash(&text.to_lowercase()),
    }
}

/// Sees to it that no id of a property is given twice.
#[derive(Default)]
struct Ids {
    given: BTreeSet<String>,
}

impl Ids {
    fn unique(&mut self, id: String) -> String {
        let again = (2_u32..).map(|n| format!("{id}-{n}"));
        let free = std::iter::once(id.clone()).chain(again).find(|id| !self.given.contains(id)).unwrap_or(id);
        self.given.insert(free.clone());
        free
    }
}

/// FNV-1a: short, and the same on every machine. It names elements, and protects nothing.
fn hash(text: &str) -> String {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", text.bytes().fold(0xcbf2_9ce4_8422_2325, step))
}

/// A person's own label, which stands in a neighbouring property of the same group, or else the type.
fn kind(card: &VCard, entry: &VCardEntry) -> String {
    let labels = |other: &&VCardEntry| other.name.as_str().eq_ignore_ascii_case("X-ABLabel");
    let label = entry.group.as_ref().and_then(|group| {
        card.entries.iter().filter(labels).find(|other| other.group.as_ref() == Some(group)).map(text)
    });
    if let Some(label) = label {
        return label.trim_start_matches("_$!<").trim_end_matches(">!$_").to_lowercase();
    }
    let has = |wanted: &VCardType| {
        let is_type = |parameter: &&VCardParameter| parameter.name == VCardParameterName::Type;
        entry.params.iter().filter(is_type).any(|parameter| parameter.value.as_text() == Some(wanted.as_str()))
    };
    let known = [VCardType::Fax, VCardType::Cell, VCardType::Home, VCardType::Work];
    known.iter().find(|kind| has(kind)).map_or_else(|| "other".to_owned(), |kind| kind.as_str().to_lowercase())
}

/// The value as one text; parts are joined by commas.
fn text(entry: &VCardEntry) -> String {
    parts(entry).into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

fn parts(entry: &VCardEntry) -> Vec<String> {
    let mut parts = Vec::new();
    for value in &entry.values {
        match value {
            VCardValue::Text(text) => parts.push(text.clone()),
            VCardValue::Component(texts) => parts.push(texts.join(", ")),
            VCardValue::PartialDateTime(date) => parts.push(day(date)),
            VCardValue::Kind(kind) => parts.push(kind.as_str().to_lowercase()),
            VCardValue::Integer(number) => parts.push(number.to_string()),
            VCardValue::Float(number) => parts.push(number.to_string()),
            VCardValue::Boolean(answer) => parts.push(answer.to_string()),
            // Pictures inside the card, and grammar: not in this address book.
            VCardValue::Binary(_) | VCardValue::Sex(_) | VCardValue::GramGender(_) => {}
        }
    }
    parts
}

/// A day of which the year, or all but the year, may be unknown.
fn day(date: &PartialDateTime) -> String {
    match (date.year, date.month, date.day) {
        (Some(year), Some(month), Some(day)) => format!("{year:04}-{month:02}-{day:02}"),
        (Some(year), Some(month), None) => format!("{year:04}-{month:02}"),
        (Some(year), None, _) => format!("{year:04}"),
        (None, Some(month), Some(day)) => format!("--{month:02}-{day:02}"),
        (None, Some(month), None) => format!("--{month:02}"),
        (None, None, Some(day)) => format!("---{day:02}"),
        (None, None, None) => String::new(),
    }
}
