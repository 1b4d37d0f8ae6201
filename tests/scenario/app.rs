//! The app in the scenarios: its own structs, and how a line of a scenario writes them.

use std::collections::BTreeMap;

use holdfast::values::{
    record::Record,
    register::{Register, Show},
    shape::Shape,
    value::Value,
};
use serde::{Deserialize, Serialize};

/// The app's record. Every field may be absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Contact {
    name: Option<String>,
    note: Option<String>,
    org: Option<String>,
    city: Option<String>,
    born: Option<String>,
    photo: Option<String>,
    tel: Vec<Element>,
    mail: Vec<Element>,
}

/// The same record in an app of last year: it knows of no more than this.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OldContact {
    name: Option<String>,
    tel: Vec<Element>,
}

/// One element of a family.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Element {
    id: String,
    value: String,
}

/// Both apps' shape.
pub fn shape() -> Shape {
    Shape::new().elements("tel", "id").elements("mail", "id")
}

/// What a person types into a form: `tel/home=1`, `note=-` to clear, `note=""` to blank, `*` for the record's own id.
pub trait Form {
    fn set(&mut self, field: &str, value: Option<String>) -> Result<(), String>;

    fn fill(&mut self, record: &str, words: &[&str]) -> Result<(), String> {
        for word in words {
            let (field, value) = word.split_once('=').ok_or_else(|| format!("a field: '{word}'"))?;
            let value = match value {
                "-" => None,
                "\"\"" => Some(String::new()),
                "" => return Err(format!("a value: '{word}'")),
                text => Some(text.replace('*', record)),
            };
            self.set(field, value)?;
        }
        Ok(())
    }
}

fn set_element(family: &mut Vec<Element>, id: &str, value: Option<String>) {
    family.retain(|element| element.id != id);
    family.extend(value.map(|value| Element { id: id.into(), value }));
}

impl Form for Contact {
    fn set(&mut self, field: &str, value: Option<String>) -> Result<(), String> {
        match field.split_once('/') {
            Some(("tel", id)) => set_element(&mut self.tel, id, value),
            Some(("mail", id)) => set_element(&mut self.mail, id, value),
            Some(_) => return Err(format!("a field of the app: '{field}'")),
            None => {
                *match field {
                    "name" => &mut self.name,
                    "note" => &mut self.note,
                    "org" => &mut self.org,
                    "city" => &mut self.city,
                    "born" => &mut self.born,
                    "photo" => &mut self.photo,
                    _ => return Err(format!("a field of the app: '{field}'")),
                } = value;
            }
        }
        Ok(())
    }
}

impl Form for OldContact {
    fn set(&mut self, field: &str, value: Option<String>) -> Result<(), String> {
        match field.split_once('/') {
            Some(("tel", id)) => set_element(&mut self.tel, id, value),
            None if field == "name" => self.name = value,
            _ => return Err(format!("a field of the old app: '{field}'")),
        }
        Ok(())
    }
}

/// A record as a scenario writes it: every field, what is shown first, then what else survives.
pub fn written(record: &Record) -> String {
    let in_conflict = record.fields().values().any(Register::is_conflict);
    let fields = record.fields().iter().map(|(name, register)| format!("{name}={}", values(register)));
    let marks = [(in_conflict, "(conflict)"), (record.is_thin(), "(thin)")];
    let marks = marks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| mark.to_owned());
    fields.chain(marks).collect::<Vec<_>>().join(" ")
}

fn values(register: &Register<Value>) -> String {
    let shown = register.shown(Show::Latest);
    let all: BTreeMap<String, bool> = register
        .siblings()
        .iter()
        .map(|sibling| (text(&sibling.value), Some(&sibling.value) == shown))
        .fold(BTreeMap::new(), |mut all, (text, is_shown)| {
            *all.entry(text).or_default() |= is_shown;
            all
        });
    let part = |shown: bool| all.iter().filter(move |(_, is_shown)| **is_shown == shown).map(|(text, _)| text.as_str());
    part(true).chain(part(false)).collect::<Vec<_>>().join("|")
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) if text.is_empty() => "\"\"".into(),
        Value::Text(text) => text.clone(),
        Value::Map(map) if map.len() == 1 => map.get("value").map_or_else(|| format!("{map:?}"), text),
        other => format!("{other:?}"),
    }
}
