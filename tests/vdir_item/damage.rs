//! What is not one complete item is an error that says what was expected.

use proptest::prelude::*;

use crate::{
    cards::{self, CARDS, WHOLE},
    item::{ItemError, parse},
};

#[test]
fn a_file_that_was_cut_short_is_an_error() {
    for (name, bytes) in CARDS.iter().chain(WHOLE) {
        let complete = bytes.trim_ascii_end().len();
        for length in 0..complete {
            let cut = parse("cut.vcf", bytes[..length].to_vec());
            assert!(cut.is_err(), "{name} is accepted with {length} bytes of {}", bytes.len());
        }
        // Blank lines at the end may go, but not half of a line break.
        for length in complete..=bytes.len() {
            let whole = parse("whole.vcf", bytes[..length].to_vec());
            assert_eq!(whole.is_err(), bytes[..length].ends_with(b"\r"), "{name} with {length} bytes");
        }
    }
}

#[test]
fn a_file_without_its_start_is_an_error() {
    for (name, bytes) in CARDS {
        let begin = bytes.windows(6).position(|window| window.eq_ignore_ascii_case(b"BEGIN:")).expect("a start");
        for start in begin + 1..bytes.len() {
            let inner = parse("tail.vcf", bytes[start..].to_vec());
            assert!(inner.is_err() || *name == "nested", "{name} is accepted from byte {start}");
        }
    }
}

#[test]
fn the_message_says_what_was_expected_and_what_was_found() {
    let card = text(cards::GOOGLE);
    for (bytes, said) in [
        (String::new(), "a.vcf: expected a vCard or an iCalendar, found an empty file"),
        ("BEGIN:VCARD\n\0\0\0\0".into(), "a.vcf: expected text, found a zero byte at 12"),
        ("\u{feff}\r\n \r\n".into(), "a.vcf: expected BEGIN:VCARD or BEGIN:VCALENDAR, found \" \""),
        ("<!DOCTYPE html>\n<html>".into(), "a.vcf: expected BEGIN:VCARD or BEGIN:VCALENDAR, found \"<!DOCTYPE html>\""),
        (
            "BEGIN:VEVENT\nUID:1\nEND:VEVENT\n".into(),
            "a.vcf: expected BEGIN:VCARD or BEGIN:VCALENDAR, found \"BEGIN:VEVENT\"",
        ),
        ("BEGIN:VCARD\nFN:A\n".into(), "a.vcf: expected END:VCARD, found the end of the file"),
        ("BEGIN:VCARD\nFN:A\nEND:VCALENDAR\n".into(), "a.vcf: expected END:VCARD at byte 17, found \"END:VCALENDAR\""),
        ("BEGIN:VCARD\nFN:A\nEND:VCARD\r".into(), "a.vcf: expected a line feed, found the end of the file"),
        (format!("{card}\n{card}"), "a.vcf: expected one item, found a second one (BEGIN:VCARD)"),
        (format!("{card}\nTEL:1\n"), "a.vcf: expected nothing after END:VCARD, found \"TEL:1\""),
        (format!("{card}\n\u{1b}[2J{}", "x".repeat(99)), "a.vcf: expected nothing after END:VCARD, found \" [2J"),
        (
            text(cards::SERIES).replacen("UID:series-1", "UID:series-2", 1),
            "a.vcf: expected one item, found a second one (UID \"series-1\" beside \"series-2\")",
        ),
    ] {
        let error = parse("a.vcf", bytes.into_bytes()).expect_err(said).to_string();
        assert!(error.starts_with(said), "expected {said}, found {error}");
        assert!(error.ends_with("it was left alone") && error.len() < 200, "{error}");
    }
}

#[test]
fn zeros_in_a_file_are_an_error_wherever_they_are() {
    for at in 0..cards::APPLE.len() {
        let mut bytes = cards::APPLE.to_vec();
        bytes[at] = 0;
        assert!(matches!(parse("a.vcf", bytes), Err(ItemError::NotText { at: found, .. }) if found == at));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn noise_is_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(parse("a.vcf", bytes).is_err());
    }
}

fn text(bytes: &[u8]) -> String {
    crate::made::text(bytes)
}
