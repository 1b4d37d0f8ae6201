//! What only the crate can test: records are authored by crate-private functions.

#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]

mod arbitrary;
mod golden;

use alloc::{format, string::String, vec::Vec};

use proptest::prelude::*;

use super::{DecodeLimits, Writer, value};
use crate::values::{
    digest::Digest,
    patch::{Patch, PatchError},
    record::Record,
    value::{OpaqueValue, Value},
    version::Version,
    version_vector::{Causality, Dot},
};

fn decode(bytes: &[u8]) -> Version {
    Version::decode(bytes, &DecodeLimits::default()).expect("canonical")
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut writer = Writer::default();
    value::write(&mut writer, value);
    writer.finish()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_record_is_what_it_was_after_encoding_and_decoding(record in arbitrary::record()) {
        let version = Version::encode(&record);
        prop_assert_eq!(&version.record(), &record);
        let decoded = decode(version.as_bytes());
        prop_assert_eq!(&decoded, &version);
        prop_assert_eq!(decoded.digest(), version.digest());
        prop_assert_eq!(decoded.field_heads(), version.field_heads());
        prop_assert_eq!(decoded.record(), record);
    }

    #[test]
    fn a_version_answers_from_its_header_as_its_record_does(left in arbitrary::record(), right in arbitrary::record()) {
        let (one, other) = (Version::encode(&left), Version::encode(&right));
        prop_assert_eq!(one.context(), left.context());
        prop_assert_eq!(one.fields_context(), left.fields_context());
        prop_assert_eq!(one.life(), left.life());
        prop_assert_eq!(one.superseded(), left.superseded());
        prop_assert_eq!((one.is_alive(), one.is_thin()), (left.is_alive(), left.is_thin()));
        prop_assert_eq!(one.compare(&other), left.compare(&right));
        let heads: Vec<_> = one.field_heads().iter().map(|head| (head.name(), head.stamps().to_vec())).collect();
        let stamps = |record: &Record| -> Vec<_> {
            record.fields().iter().map(|(name, r)| (name.clone(), r.siblings().iter().map(|s| s.stamp).collect::<Vec<_>>())).collect()
        };
        prop_assert_eq!(heads.into_iter().map(|(n, s)| (n.clone(), s)).collect::<Vec<_>>(), stamps(&left));
        let filled = left.fields().iter().filter(|(_, r)| r.siblings().iter().any(|s| !s.value.is_empty()));
        let filled = filled.filter(|(name, _)| !name.is_layout());
        let mut families: Vec<_> = filled.map(|(name, _)| name.family()).collect();
        families.sort_unstable();
        families.dedup();
        prop_assert_eq!(one.families(), families);
    }

    #[test]
    fn superseded_contents_and_purges_of_the_dead_are_outside_the_digest(record in arbitrary::record()) {
        let forgetful = Record { superseded: FromIterator::from_iter([]), ..record.clone() };
        let digest = Version::encode(&record).digest();
        prop_assert_eq!(Version::encode(&forgetful).digest(), digest);
        prop_assert_eq!(Version::encode(&record.purged()).digest(), digest);
    }

    #[test]
    fn a_living_record_has_the_digest_of_its_content(left in arbitrary::record(), right in arbitrary::record()) {
        prop_assume!(left.is_alive());
        let forget = |record: &Record| Record { superseded: FromIterator::from_iter([]), ..record.clone() };
        let same_digest = Version::encode(&left).digest() == Version::encode(&right).digest();
        prop_assert_eq!(same_digest, forget(&left) == forget(&right));
    }

    #[test]
    fn a_patch_leads_from_its_base_to_its_result(base in arbitrary::record(), later in arbitrary::record()) {
        let mut next = base.join(&later);
        next.superseded = next.superseded.join(&later.superseded);
        let (base, next) = (Version::encode(&base), Version::encode(&next));
        if let Some(patch) = Patch::between(&base, &next) {
            let decoded = Patch::decode(&patch.encode(), &DecodeLimits::default()).expect("canonical");
            prop_assert_eq!(&decoded, &patch);
            let result = decoded.apply(&base).expect("its base");
            prop_assert_eq!(result.digest(), next.digest());
            let (found, wanted) = (result.record(), next.record());
            prop_assert_eq!((found.context, found.fields_context), (wanted.context, wanted.fields_context));
            prop_assert_eq!((&found.life, &found.fields), (&wanted.life, &wanted.fields));
            let known = base.superseded().join(next.superseded());
            let new_dots = next.context().iter().filter(|dot| !base.context().covers(*dot));
            let latest = new_dots.max_by_key(|dot| (dot.counter, dot.replica)).expect("later");
            let derived = known.iter().chain([(latest, base.record().content_digest())]).collect();
            prop_assert!([known, derived].contains(&found.superseded));
        } else {
            let is_next = next.compare(&base) == Causality::After && !next.life().is_empty();
            let is_unpurged = |version: &Version| version.fields_context().is_all_of(version.context());
            prop_assert!(!(base.is_alive() && is_next && is_unpurged(&base) && is_unpurged(&next)));
        }
    }

    #[test]
    fn a_patch_changes_nothing_but_its_base(base in arbitrary::record(), later in arbitrary::record(), third in arbitrary::record()) {
        let (from, to) = (Version::encode(&base), Version::encode(&base.join(&later)));
        let third = Version::encode(&third);
        prop_assume!(third.digest() != from.digest());
        if let Some(patch) = Patch::between(&from, &to) {
            let expected = PatchError::NeedWhole { found: third.digest() };
            prop_assert_eq!(patch.apply(&third), Err(expected));
        }
    }

    #[test]
    fn a_value_is_what_it_was_after_encoding_and_decoding(value in arbitrary::value()) {
        prop_assert_eq!(value::restore(&encoded(&value)), value);
    }

    #[test]
    fn depth_is_counted_alike_by_values_and_by_their_encoding(value in arbitrary::value()) {
        let mut nested = value.clone();
        for _ in 0..crate::values::value::MAX_VALUE_DEPTH {
            let fits = nested.depth_up_to(crate::values::value::MAX_VALUE_DEPTH) <= crate::values::value::MAX_VALUE_DEPTH;
            let bytes = encoded(&nested);
            prop_assert_eq!(value::read(&mut super::Reader::new(&bytes)).is_ok(), fits);
            nested = Value::List(Vec::from([nested]));
        }
    }
}

