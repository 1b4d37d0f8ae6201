//! A struct that has a bit of everything, and how to draw one at random.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};

use proptest::{
    collection::{btree_map, btree_set, vec as list},
    option,
    prelude::*,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::values::{
    time::Timestamp,
    value::{OpaqueValue, Value},
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Contact {
    pub(super) name: String,
    pub(super) note: Option<String>,
    pub(super) tel: Vec<Phone>,
    pub(super) tags: BTreeSet<String>,
    pub(super) home: Address,
    pub(super) offices: Vec<Address>,
    pub(super) relation: Relation,
    pub(super) height: f64,
    pub(super) weight: f32,
    pub(super) score: Option<i64>,
    pub(super) initial: char,
    pub(super) photo: Bytes,
    pub(super) hash: [u8; 3],
    pub(super) seen: Timestamp,
    pub(super) gone: Option<Timestamp>,
    pub(super) unit: (),
    pub(super) custom: Value,
    pub(super) years: BTreeMap<u16, Option<String>>,
    #[serde(flatten)]
    pub(super) more: More,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Phone {
    pub(super) id: String,
    pub(super) kind: Option<Relation>,
    pub(super) number: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Address {
    pub(super) street: String,
    pub(super) at: Option<(f64, f64)>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Relation {
    Friend,
    Since(Timestamp),
    Between(i8, u32),
    Other { label: String, weight: Option<u8> },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct More {
    pub(super) born: Timestamp,
    pub(super) key: Bytes,
    pub(super) kind: Relation,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Bytes;
            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.into()))
            }
        }
        deserializer.deserialize_bytes(Visitor)
    }
}

pub(super) fn times() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_micros)
}

pub(super) fn bytes() -> impl Strategy<Value = Bytes> {
    any::<Vec<u8>>().prop_map(Bytes)
}

pub(super) fn numbers() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{INFINITE, NORMAL, SUBNORMAL, ZERO};
    NORMAL | SUBNORMAL | ZERO | INFINITE
}

pub(super) fn addresses() -> impl Strategy<Value = Address> {
    (any::<String>(), option::of((numbers(), numbers()))).prop_map(|(street, at)| Address { street, at })
}

pub(super) fn relations() -> impl Strategy<Value = Relation> {
    prop_oneof![
        Just(Relation::Friend),
        times().prop_map(Relation::Since),
        any::<(i8, u32)>().prop_map(|(from, to)| Relation::Between(from, to)),
        any::<(String, Option<u8>)>().prop_map(|(label, weight)| Relation::Other { label, weight }),
    ]
}

pub(super) fn values() -> impl Strategy<Value = Value> {
    let scalars = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_map(|number| Value::Float(number.into())),
        any::<String>().prop_map(Value::Text),
        any::<Vec<u8>>().prop_map(Value::Bytes),
        times().prop_map(Value::Time),
        any::<u32>().prop_map(opaque),
    ];
    scalars.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            list(inner.clone(), 0..4).prop_map(Value::List),
            btree_map(any::<String>(), inner, 0..4).prop_map(Value::Map),
        ]
    })
}

pub(super) fn phones() -> impl Strategy<Value = Vec<Phone>> {
    btree_map("\\PC{1,20}", (option::of(relations()), any::<String>()), 0..4)
        .prop_map(|phones| phones.into_iter().map(|(id, (kind, number))| Phone { id, kind, number }).collect())
}

prop_compose! {
    pub(super) fn contacts()(
        (name, note, tel, tags) in (any::<String>(), any::<Option<String>>(), phones(), btree_set("\\PC{1,9}", 0..4)),
        (home, offices, relation) in (addresses(), list(addresses(), 0..3), relations()),
        (height, weight, score, initial) in (numbers(), proptest::num::f32::NORMAL, any::<Option<i64>>(), any::<char>()),
        (photo, hash, seen, gone) in (bytes(), any::<[u8; 3]>(), times(), option::of(times())),
        (custom, years) in (values(), btree_map(any::<u16>(), any::<Option<String>>(), 0..3)),
        (born, key, kind) in (times(), bytes(), relations()),
    ) -> Contact {
        let more = More { born, key, kind };
        Contact {
            name, note, tel, tags, home, offices, relation, height, weight, score, initial, photo, hash, seen, gone,
            unit: (), custom, years, more,
        }
    }
}

/// A well-formed value of a kind that the library does not know: tag 1000 over a number.
pub(super) fn opaque(number: u32) -> Value {
    let [a, b, c, d] = number.to_be_bytes();
    Value::Opaque(OpaqueValue::from_encoded([0xd9, 0x03, 0xe8, 0x1a, a, b, c, d].to_vec()))
}
