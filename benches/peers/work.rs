//! Deterministic synthetic workload: contact-like records and edit scripts.
use serde::{Deserialize, Serialize};
use std::hash::{DefaultHasher, Hash, Hasher};

pub type Id = [u8; 16];
pub const NF: usize = 10;
pub const FIELDS: [&str; NF] =
    ["given", "family", "email", "phone", "org", "title", "street", "city", "country", "note"];

/// splitmix64
#[derive(Clone)]
pub struct Rng(pub u64);
impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E3779B97F4A7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58476D1CE4E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D049BB133111EB);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rec {
    pub id: Id,
    pub mtime: u64,
    pub f: [String; NF],
}

pub fn uuid_str(id: &Id) -> String {
    let mut s = String::with_capacity(36);
    const H: &[u8; 16] = b"0123456789abcdef";
    for (i, b) in id.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            s.push('-');
        }
        s.push(H[(b >> 4) as usize] as char);
        s.push(H[(b & 15) as usize] as char);
    }
    s
}
pub fn content_digest<'a>(id: &Id, fields: impl Iterator<Item = &'a str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    fields.for_each(|field| field.hash(&mut hasher));
    hasher.finish()
}
pub fn rec_digest(r: &Rec) -> u64 {
    content_digest(&r.id, r.f.iter().map(|s| s.as_str()))
}

const GIVEN: [&str; 16] = [
    "Anna", "Björn", "Chloé", "Dmitri", "Elena", "Farid", "Grace", "Hiro", "Ines", "João", "Karin", "Luis", "Mei",
    "Nadia", "Oskar", "Priya",
];
const FAMILY: [&str; 16] = [
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
const CITY: [&str; 8] =
    ["Stockholm", "Buenos Aires", "Kyoto", "Lisbon", "Nairobi", "Montréal", "Gdańsk", "San Antonio"];
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

pub fn new_id(r: &mut Rng) -> Id {
    let mut id = [0u8; 16];
    id[..8].copy_from_slice(&r.next().to_le_bytes());
    id[8..].copy_from_slice(&r.next().to_le_bytes());
    id[6] = (id[6] & 0x0f) | 0x40;
    id[8] = (id[8] & 0x3f) | 0x80;
    id
}
fn note(r: &mut Rng) -> String {
    let k = 3 + r.below(6);
    (0..k).map(|_| WORDS[r.below(16)]).collect::<Vec<_>>().join(" ")
}
pub fn new_rec(r: &mut Rng, mtime: u64) -> Rec {
    let id = new_id(r);
    let (g, fa, c) = (GIVEN[r.below(16)], FAMILY[r.below(16)], CITY[r.below(8)]);
    let f = [
        g.into(),
        fa.into(),
        format!("{}.{}{}@example.com", g, fa, r.below(10000)),
        format!("+{} {:03} {:06}", 1 + r.below(99), r.below(1000), r.below(1000000)),
        format!("{} & Co {}", FAMILY[r.below(16)], r.below(1000)),
        "Manager".into(),
        format!("{} {} Street", 1 + r.below(400), FAMILY[r.below(16)]),
        c.into(),
        "SE".into(),
        note(r),
    ];
    Rec { id, mtime, f }
}
pub fn generate(n: usize, seed: u64) -> Vec<Rec> {
    let mut r = Rng(seed);
    (0..n).map(|i| new_rec(&mut r, 1_700_000_000_000 + i as u64 * 7)).collect()
}

#[derive(Clone, Debug)]
pub enum Edit {
    Set { id: Id, field: usize, val: String, mtime: u64 },
    Put(Rec),
    Del { id: Id, mtime: u64 },
}

/// Keeps the ids that are alive, so that later steps edit live records.
pub struct Script {
    pub alive: Vec<Id>,
    pub rng: Rng,
    pub now: u64,
}
impl Script {
    pub fn new(recs: &[Rec], seed: u64) -> Self {
        Script { alive: recs.iter().map(|r| r.id).collect(), rng: Rng(seed), now: 1_800_000_000_000 }
    }
    fn val(&mut self, field: usize) -> String {
        match field {
            9 => note(&mut self.rng),
            3 => format!("+{} {:09}", 1 + self.rng.below(99), self.rng.below(1_000_000_000)),
            _ => format!("{} {}", FAMILY[self.rng.below(16)], self.rng.below(100000)),
        }
    }
    /// d changes per side: 90% single-field edits, 5% inserts, 5% deletes; about 5% of d are
    /// records that both sides edit (half of them in the same field).
    pub fn step(&mut self, d: usize) -> (Vec<Edit>, Vec<Edit>) {
        let n = self.alive.len();
        let confl = if d >= 10 { (d / 20).max(1) } else { 0 };
        let ins = d / 20;
        let del = d / 20;
        let set = d - ins - del - confl;
        // choose distinct live records: conflicts + 2*set + 2*del
        let need = (confl + 2 * set + 2 * del).min(n);
        for i in 0..need {
            let j = i + self.rng.below(n - i);
            self.alive.swap(i, j);
        }
        let mut pick: Vec<Id> = self.alive[..need].to_vec();
        let (mut a, mut b) = (Vec::new(), Vec::new());
        let mut mt = || {
            self.now += 3;
            self.now
        };
        let mut clocks: Vec<u64> = (0..2 * d + 4).map(|_| mt()).collect();
        for k in 0..confl {
            let id = pick.pop().unwrap();
            let fa = self.rng.below(NF);
            let fb = if k % 2 == 0 { fa } else { (fa + 1) % NF };
            let (va, vb) = (self.val(fa), self.val(fb));
            a.push(Edit::Set { id, field: fa, val: va, mtime: clocks.pop().unwrap() });
            b.push(Edit::Set { id, field: fb, val: vb, mtime: clocks.pop().unwrap() });
        }
        let mut gone = Vec::new();
        for side in [&mut a, &mut b] {
            for _ in 0..set {
                if let Some(id) = pick.pop() {
                    let field = self.rng.below(NF);
                    let val = match field {
                        9 => note(&mut self.rng),
                        _ => format!("{} {}", FAMILY[self.rng.below(16)], self.rng.below(100000)),
                    };
                    side.push(Edit::Set { id, field, val, mtime: clocks.pop().unwrap() });
                }
            }
            for _ in 0..del {
                if let Some(id) = pick.pop() {
                    gone.push(id);
                    side.push(Edit::Del { id, mtime: clocks.pop().unwrap() });
                }
            }
        }
        let dead: std::collections::HashSet<Id> = gone.into_iter().collect();
        self.alive.retain(|i| !dead.contains(i));
        for side in [&mut a, &mut b] {
            for _ in 0..ins {
                let r = new_rec(&mut self.rng, clocks.pop().unwrap());
                self.alive.push(r.id);
                side.push(Edit::Put(r));
            }
            // shuffle into a natural order
            for i in (1..side.len()).rev() {
                let j = self.rng.below(i + 1);
                side.swap(i, j);
            }
        }
        (a, b)
    }
}
