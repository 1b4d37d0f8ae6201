//! The encoding as an outsider meets it: golden files, damage, and records built by hand to deceive.

#![allow(clippy::indexing_slicing, clippy::expect_used, reason = "a fixture that can not be made is a failed test")]
#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]

mod support;

use holdfast::values::{
    codec::{DecodeError, DecodeLimits},
    value::{MAX_VALUE_DEPTH, OpaqueValue, Value},
    version::Version,
};
use proptest::prelude::*;
use support::{PATCHES, Parts, REPLICA, decode, decode_patch, decode_value, golden, golden_records, resealed};

#[test]
fn every_golden_record_decodes_and_encodes_to_the_same_bytes_and_digest() {
    assert!(golden_records().len() >= 12);
    for (name, bytes, digest) in golden_records() {
        let version = decode(&bytes).expect(&name);
        assert_eq!(version.as_bytes(), bytes, "{name}");
        assert_eq!(version.digest().to_string(), digest, "{name}");
        assert_eq!(Version::encode(&version.record()), version, "{name}");
    }
}

#[test]
fn the_golden_patches_lead_from_one_golden_record_to_known_digests() {
    for (name, bytes, digest) in PATCHES.map(golden) {
        let patch = decode_patch(&bytes).expect("canonical");
        assert_eq!(patch.encode(), bytes, "{name}");
        let base = decode(&golden("new_contact").1).expect("canonical");
        let next = patch.apply(&base).expect("its base");
        assert_eq!(next.digest().to_string(), digest, "{name}");
        assert_eq!(next, decode(next.as_bytes()).expect("canonical"), "{name}");
    }
}

#[test]
fn every_truncation_of_a_golden_record_is_rejected() {
    for (name, bytes, _) in golden_records() {
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err(), "{name} cut to {length}");
        }
        assert!(decode(&[&bytes[..], &[0]].concat()).is_err(), "{name} and one byte more");
    }
    for (name, patch, _) in PATCHES.map(golden) {
        for length in 0..patch.len() {
            assert!(decode_patch(&patch[..length]).is_err(), "{name} cut to {length}");
        }
    }
}

#[test]
fn every_bit_flip_of_a_golden_record_is_rejected() {
    for (name, bytes, _) in golden_records() {
        for_each_bit_flip(&bytes, |at, flipped| assert!(decode(flipped).is_err(), "{name}: bit {at}"));
    }
    for (name, patch, _) in PATCHES.map(golden) {
        for_each_bit_flip(&patch, |at, flipped| assert!(decode_patch(flipped).is_err(), "{name}: bit {at}"));
    }
}

#[test]
fn what_passes_with_a_bit_flipped_and_the_check_repaired_is_canonical() {
    for (name, bytes, _) in golden_records() {
        for_each_bit_flip(&bytes[..bytes.len() - 9], |at, flipped| {
            let repaired = resealed(&[flipped, &[0; 9]].concat());
            if let Ok(version) = decode(&repaired) {
                assert_eq!(Version::encode(&version.record()).as_bytes(), repaired, "{name}: bit {at}");
            }
        });
    }
}

#[test]
fn a_record_built_by_hand_from_the_description_decodes() {
    let version = Parts::new().decode().expect("canonical");
    assert!(version.is_alive() && !version.is_thin());
    assert_eq!(version.families(), ["a"]);
    assert_eq!(shown(&version), Value::Bool(true));
}

