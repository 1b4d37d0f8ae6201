//! Contact-like records of ten texts under random UUIDs, and the edits that people make to them.

use holdfast::RecordId;

pub(crate) const FIELDS: [&str; 10] =
    ["given", "family", "email", "phone", "org", "title", "street", "city", "country", "note"];
pub(crate) const FAMILIES: [&str; 16] = [
    "Andersson",
    "Baker",
    "Castillo",
    "Dubois",
    "Eriksen",
    "Fischer",
    "García",
    "Huang",
    "Ivanova",
    "Jensen",
    "Kowalski",
    "Lindqvist",
    "Moreau",
    "Nakamura",
    "Okafor",
    "Petrov",
];
const WORDS: [&str; 16] = [
    "met",
    "at",
    "conference",
    "call",
    "after",
    "lunch",
    "prefers",
    "email",
    "school",
    "neighbour",
    "plumber",
    "cousin",
    "project",
    "until",
    "spring",
    "new",
];

/// splitmix64
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    pub(crate) fn id(&mut self) -> RecordId {
        let bits = u128::from(self.next()) << 64 | u128::from(self.next());
        RecordId::new(uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid().to_string()).unwrap()
    }

    /// A new value for a field, as people edit.
    pub(crate) fn value(&mut self, field: usize) -> String {
        if FIELDS[field] == "note" {
            let words = 3 + self.below(6);
            return (0..words).map(|_| WORDS[self.below(16)]).collect::<Vec<_>>().join(" ");
        }
        format!("{} {}", FAMILIES[self.below(16)], self.below(100_000))
    }
}
