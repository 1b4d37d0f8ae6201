//! `docs/encoding.md` says what the code does: its example is a golden record, and its numbers are those of the code.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop")]

use holdfast::values::{
    codec::DecodeLimits,
    register::Show,
    superseded::MAX_SUPERSEDED,
    time::Timestamp,
    value::{MAX_VALUE_DEPTH, Value},
};
use support::{annotated, decode, digest, golden, spaced};

mod support;

const PAGE: &str = include_str!("../docs/encoding.md");

fn example() -> Vec<(Vec<u8>, &'static str)> {
    annotated(PAGE)
}

fn bytes() -> Vec<u8> {
    example().into_iter().flat_map(|(bytes, _)| bytes).collect()
}

#[test]
fn the_example_is_the_golden_record() {
    let (_, golden, version_digest) = golden("new_contact");
    assert_eq!(bytes(), golden);
    assert!(PAGE.contains(&format!("Its version digest is `{version_digest}`.")));
}

#[test]
fn what_is_said_of_each_text_in_the_example_is_what_it_holds() {
    let version = decode(&bytes()).expect("a record");
    let record = version.record();
    let texts = example().into_iter().filter(|(bytes, _)| matches!(bytes.first(), Some(0x61..=0x77)));
    let said: Vec<&str> = texts.map(|(_, said)| said).collect();
    let (names, values) = said.split_at(record.fields().len());
    assert_eq!(names, record.fields().keys().map(|name| name.as_str()).collect::<Vec<_>>());
    let shown = record.fields().values().map(|register| register.shown(Show::Latest).expect("a value").clone());
    let blank = |said: &str| if said == "a blank note" { " ".to_owned() } else { said.to_owned() };
    assert_eq!(values.iter().map(|said| Value::from(blank(said))).collect::<Vec<_>>(), shown.collect::<Vec<_>>());
    let filled: Vec<bool> = version.field_heads().iter().map(|head| !head.is_empty()).collect();
    assert_eq!(filled, [true, true, true, false, true, true], "all but the note");
    let stamp = version.life().siblings()[0].stamp;
    assert_eq!((stamp.dot.replica.as_bytes(), stamp.dot.counter), (&[1; 16], 1));
    assert!(example().iter().any(|(_, said)| *said == stamp.at.to_string()), "the page names {}", stamp.at);
    assert_ne!(stamp.at, Timestamp::from_micros(0));
}

#[test]
fn the_digests_are_made_as_the_page_says() {
    let bytes = bytes();
    let before = bytes.len().checked_sub(9).expect("a check");
    assert_eq!(&bytes[before..], [&[0x48], &digest::<8>("holdfast record", &bytes[..before])[..]].concat());
    let (header, body) = (&bytes[4..4 + 0x6d], &bytes[4 + 0x6d + 2..4 + 0x6d + 2 + 0x52]);
    let version = decode(&bytes).expect("a record");
    assert_eq!(&digest::<16>("holdfast version", header), version.digest().as_bytes());
    let body = digest::<16>("holdfast body", body);
    assert!(header.windows(16).any(|part| part == body), "the header names the body");
}

#[test]
fn the_numbers_on_the_page_are_those_of_the_code() {
    let limits = DecodeLimits::default();
    for (what, number) in [
        ("bytes of one record or patch", spaced(limits.max_bytes)),
        ("fields of one record", spaced(limits.max_fields)),
        ("replicas in its context", spaced(limits.max_replicas)),
        ("hints", format!("{MAX_SUPERSEDED}, always")),
        ("levels of a value", format!("{MAX_VALUE_DEPTH}, always")),
    ] {
        assert!(PAGE.contains(&format!("| {what} | {number} |")), "{what}: {number}");
    }
}
