//! Made-up people and what they keep, all from one seed.

use super::records::{Appointment, Contact, Edit, Item, Kind, Number, PhotoNote, ToDo};

const GIVEN: [&str; 24] = [
    "Agnes", "Bilal", "Carmen", "Dmitri", "Elif", "Femi", "Greta", "Hugo", "Imani", "Jonas", "Kira", "Liam", "Mina",
    "Noor", "Oskar", "Paula", "Rana", "Samir", "Tove", "Uma", "Viktor", "Wanda", "Yusuf", "Zora",
];
const FAMILY: [&str; 24] = [
    "Adeyemi",
    "Berg",
    "Castillo",
    "Duarte",
    "Eriksen",
    "Fischer",
    "Garcia",
    "Huang",
    "Ivanova",
    "Jensen",
    "Kaya",
    "Lindqvist",
    "Moreau",
    "Nakamura",
    "Okafor",
    "Petrov",
    "Quist",
    "Rossi",
    "Sato",
    "Tanaka",
    "Usman",
    "Vogel",
    "Whitfield",
    "Zhou",
];
const TITLES: [&str; 10] = [
    "Dentist",
    "Choir practice",
    "Parents' evening",
    "Haircut",
    "Ferry",
    "Physio",
    "Bike service",
    "Rehearsal",
    "Vet",
    "Book club",
];
const ERRANDS: [&str; 10] = [
    "Return the library books",
    "Water the tomatoes",
    "Renew the passport",
    "Call the landlord",
    "Fix the gate",
    "Buy stamps",
    "Order firewood",
    "Book the ferry",
    "Mend the red coat",
    "Send the parcel",
];
const SIGHTS: [&str; 10] = [
    "Low tide",
    "The old pier",
    "Grandma's garden",
    "First snow",
    "The new kitten",
    "Market day",
    "Lighthouse",
    "Birthday cake",
    "Fog on the quay",
    "The long bridge",
];
const PLACES: [&str; 8] =
    ["Harbour Street 4", "the town hall", "platform 2", "the school", "Gull Point", "room 12", "the clinic", "home"];
const NOTES: [&str; 8] = [
    "met at the ferry",
    "allergic to nuts",
    "ring twice",
    "has the spare key",
    "back in March",
    "prefers messages",
    "owes us a cake",
    "ask about the boat",
];

/// Chance from a seed: splitmix64.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, and 0 if that is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % end).unwrap_or_default()
    }

    pub(crate) fn bits(&mut self) -> u128 {
        u128::from(self.next()) << 64 | u128::from(self.next())
    }

    /// What an app asks its operating system for.
    pub(crate) fn entropy(&mut self) -> [u8; 32] {
        let mut bits = [0; 32];
        bits.chunks_exact_mut(8).for_each(|chunk| chunk.copy_from_slice(&self.next().to_be_bytes()));
        bits
    }

    fn one_of(&mut self, texts: &[&str]) -> String {
        let at = self.below(texts.len());
        texts.get(at).copied().unwrap_or_default().to_owned()
    }

    fn sometimes(&mut self, texts: &[&str]) -> Option<String> {
        (self.below(3) == 0).then(|| self.one_of(texts))
    }

    fn number(&mut self) -> String {
        format!("+44 20 7946 {:04}", self.below(10_000))
    }

    fn day(&mut self) -> String {
        format!("2009-{:02}-{:02}", 10 + self.below(3), 1 + self.below(28))
    }

    fn time(&mut self) -> String {
        format!("{:02}:{:02}", 8 + self.below(12), 15 * self.below(4))
    }

    /// A new record.
    pub(crate) fn item(&mut self, kind: Kind) -> Item {
        match kind {
            Kind::Contacts => {
                let (given, family) = (self.one_of(&GIVEN), self.one_of(&FAMILY));
                let email = format!("{}@{}.example", given.to_lowercase(), family.to_lowercase());
                let labels = if self.below(3) == 0 { &["cell", "home"][..] } else { &["cell"] };
                let numbers = labels.iter().map(|label| {
                    let id = format!("{:08x}", self.next() >> 32);
                    Number { id, label: (*label).into(), number: self.number() }
                });
                // A sequence comes back in the order of its elements' ids.
                let mut numbers: Vec<_> = numbers.collect();
                numbers.sort_by(|one, other| one.id.cmp(&other.id));
                let (name, note) = (format!("{given} {family}"), self.sometimes(&NOTES));
                Item::Contact(Contact { name, numbers, email: (self.below(2) == 0).then_some(email), note })
            }
            Kind::Appointments => {
                let (title, day, time) = (self.one_of(&TITLES), self.day(), self.time());
                Item::Appointment(Appointment { title, day, time, place: self.sometimes(&PLACES) })
            }
            Kind::ToDos => {
                let (text, due, is_done) = (self.one_of(&ERRANDS), self.day(), self.below(3) == 0);
                Item::ToDo(ToDo { text, due, is_done, note: self.sometimes(&NOTES) })
            }
            Kind::PhotoNotes => {
                let (caption, taken, place) = (self.one_of(&SIGHTS), self.day(), self.sometimes(&PLACES));
                let hash = self.entropy().iter().map(|byte| format!("{byte:02x}")).collect();
                Item::PhotoNote(PhotoNote { caption, taken, place, hash, width: 1600, height: 1200 })
            }
        }
    }

    /// A new value for what a record of this kind is kept for. The serial number makes each one new.
    pub(crate) fn edit(&mut self, kind: Kind, serial: usize) -> Edit {
        Edit::Main(match kind {
            Kind::Contacts => format!("+44 117 {:03} {:04}", serial, self.below(10_000)),
            Kind::Appointments => format!("{} (moved, {serial})", self.time()),
            Kind::ToDos => format!("{} (moved, {serial})", self.day()),
            Kind::PhotoNotes => format!("{}, again ({serial})", self.one_of(&SIGHTS)),
        })
    }

    /// A new note or place.
    pub(crate) fn scribble(&mut self, serial: usize) -> Edit {
        Edit::Side(format!("{} ({serial})", self.one_of(&NOTES)))
    }
}
