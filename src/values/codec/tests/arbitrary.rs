//! Records that can be, without regard to how likely they are.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use proptest::{collection::vec, prelude::*, sample::select};

use super::golden::{register, replica};
use crate::values::{
    dot_set::{DotRange, DotSet},
    id::{CollectionId, FieldName, MoveId, RecordId},
    record::{Destination, Life, Record},
    register::{Cause, Stamp},
    superseded::{ContentDigest, Superseded},
    time::Timestamp,
    value::{Float, OpaqueValue, Value},
    version_vector::{Dot, VersionVector},
};

/// Well-formed items of kinds that are not known.
pub(super) const UNKNOWN_KINDS: &[(&str, &[u8])] = &[
    ("undefined", &[0xf7]),
    ("simple value 0", &[0xe0]),
    ("simple value 255", &[0xf8, 0xff]),
    ("float of 16 bits", &[0xf9, 0x3c, 0x00]),
    ("float of 32 bits", &[0xfa, 0x7f, 0xc0, 0, 1]),
    ("2^63", &[0x1b, 0x80, 0, 0, 0, 0, 0, 0, 0]),
    ("-2^64", &[0x3b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    ("bignum", &[0xc2, 0x49, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
    ("map of numbers", &[0xa1, 0x01, 0x02]),
    ("map of a text and a number", &[0xa2, 0x61, b'b', 0x00, 0x01, 0x61, b'a']),
    ("map in a map", &[0xa1, 0xa0, 0xa0]),
    ("time tag around a text", &[0xd9, 0xc8, 0x46, 0x61, b'x']),
    ("time tag around 2^63", &[0xd9, 0xc8, 0x46, 0x1b, 0x80, 0, 0, 0, 0, 0, 0, 0]),
    ("tag in the longest form around a list", &[0xdb, 0, 0, 0, 0, 0, 0, 0, 0x63, 0x82, 0x18, 0x01, 0xf6]),
];

/// One value of each known kind and edge.
pub(super) fn known_kinds() -> Vec<Value> {
    let floats = [0.0, -0.0, 1.5, f64::MIN_POSITIVE, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -f64::NAN];
    let ints = [0, 23, 24, 255, 256, 65_535, 65_536, 4_294_967_295, 4_294_967_296, i64::MAX];
    let texts = ["", "a", "e\u{301}", "\u{e9}", "twenty-four bytes of text", "\u{10ffff}"];
    let map = ["b", "aa", "", "a"].map(|key| (String::from(key), Value::Bool(true)));
    let mut kinds: Vec<_> = [Value::Null, Value::Bool(false), Value::Bool(true)].into();
    kinds.extend(ints.into_iter().flat_map(|number| [Value::Int(number), Value::Int(!number)]));
    kinds.extend(floats.map(|number| Value::Float(Float::from(number))));
    kinds.extend(texts.map(Value::from));
    kinds.extend([Value::Bytes([].into()), Value::Bytes([0, 0xff].into())]);
    kinds.extend([i64::MIN, 0, i64::MAX].map(|micros| Value::Time(Timestamp::from_micros(micros))));
    kinds.extend([Value::List([].into()), Value::Map(BTreeMap::new()), Value::Map(map.into())]);
    kinds.push(Value::List(kinds.clone()));
    kinds
}

pub(super) fn value() -> impl Strategy<Value = Value> {
    let unknown = select(UNKNOWN_KINDS)
        .prop_map(|(name, bytes)| Value::Opaque(OpaqueValue::try_from(bytes.to_vec()).expect(name)));
    let leaf = prop_oneof![
        4 => select(known_kinds()),
        1 => unknown,
        1 => any::<i64>().prop_map(Value::Int),
        1 => any::<f64>().prop_map(|number| Value::Float(number.into())),
        2 => any::<String>().prop_map(Value::Text),
        1 => any::<Vec<u8>>().prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(3, 8, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::List),
            proptest::collection::btree_map(any::<String>(), inner, 0..4).prop_map(Value::Map),
        ]
    })
}

fn dot() -> impl Strategy<Value = Dot> {
    let counter = prop_oneof![4 => 1..4_u64, 1 => 1..=u64::MAX];
    (1..6_u8, counter).prop_map(|(seed, counter)| Dot { replica: replica(seed), counter })
}

fn life() -> impl Strategy<Value = Life> {
    let id = || (2..u128::MAX).prop_map(|bits| MoveId::from_entropy(bits).expect("not constant"));
    let destination = (id(), "[a-z]{1,30}", ".{1,30}").prop_map(|(id, collection, record)| Destination {
        id,
        collection: CollectionId::new(collection).expect("an id"),
        record: RecordId::new(record).expect("an id"),
    });
    prop_oneof![
        3 => Just(Life::Alive { moved: None }),
        1 => id().prop_map(|id| Life::Alive { moved: Some(id) }),
        1 => Just(Life::Deleted { moved: None }),
        1 => destination.prop_map(|to| Life::Deleted { moved: Some(to) }),
    ]
}

/// Where a stamp points to in whatever vector it will be drawn from.
type Seed = (prop::sample::Index, u64, Cause, i64);

fn seed() -> impl Strategy<Value = Seed> {
    let cause = select(Vec::from([Cause::User, Cause::App, Cause::Import, Cause::Listing]));
    (any::<prop::sample::Index>(), prop_oneof![0..2_u64, any::<u64>()], cause, prop_oneof![0..2_i64, any::<i64>()])
}

fn stamp(within: &VersionVector, (index, counter, cause, micros): Seed) -> Option<Stamp> {
    let entries: Vec<_> = within.iter().collect();
    let entry = (!entries.is_empty()).then(|| index.get(&entries))?;
    let dot = Dot { counter: 1 + counter % entry.counter, ..*entry };
    Some(Stamp { dot, cause, at: Timestamp::from_micros(micros) })
}

fn stamped<T>(within: &VersionVector, siblings: Vec<(Seed, T)>) -> Vec<(Stamp, T)> {
    siblings.into_iter().filter_map(|(seed, value)| Some((stamp(within, seed)?, value))).collect()
}

fn stamped_in<T>(within: &DotSet, siblings: Vec<(Seed, T)>) -> Vec<(Stamp, T)> {
    let ranges: Vec<_> = within.iter().collect();
    let stamped = |((index, counter, cause, micros), value): (Seed, T)| {
        let range = (!ranges.is_empty()).then(|| index.get(&ranges))?;
        let counter = range.first + counter % (range.last - range.first + 1);
        let stamp = Stamp { dot: Dot { replica: range.replica, counter }, cause, at: Timestamp::from_micros(micros) };
        Some((stamp, value))
    };
    siblings.into_iter().filter_map(stamped).collect()
}

/// Any record that keeps the promises of its dots.
pub(super) fn record() -> impl Strategy<Value = Record> {
    let name = prop_oneof![3 => "(tel|email|x)(/[a-c!])?", 1 => ".{1,20}"];
    let name = name.prop_map(|name| FieldName::new(name).expect("a name"));
    let fields = proptest::collection::btree_map(name, vec((seed(), value()), 1..4), 0..8);
    let hints = vec((dot(), any::<u64>()), 0..12);
    let purge = prop_oneof![3 => Just(None), 1 => vec(dot(), 0..4).prop_map(Some)];
    (vec(dot(), 0..5), purge, vec((seed(), life()), 0..3), fields, hints).prop_map(
        |(context, purge, life, fields, hints)| {
            let context = VersionVector::from_iter(context);
            let range = |dot: Dot| DotRange {
                replica: dot.replica,
                first: dot.counter,
                last: context.get(dot.replica).min(dot.counter.saturating_add(2)),
            };
            let fields_context = match purge {
                None => DotSet::from(&context),
                Some(seen) => seen.into_iter().map(range).filter(|range| range.first <= range.last).collect(),
            };
            let fields =
                fields.into_iter().map(|(name, siblings)| (name, register(stamped_in(&fields_context, siblings))));
            let fields = fields.filter(|(_, register)| !register.is_empty()).collect();
            let life = register(stamped(&context, life));
            let superseded: Superseded =
                hints.into_iter().map(|(dot, content)| (dot, ContentDigest(content))).collect();
            Record { context, fields_context, life, fields, superseded }
        },
    )
}
