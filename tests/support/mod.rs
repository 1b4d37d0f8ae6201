//! Encoded records, built by hand from the description of the format.

#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a fixture that can not be made is a failed test")]
#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]
#![allow(missing_docs, unreachable_pub, reason = "no one imports a test")]

use holdfast::values::{
    codec::{DecodeError, DecodeLimits},
    patch::Patch,
    version::Version,
};
use minicbor::Encoder;

pub fn decode(bytes: &[u8]) -> Result<Version, DecodeError> {
    Version::decode(bytes, &DecodeLimits::default())
}

pub fn decode_patch(bytes: &[u8]) -> Result<Patch, DecodeError> {
    Patch::decode(bytes, &DecodeLimits::default())
}

/// The golden patches: all of them lead on from `new_contact`.
pub const PATCHES: [&str; 2] = ["patch", "long_patch"];

/// The golden records: name, bytes, version digest.
pub fn golden_records() -> Vec<(String, Vec<u8>, String)> {
    let files = std::fs::read_dir(golden_folder()).expect("golden files");
    let files = files.map(|file| file.expect("readable").path()).filter(|path| path.is_file());
    let names = files.map(|path| path.file_stem().expect("a name").display().to_string());
    let mut golden: Vec<_> = names.filter(|name| !PATCHES.contains(&&**name)).map(|name| golden(&name)).collect();
    golden.sort();
    golden
}

pub fn golden(name: &str) -> (String, Vec<u8>, String) {
    let text = std::fs::read_to_string(format!("{}/{name}.hex", golden_folder())).expect("a golden file");
    let (hex, digest) = text.trim_end().split_once('\n').expect("two lines");
    let byte = |pair: &[u8]| u8::from_str_radix(&String::from_utf8_lossy(pair), 16).expect("hex");
    (name.into(), hex.as_bytes().chunks(2).map(byte).collect(), digest.into())
}

fn golden_folder() -> String {
    format!("{}/tests/golden", env!("CARGO_MANIFEST_DIR"))
}

/// The first `N` bytes of the digest of `parts` for `domain`.
pub fn digest<const N: usize>(domain: &str, part: &[u8]) -> [u8; N] {
    let mut hasher = blake3::Hasher::new();
    for part in [domain.as_bytes(), part] {
        hasher.update(&u64::try_from(part.len()).expect("fits").to_le_bytes());
        hasher.update(part);
    }
    let mut bytes = [0; N];
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

/// Ends an envelope with the right check.
pub fn seal(domain: &str, before: &[u8]) -> Vec<u8> {
    [before, &[0x48], &digest::<8>(domain, before)].concat()
}

/// The same record with its check made right again after a change.
pub fn resealed(bytes: &[u8]) -> Vec<u8> {
    seal("holdfast record", &bytes[..bytes.len() - 9])
}

pub fn record(header: &[u8], body: &[u8], hints: &[u8]) -> Vec<u8> {
    let mut envelope = Encoder::new(vec![0x85, 0x01]);
    envelope.bytes(header).and_then(|e| e.bytes(body)).expect("memory");
    seal("holdfast record", &[&envelope.into_writer(), hints].concat())
}

/// What may be changed of a record of one field, `a`, by one replica; each part encoded.
pub struct Parts {
    pub context: Vec<u8>,
    pub fields_context: Vec<u8>,
    pub life: Vec<u8>,
    pub default_stamp: Vec<u8>,
    pub names: Vec<u8>,
    pub filled: Vec<u8>,
    pub exceptions: Vec<u8>,
    pub body: Vec<u8>,
    pub hints: Vec<u8>,
}

pub const REPLICA: [u8; 16] = [7; 16];

impl Parts {
    /// A record that decodes: its field holds `true`.
    pub fn new() -> Self {
        Self {
            context: [&[0x82, 0x50], &REPLICA[..], &[0x01]].concat(),
            fields_context: vec![0xf6],
            life: vec![0x81, 0x82, 0xf6, 0xf5],
            default_stamp: vec![0x84, 0, 1, 0, 0],
            names: vec![0x81, 0x61, b'a'],
            filled: vec![0x41, 0x01],
            exceptions: vec![0x80],
            body: vec![0xf5],
            hints: vec![0x80],
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let body = [&[0x50][..], &digest::<16>("holdfast body", &self.body)].concat();
        let before = [&[0x88], &self.context[..], &self.fields_context, &self.life, &body].concat();
        let after = [&self.default_stamp[..], &self.names, &self.filled, &self.exceptions].concat();
        record(&[before, after].concat(), &self.body, &self.hints)
    }

    pub fn decode(&self) -> Result<Version, DecodeError> {
        decode(&self.bytes())
    }
}

/// A record whose one field holds this item, whether it is one that a person would miss or not.
pub fn with_value(item: &[u8]) -> [Vec<u8>; 2] {
    [1, 0].map(|bit| Parts { body: item.into(), filled: vec![0x41, bit], ..Parts::new() }.bytes())
}

pub fn decode_value(item: &[u8]) -> Result<Version, DecodeError> {
    let [filled, empty] = with_value(item);
    decode(&filled).or_else(|_| decode(&empty))
}

/// The lines of the example on a page: the bytes of each, and what is said of them.
pub fn annotated(page: &str) -> Vec<(Vec<u8>, &str)> {
    let (_, block) = page.split_once("```hex\n").expect("an example");
    let (block, _) = block.split_once("```").expect("the end of the example");
    let line = |line| {
        let (hex, said) = str::split_once(line, '#').expect("a remark on every line");
        let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let byte = |pair: &[u8]| u8::from_str_radix(&String::from_utf8_lossy(pair), 16).expect("hexadecimal digits");
        (digits.chunks(2).map(byte).collect(), said.trim())
    };
    block.lines().map(line).collect()
}

/// A number as the pages write it: groups of three digits.
pub fn spaced(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(" ")
}