#[test]
fn unknown_kinds_of_value_survive_byte_for_byte() {
    let unknown: &[&[u8]] = &[
        &[0xf7],
        &[0xf8, 0x20],
        &[0xf9, 0x7e, 0x01],
        &[0xfa, 0, 0, 0, 1],
        &[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[0x3b, 0x80, 0, 0, 0, 0, 0, 0, 0],
        &[0xc1, 0x18, 0x01],
        &[0xa1, 0x01, 0x02],
        &[0xa2, 0x61, b'z', 0xf6, 0x01, 0xf6],
        &[0xd9, 0xc8, 0x46, 0xf5],
    ];
    for item in unknown {
        let version = decode_value(item).expect("an opaque value");
        let Value::Opaque(opaque) = shown(&version) else { panic!("{item:02x?} was taken for a known kind") };
        assert_eq!(opaque.as_bytes(), *item);
        let in_a_list = [&[0x82], *item, *item].concat();
        let list = shown(&decode_value(&in_a_list).expect("a list of opaque values"));
        assert_eq!(list, Value::List([Value::Opaque(opaque.clone()), Value::Opaque(opaque)].into()));
    }
}

#[test]
fn a_known_kind_in_another_form_than_the_canonical_one_is_rejected() {
    let other_forms: &[&[u8]] = &[
        &[0x18, 0x17],
        &[0x19, 0x00, 0xff],
        &[0x38, 0x00],
        &[0x58, 0x01, 0x00],
        &[0x78, 0x01, b'a'],
        &[0x98, 0x00],
        &[0xb8, 0x00],
        &[0x81, 0x18, 0x00],
        &[0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 1],
        &[0xfb, 0xff, 0xf8, 0, 0, 0, 0, 0, 0],
        &[0xa2, 0x61, b'b', 0xf6, 0x61, b'a', 0xf6],
        &[0xa2, 0x62, b'a', b'a', 0xf6, 0x61, b'b', 0xf6],
        &[0xa2, 0x61, b'a', 0xf6, 0x61, b'a', 0xf5],
        &[0xda, 0, 0, 0xc8, 0x46, 0x00],
        &[0xd9, 0xc8, 0x46, 0x18, 0x00],
    ];
    for item in other_forms {
        assert_eq!(decode_value(item).err(), Some(DecodeError::NotCanonical), "{item:02x?}");
    }
}

#[test]
fn what_is_no_item_of_definite_length_is_rejected() {
    let bad: &[&[u8]] = &[
        &[],
        &[0x18],
        &[0x1c],
        &[0x5f, 0xff],
        &[0x7f, 0x61, b'a', 0xff],
        &[0x9f, 0xff],
        &[0xbf, 0xff],
        &[0xff],
        &[0x61, 0xff],
        &[0xf8, 0x1f],
        &[0xc1],
        &[0xc1, 0x9f, 0xff],
        &[0xa1, 0x00],
        &[0xa1, 0x00, 0x5f, 0xff],
        &[0xf6, 0xf6],
    ];
    for item in bad {
        assert!(matches!(decode_value(item), Err(DecodeError::Malformed { .. })), "{item:02x?}");
        assert!(OpaqueValue::try_from(item.to_vec()).is_err(), "{item:02x?}");
    }
}

#[test]
fn nesting_is_taken_up_to_the_limit_and_not_beyond() {
    let openings: &[&[u8]] = &[&[0x81], &[0xa1, 0x61, b'a'], &[0xc1], &[0xa1, 0x01], &[0xa1, 0x40]];
    for opening in openings {
        let nested = |levels: usize| [&opening.repeat(levels)[..], &[0xf7]].concat();
        assert!(decode_value(&nested(MAX_VALUE_DEPTH)).is_ok(), "{opening:02x?}");
        for levels in [MAX_VALUE_DEPTH + 1, 100_000] {
            assert_eq!(decode_value(&nested(levels)).err(), Some(DecodeError::TooDeep), "{opening:02x?}");
            assert_eq!(OpaqueValue::try_from(nested(levels)), Err(DecodeError::TooDeep), "{opening:02x?}");
        }
    }
}

#[test]
fn a_record_that_no_replica_can_hold_is_rejected() {
    let fields_beyond = Parts { fields_context: vec![0x83, 0, 1, 2], ..Parts::new() };
    let unseen_field = Parts { fields_context: vec![0x80], ..Parts::new() };
    let unseen_life = Parts { life: vec![0x81, 0x82, 0x84, 0, 2, 0, 0, 0xf5], ..Parts::new() };
    for broken in [fields_beyond, unseen_field, unseen_life] {
        assert!(matches!(broken.decode(), Err(DecodeError::Impossible { .. })), "{:?}", broken.decode());
    }
    for (first, last) in [(2, 1), (0, 1)] {
        let no_range = Parts { fields_context: vec![0x83, 0, first, last], ..Parts::new() };
        assert!(matches!(no_range.decode(), Err(DecodeError::Malformed { .. })), "{:?}", no_range.decode());
    }
}

#[test]
fn a_second_encoding_of_one_record_is_rejected() {
    let replica = |seed: u8| [&[0x50][..], &[seed; 16], &[0x01]].concat();
    let context = |seeds: &[u8]| {
        let length = 0x80 | u8::try_from(seeds.len() * 2).expect("small");
        [&[length][..], &seeds.iter().flat_map(|seed| replica(*seed)).collect::<Vec<_>>()].concat()
    };
    let spelled_out = [&[0x83, 0x50], &REPLICA[..], &[0x01, 0x01]].concat();
    let exception = vec![0x82, 0x00, 0x81, 0x84, 0, 1, 0, 0];
    let others = [
        Parts { fields_context: vec![0x81, 0x01], ..Parts::new() },
        Parts { life: vec![0x81, 0x82, 0x84, 0, 1, 0, 0, 0xf5], ..Parts::new() },
        Parts { exceptions: exception.clone(), ..Parts::new() },
        Parts { default_stamp: vec![0xf6], exceptions: exception, life: vec![0x80], ..Parts::new() },
        Parts { exceptions: vec![0x82, 0x01, 0x81, 0x84, 0, 1, 0, 0], ..Parts::new() },
        Parts {
            names: vec![0x82, 0x61, b'b', 0x61, b'a'],
            body: vec![0xf5, 0xf5],
            filled: vec![0x41, 3],
            ..Parts::new()
        },
        Parts {
            names: vec![0x82, 0x61, b'a', 0x61, b'a'],
            body: vec![0xf5, 0xf5],
            filled: vec![0x41, 3],
            ..Parts::new()
        },
        Parts { filled: vec![0x41, 0x03], ..Parts::new() },
        Parts { filled: vec![0x41, 0x00], ..Parts::new() },
        Parts { filled: vec![0x42, 0x01, 0x00], ..Parts::new() },
        Parts { context: context(&[8, 7]), default_stamp: vec![0x84, 1, 1, 0, 0], ..Parts::new() },
        Parts { context: context(&[7, 7]), ..Parts::new() },
        Parts {
            context: [&context(&[7])[..18], &[0]].concat(),
            life: vec![0x80],
            default_stamp: vec![0xf6],
            ..Parts::new()
        },
        Parts { hints: spelled_out, ..Parts::new() },
        Parts { hints: vec![0x86, 0, 1, 1, 0, 2, 1], ..Parts::new() },
        Parts { hints: vec![0x86, 0, 1, 1, 0, 1, 1], ..Parts::new() },
        Parts { hints: vec![0x83, 0, 0, 1], ..Parts::new() },
    ];
    for (nth, other) in others.iter().enumerate() {
        assert!(other.decode().is_err(), "number {nth}");
    }
}

#[test]
fn limits_are_inclusive_and_kept() {
    let bytes = Parts::new().bytes();
    let exact = DecodeLimits { max_bytes: bytes.len(), max_fields: 1, max_replicas: 1 };
    let version = Version::decode(&bytes, &exact).expect("within the limits");
    assert_eq!(version.check_limits(&exact), Ok(()));
    for (what, less) in [
        ("bytes", DecodeLimits { max_bytes: exact.max_bytes - 1, ..exact }),
        ("fields", DecodeLimits { max_fields: 0, ..exact }),
        ("replicas", DecodeLimits { max_replicas: 0, ..exact }),
    ] {
        let refused = |error| matches!(error, DecodeError::TooMany { what: found, .. } if found == what);
        assert!(Version::decode(&bytes, &less).is_err_and(refused), "{what}");
        assert!(version.check_limits(&less).is_err_and(refused), "{what}");
    }
}

#[test]
fn another_format_is_named_as_such() {
    let mut bytes = Parts::new().bytes();
    bytes[1] = 2;
    assert_eq!(decode(&bytes).err(), Some(DecodeError::UnknownFormat { found: 2 }));
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in any::<Vec<u8>>()) {
        prop_assert!(decode(&bytes).is_err() && decode_patch(&bytes).is_err());
        let _ = OpaqueValue::try_from(bytes);
    }

    #[test]
    fn random_items_with_all_digests_right_never_panic_and_are_canonical_if_taken(item in item()) {
        if let Ok(version) = decode_value(&item) {
            prop_assert_eq!(&Version::encode(&version.record()), &version);
        }
        if let Ok(opaque) = OpaqueValue::try_from(item.clone()) {
            prop_assert_eq!(opaque.as_bytes(), item);
        }
    }

    #[test]
    fn random_headers_with_all_digests_right_never_panic_and_are_canonical_if_taken(
        part in 0..8_usize, cut in any::<prop::sample::Index>(), item in item(),
    ) {
        let mut parts = Parts::new();
        let Parts { context, fields_context, life, default_stamp, names, filled, exceptions, hints, .. } = &mut parts;
        let part = [context, fields_context, life, default_stamp, names, filled, exceptions, hints].into_iter().nth(part);
        let part = part.expect("one of eight");
        let at = cut.index(part.len());
        part.splice(at..=at, item);
        if let Ok(version) = parts.decode() {
            prop_assert_eq!(Version::encode(&version.record()).as_bytes().to_vec(), parts.bytes());
        }
    }
}

/// Bytes that look like items more often than random ones do.
fn item() -> impl Strategy<Value = Vec<u8>> {
    let heads = [0x00, 0x01, 0x17, 0x18, 0x20, 0x40, 0x41, 0x60, 0x61, 0x80, 0x81, 0x82, 0x84, 0xa0, 0xa1, 0xa2, 0xc1];
    let byte = prop_oneof![4 => prop::sample::select(heads.to_vec()), 1 => 0xf4..=0xfb_u8, 1 => any::<u8>()];
    prop::collection::vec(byte, 0..24)
}

fn shown(version: &Version) -> Value {
    let record = version.record();
    let value = record.fields().values().flat_map(|register| register.siblings()).next();
    value.expect("a field").value.clone()
}

fn for_each_bit_flip(bytes: &[u8], mut test: impl FnMut(usize, &[u8])) {
    let mut flipped = bytes.to_vec();
    for at in 0..bytes.len() * 8 {
        flipped[at / 8] ^= 1 << (at % 8);
        test(at, &flipped);
        flipped[at / 8] ^= 1 << (at % 8);
    }
}
