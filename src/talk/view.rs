//! Frames as readable JSON, one way only: what crosses is looked at, and never made of it.
//!
//! With `serde`, a [`RequestFrame`](super::frame::RequestFrame) or [`ReplyFrame`](super::frame::ReplyFrame) serializes as
//! follows; nothing here can be deserialized.
//!
//! - Kinds, ids and times are texts; digests, checks and the session are texts of hexadecimal digits.
//! - A version is `digest`, `alive`, its `context` by replica, and its `fields` by name. A field is its one value, or,
//!   where several survive, `shown` and `siblings`. A `fields_context` is there only where it is not all of the context.
//! - A patch is what it changes; what it does not change is left out.
//! - Bytes are `{"bytes": digits}`, unknown kinds of value `{"unknown": digits}`, floats that JSON has no number for are
//!   texts.
//!
//! ```
//! use holdfast::{talk::{frame::RequestFrame, message::Request}, *};
//! # let account = "00112233445566778899aabbccddeeff".parse()?;
//! # let greeting = Request::Greet { collection: CollectionId::new("contacts")?, accepted: 12, at: None };
//! # let (from, extra) = (ReplicaId::from_entropy(7)?, Default::default());
//! let frame = RequestFrame { session: 0x5eed, step: 0, account, from, requests: vec![greeting], extra };
//! let json = serde_json::to_value(&frame)?;
//! assert_eq!(json["session"], "0000000000005eed");
//! assert_eq!(json["requests"][0]["Greet"]["collection"], "contacts");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

use alloc::{collections::BTreeMap, format, string::String, vec::Vec};
use core::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{
    decide::offer::HeldVersion,
    values::{
        digest::Digest,
        dot_set::DotRange,
        id::{FieldName, ReplicaId},
        patch::Patch,
        record::Life,
        register::{Cause, Register, Show, Sibling},
        superseded::ContentDigest,
        value::Value,
        version::Version,
        version_vector::{Dot, VersionVector},
    },
};

/// Bytes as hexadecimal digits.
pub(super) struct Hex<'b>(pub(super) &'b [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

pub(super) fn session<S: Serializer>(session: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{session:016x}"))
}

pub(super) fn version<S: Serializer>(version: &Version, serializer: S) -> Result<S::Ok, S::Error> {
    let record = version.record();
    let fields_context = record.fields_context();
    VersionView {
        digest: version.digest(),
        alive: version.is_alive(),
        context: by_replica(record.context()),
        fields_context: (!fields_context.is_all_of(record.context())).then(|| fields_context.iter().collect()),
        fields: record.fields().iter().map(|(name, register)| (name, FieldView(register))).collect(),
    }
    .serialize(serializer)
}

pub(super) fn patch<S: Serializer>(patch: &Patch, serializer: S) -> Result<S::Ok, S::Error> {
    let hint = |(covered_by, ContentDigest(content))| HintView { covered_by, content: format!("{content:016x}") };
    let check = patch.check();
    PatchView {
        check: Hex(&check),
        seen: by_replica(patch.seen()),
        life: patch.life().map(|life| writes(life, |life| life)),
        fields: patch.fields().iter().map(|(name, register)| (name, writes(register, ValueView))).collect(),
        cleared: patch.cleared().iter().collect(),
        hints: patch.hints().iter().map(hint).collect(),
    }
    .serialize(serializer)
}

pub(super) fn held<S: Serializer>(held: &Option<HeldVersion>, serializer: S) -> Result<S::Ok, S::Error> {
    held.as_ref().map(|held| HeldView { hidden: &held.hidden, mass: held.mass }).serialize(serializer)
}

#[derive(Serialize)]
struct HeldView<'v> {
    #[serde(serialize_with = "version")]
    hidden: &'v Version,
    mass: bool,
}

#[derive(Serialize)]
struct VersionView<'v> {
    digest: Digest,
    alive: bool,
    context: BTreeMap<ReplicaId, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields_context: Option<Vec<DotRange>>,
    fields: BTreeMap<&'v FieldName, FieldView<'v>>,
}

#[derive(Serialize)]
struct PatchView<'v> {
    check: Hex<'v>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    seen: BTreeMap<ReplicaId, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    life: Option<Vec<WriteView<&'v Life>>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    fields: BTreeMap<&'v FieldName, Vec<WriteView<ValueView<'v>>>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cleared: Vec<&'v FieldName>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hints: Vec<HintView>,
}

#[derive(Serialize)]
struct HintView {
    covered_by: Dot,
    content: String,
}

#[derive(Serialize)]
struct WriteView<V> {
    replica: ReplicaId,
    counter: u64,
    cause: Cause,
    at: String,
    value: V,
}

fn writes<'v, T: Clone + Ord, V>(register: &'v Register<T>, view: impl Fn(&'v T) -> V) -> Vec<WriteView<V>> {
    let write = |Sibling { stamp, value }: &'v Sibling<T>| WriteView {
        replica: stamp.dot.replica,
        counter: stamp.dot.counter,
        cause: stamp.cause,
        at: format!("{}", stamp.at),
        value: view(value),
    };
    register.siblings().iter().map(write).collect()
}

fn by_replica(vector: &VersionVector) -> BTreeMap<ReplicaId, u64> {
    vector.iter().map(|dot| (dot.replica, dot.counter)).collect()
}

/// A field: its one value, or what is shown of several and all of them.
struct FieldView<'v>(&'v Register<Value>);

impl Serialize for FieldView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(register) = self;
        if let [only] = register.siblings() {
            return ValueView(&only.value).serialize(serializer);
        }
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("shown", &register.shown(Show::default()).map(ValueView))?;
        map.serialize_entry("siblings", &writes(register, ValueView))?;
        map.end()
    }
}

/// Recurses as deep as the value does, which authoring and decoding have bounded.
struct ValueView<'v>(&'v Value);

impl Serialize for ValueView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tagged = |kind: &str, bytes: &[u8], serializer: S| serializer.collect_map([(kind, Hex(bytes))]);
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(yes) => serializer.serialize_bool(*yes),
            Value::Int(number) => serializer.serialize_i64(*number),
            Value::Float(number) if number.get().is_finite() => serializer.serialize_f64(number.get()),
            Value::Float(number) => serializer.collect_str(&number.get()),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Bytes(bytes) => tagged("bytes", bytes, serializer),
            Value::Time(moment) => serializer.collect_str(moment),
            Value::List(list) => serializer.collect_seq(list.iter().map(ValueView)),
            Value::Map(map) => serializer.collect_map(map.iter().map(|(key, value)| (key, ValueView(value)))),
            Value::Opaque(opaque) => tagged("unknown", opaque.as_bytes(), serializer),
        }
    }
}