#[test]
fn a_patch_is_refused_on_the_dead_and_made_for_them() {
    let find = |wanted: &str| {
        let (_, record) = golden::records().into_iter().find(|(name, _)| *name == wanted).expect("golden");
        Version::encode(&record)
    };
    let (alive, dead, revived) = (find("new_contact"), find("deleted"), find("revived_after_purge"));
    assert_eq!(Patch::between(&dead, &revived), None);
    assert_eq!(Patch::between(&alive, &find("purged")), None);
    let delete = Patch::between(&alive, &dead).expect("a delete travels as a patch");
    assert_eq!(delete.apply(&alive).map(|version| version.record()), Ok(dead.record()));
    assert!(matches!(delete.apply(&dead), Err(PatchError::NeedWhole { .. })));
}

/// Else two replicas would come to hold equal contexts and different content.
#[test]
fn a_patch_that_changes_a_record_without_a_write_is_refused() {
    let base = golden::contact();
    let mut next = base.clone();
    next.fields.retain(|name, _| name.as_str() != "note");
    let (base, next) = (Version::encode(&base), Version::encode(&next));
    assert_eq!(Patch::between(&base, &next), None);
    let both = [base.digest(), next.digest()];
    let check =
        Digest::of("holdfast patch", &both.each_ref().map(|digest| &digest.as_bytes()[..])).short().to_le_bytes();
    let mut forged = Writer::default();
    forged.raw(&[0x84, 1, 0x83, 0, 0x80, 0x81]); // tables of one name
    forged.text("note");
    forged.array(7);
    forged.bytes(&check);
    forged.raw(&[0x80, 0x80, 0xf6, 0x80, 0x81, 0, 0x80]); // no write, nothing seen, the life as it was; the note is gone
    let bytes = forged.finish_with_check("holdfast lone patch");
    let patch = Patch::decode(&bytes, &DecodeLimits::default()).expect("canonical");
    assert_eq!(patch.apply(&base), Err(PatchError::NeedWhole { found: base.digest() }));
}

