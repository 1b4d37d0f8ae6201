//! What people keep: four kinds of record as an app has them, and the edits that people make.

use std::{collections::BTreeMap, fmt};

use holdfast::{CollectionId, Guard, IdError, Limits, Shape};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The four collections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Contacts,
    Appointments,
    ToDos,
    PhotoNotes,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Contacts, Self::Appointments, Self::ToDos, Self::PhotoNotes];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Appointments => "appointments",
            Self::ToDos => "to-dos",
            Self::PhotoNotes => "photo notes",
        }
    }

    pub(crate) fn collection(self) -> Result<CollectionId, IdError> {
        CollectionId::new(self.name().replace(' ', "-"))
    }

    /// How many a household with so many contacts has. At least one.
    pub(crate) fn share(self, contacts: usize) -> usize {
        let share = match self {
            Self::Contacts => contacts,
            Self::Appointments => contacts / 2,
            Self::ToDos => contacts / 3,
            Self::PhotoNotes => contacts / 4,
        };
        share.max(1)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Contact {
    pub(crate) name: String,
    pub(crate) numbers: Vec<Number>,
    pub(crate) email: Option<String>,
    pub(crate) note: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Number {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) number: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Appointment {
    pub(crate) title: String,
    pub(crate) day: String,
    pub(crate) time: String,
    pub(crate) place: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ToDo {
    pub(crate) text: String,
    pub(crate) due: String,
    pub(crate) is_done: bool,
    pub(crate) note: Option<String>,
}

/// What is kept about a photo. The picture itself lies elsewhere, under its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PhotoNote {
    pub(crate) caption: String,
    pub(crate) taken: String,
    pub(crate) place: Option<String>,
    pub(crate) hash: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// A record of any kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    Contact(Contact),
    Appointment(Appointment),
    ToDo(ToDo),
    PhotoNote(PhotoNote),
}

/// Names a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) kind: Kind,
    pub(crate) id: String,
}

/// What a phone or a server has.
pub(crate) type Contents = BTreeMap<Key, Item>;

/// What a person changes of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Edit {
    /// What it is kept for: a number, a time, a due day, a caption.
    Main(String),
    /// What is scribbled beside: a note or a place.
    Side(String),
}

/// A struct that is kept in a collection.
pub(crate) trait Kept: Clone + Serialize + DeserializeOwned {
    fn apply(&mut self, edit: &Edit);
    fn into_item(self) -> Item;
}

impl Kept for Contact {
    fn apply(&mut self, edit: &Edit) {
        match edit {
            Edit::Main(number) => {
                self.numbers.iter_mut().take(1).for_each(|first| first.number.clone_from(number));
            }
            Edit::Side(note) => self.note = Some(note.clone()),
        }
    }

    fn into_item(self) -> Item {
        Item::Contact(self)
    }
}

impl Kept for Appointment {
    fn apply(&mut self, edit: &Edit) {
        match edit {
            Edit::Main(time) => self.time.clone_from(time),
            Edit::Side(place) => self.place = Some(place.clone()),
        }
    }

    fn into_item(self) -> Item {
        Item::Appointment(self)
    }
}

impl Kept for ToDo {
    fn apply(&mut self, edit: &Edit) {
        match edit {
            Edit::Main(due) => self.due.clone_from(due),
            Edit::Side(note) => self.note = Some(note.clone()),
        }
    }

    fn into_item(self) -> Item {
        Item::ToDo(self)
    }
}

impl Kept for PhotoNote {
    fn apply(&mut self, edit: &Edit) {
        match edit {
            Edit::Main(caption) => self.caption.clone_from(caption),
            Edit::Side(place) => self.place = Some(place.clone()),
        }
    }

    fn into_item(self) -> Item {
        Item::PhotoNote(self)
    }
}

impl Item {
    pub(crate) fn title(&self) -> &str {
        match self {
            Self::Contact(contact) => &contact.name,
            Self::Appointment(appointment) => &appointment.title,
            Self::ToDo(to_do) => &to_do.text,
            Self::PhotoNote(photo) => &photo.caption,
        }
    }

    pub(crate) fn apply(&mut self, edit: &Edit) {
        match self {
            Self::Contact(contact) => contact.apply(edit),
            Self::Appointment(appointment) => appointment.apply(edit),
            Self::ToDo(to_do) => to_do.apply(edit),
            Self::PhotoNote(photo) => photo.apply(edit),
        }
    }
}

/// How the structs map to fields: a contact's numbers one by one, all else as it stands.
pub(crate) fn shape() -> Shape {
    Shape::new().elements("numbers", "id")
}

/// A contact without a name is as good as lost, so the guard is told which field that is.
pub(crate) fn guard() -> Result<Guard, IdError> {
    let mut guard = Guard::default();
    for (kind, identifying) in [(Kind::Contacts, "name"), (Kind::Appointments, "title"), (Kind::ToDos, "text")] {
        let limits = Limits { identifying: Some(identifying.into()), ..Limits::STANDARD };
        guard = guard.with_collection(kind.collection()?, &limits);
    }
    Ok(guard)
}
