//! Patches built by hand to deceive, and patches on another base.

use holdfast::{
    talk::offer::SentOffer,
    values::{codec::DecodeError, patch::PatchError},
};

use crate::{
    examples::{UUID, patch, patched, version},
    support::{decode_patch, golden, seal},
};

/// The long golden patch with one part of it replaced, its check made right again.
fn with(part: &[u8], other: &[u8]) -> Result<holdfast::values::patch::Patch, DecodeError> {
    let (_, bytes, _) = golden("long_patch");
    let places: Vec<_> = bytes.windows(part.len()).enumerate().filter(|(_, found)| *found == part).collect();
    let [(at, _)] = places[..] else { panic!("{part:02x?} stands there {} times", places.len()) };
    let before = [&bytes[..at], other, &bytes[at + part.len()..bytes.len() - 9]].concat();
    decode_patch(&seal("holdfast lone patch", &before))
}

/// From the second write to the fields: nothing else seen, alive by the second write, the name by the first.
const MIDDLE: [u8; 11] = [0x1a, 0x00, 0x0f, 0x42, 0x43, 0x80, 0x82, 0x01, 0xf5, 0x83, 0x00];

fn with_middle(at: usize, old: &[u8], new: &[u8]) -> Result<holdfast::values::patch::Patch, DecodeError> {
    assert_eq!(&MIDDLE[at..at + old.len()], old);
    with(&MIDDLE, &[&MIDDLE[..at], new, &MIDDLE[at + old.len()..]].concat())
}

#[test]
fn the_parts_are_where_they_are_looked_for() {
    assert_eq!(with_middle(5, &[0x80], &[0x80]), Ok(patch("long_patch")));
}

#[test]
fn a_patch_that_says_a_thing_twice_or_in_vain_is_rejected() {
    let not_canonical = Err(DecodeError::NotCanonical);
    assert_eq!(with_middle(5, &[0x80], &[0x82, 0, 1]), not_canonical, "a dot that is covered by a write");
    assert_eq!(with_middle(5, &[0x80], &[0x82, 0, 0]), not_canonical, "a dot that is covered by a later write");
    assert!(with_middle(5, &[0x80], &[0x82, 0, 2]).is_ok(), "a dot that is not");
    assert!(matches!(with_middle(6, &[0x82, 0x01, 0xf5], &[0x80]), Err(DecodeError::Malformed { .. })), "no life");
    assert_eq!(with_middle(6, &[0x82, 0x01, 0xf5], &[0x84, 1, 0xf5, 1, 0xf5]), not_canonical, "alive twice");
    assert_eq!(with_middle(6, &[0x82, 0x01, 0xf5], &[0x82, 0x00, 0xf5]), not_canonical, "a write that nothing names");
    let cleared = |names: &[u8]| with(&[0x81, 0x01, 0x86, 0x00, 0x01], &[names, &[0x86, 0x00, 0x01]].concat());
    assert!(matches!(cleared(&[0x82, 0, 1]), Err(DecodeError::Impossible { .. })), "cleared and changed");
    assert_eq!(cleared(&[0x82, 1, 1]), not_canonical, "cleared twice");
    assert_eq!(cleared(&[0x80]), not_canonical, "a name in the tables that nothing names");
    assert!(matches!(cleared(&[0x81, 2]), Err(DecodeError::Malformed { .. })), "a name that is not in the tables");
}

#[test]
fn a_patch_that_can_be_short_is_short() {
    let (_, bytes, _) = golden("patch");
    let start = bytes.windows(2).position(|pair| pair == [0x87, 0x48]).unwrap();
    let (check, value) = (&bytes[start + 2..start + 10], &bytes[start + 15..bytes.len() - 9]);
    let writes = [0x84, 0, 0, 0, 0];
    let long =
        [&bytes[..start], &[0x87, 0x48], check, &writes, &[0x80, 0x82, 0, 0xf5, 0x83, 0, 0], value, &[0x80, 0x80]];
    let refused = decode_patch(&seal("holdfast lone patch", &long.concat()));
    assert_eq!(refused, Err(DecodeError::NotCanonical));
    let untouched = [&bytes[..start], &[0x87, 0x48], check, &[0, 0, 0, 0, 0], value].concat();
    assert_eq!(decode_patch(&seal("holdfast lone patch", &untouched)), Ok(patch("patch")));
}

#[test]
fn a_write_beyond_all_numbers_is_rejected() {
    let most = [0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    let time = with_middle(0, &[0x1a, 0x00, 0x0f, 0x42, 0x43], &most);
    assert!(matches!(time, Err(DecodeError::Malformed { expected: "a time of 64 bits", .. })), "{time:?}");
    let counter = with(&[0x00, 0x01, 0x00, 0x1a], &[&[0x00][..], &most, &[0x00, 0x1a]].concat());
    assert!(matches!(counter, Err(DecodeError::Malformed { expected: "a counter from 1", .. })), "{counter:?}");
}

#[test]
fn a_patch_fits_no_other_base_and_no_other_result() {
    let base = version("new_contact");
    for name in ["patch", "long_patch"] {
        let patch = patch(name);
        let next = patch.apply(&base).unwrap();
        for other in ["conflict", "machine_edit", "overwritten_once", "deleted", "cloned_replica", "never_written"] {
            let other = version(other);
            let found = other.digest();
            assert_eq!(patch.apply(&other), Err(PatchError::NeedWhole { found }), "{name} on {other:?}");
        }
        assert!(patch.apply(&next).is_err(), "{name} a second time");
    }
    let other_value = with(&[0x41, 0x64, 0x61], &[0x41, 0x64, 0x62]).unwrap(); // Adb
    assert_eq!(other_value.apply(&base), Err(PatchError::NeedWhole { found: base.digest() }));
}

#[test]
fn a_record_is_opened_on_the_base_that_its_patch_fits() {
    let (base, other) = (version("new_contact"), version("conflict"));
    let sent = patched(UUID, "patch");
    let opened = sent.clone().open(&[&other, &base]).unwrap();
    assert_eq!(opened.version, patch("patch").apply(&base).unwrap());
    assert_eq!(sent.clone().open(&[&other]), None);
    assert_eq!(SentOffer::of(opened, Some(&base)), sent);
}