#[test]
fn applying_a_patch_remembers_the_content_that_it_covers() {
    let base = golden::contact();
    let mut next = golden::renamed(&base, 2);
    next.superseded = FromIterator::from_iter([]);
    let (base, next) = (Version::encode(&base), Version::encode(&next));
    let result = Patch::between(&base, &next).and_then(|patch| patch.apply(&base).ok()).expect("applies");
    let covered_by = Dot { replica: golden::replica(1), counter: 2 };
    let remembered: Vec<_> = result.superseded().iter().collect();
    assert_eq!(remembered, [(covered_by, base.record().content_digest())]);
}

#[test]
fn the_content_digest_sees_values_and_names_and_not_who_wrote_them() {
    let contact = golden::contact();
    let renamed = golden::renamed(&contact, 2);
    assert_ne!(contact.content_digest(), renamed.content_digest());
    let again = golden::contact_by(7);
    assert_eq!(contact.content_digest(), again.content_digest());
    assert!(renamed.superseded().contains(contact.content_digest()));
}

#[test]
fn metadata_is_75_bytes_for_a_new_record_and_191_after_eight_overwrites() {
    let metadata = |record: &Record| {
        let names: usize = record.fields().keys().map(|name| encoded(&Value::from(name.as_str())).len()).sum();
        let values = record.fields().values().flat_map(|register| register.siblings());
        let values: usize = values.map(|sibling| encoded(&sibling.value).len()).sum();
        Version::encode(record).as_bytes().len() - names - values
    };
    let new = golden::contact();
    assert_eq!(metadata(&new), 75);
    let overwritten = (2..10).fold(new, |record, nth| golden::renamed(&record, nth));
    assert_eq!(metadata(&overwritten), 191);
}

#[test]
fn a_known_kind_does_not_pass_for_an_unknown_one() {
    for value in arbitrary::known_kinds() {
        assert!(OpaqueValue::try_from(encoded(&value)).is_err(), "{value:?}");
    }
    for (name, bytes) in arbitrary::UNKNOWN_KINDS {
        let opaque = OpaqueValue::try_from(bytes.to_vec()).expect(name);
        assert_eq!(opaque.as_bytes(), *bytes, "{name}");
        let two_items = [*bytes, *bytes].concat();
        assert!(OpaqueValue::try_from(two_items).is_err(), "{name}");
    }
    assert!(OpaqueValue::try_from(Vec::new()).is_err());
}

/// With `HOLDFAST_BLESS` set, writes the golden files: do so only with a new format number.
#[test]
fn encoding_gives_the_golden_bytes() {
    let is_blessed = std::env::var_os("HOLDFAST_BLESS").is_some();
    let check = |name: &str, found: String| {
        if is_blessed {
            std::fs::write(golden::path(name), &found).expect("writable");
        }
        assert_eq!(golden::read(name), found, "{name}");
    };
    for (name, record) in golden::records() {
        let version = Version::encode(&record);
        check(name, golden::lines(version.as_bytes(), &format!("{}", version.digest())));
    }
    for (name, patch, result) in golden::patches() {
        check(name, golden::lines(&patch.encode(), &format!("{}", result.digest())));
    }
}
