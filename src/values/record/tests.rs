//! The algebra of records: what each write says, and what no order of joins can change.

#![allow(clippy::arithmetic_side_effects, reason = "a test may stop")]

use alloc::{format, string::String, vec::Vec};

use super::{Life, Record, Seeing};
use crate::values::{
    id::{FieldName, ReplicaId},
    register::{Cause, Stamp},
    time::Timestamp,
    value::Value,
    version_vector::Dot,
};

mod authoring;
mod every_history;
mod explorer;
mod random_histories;
mod restoring;
mod unsound;

/// The replica named by the `n`-th letter.
fn replica(n: u8) -> ReplicaId {
    ReplicaId::from_entropy(u128::from(n).saturating_add(1)).unwrap()
}

fn dot(n: u8, counter: u64) -> Dot {
    Dot { replica: replica(n), counter }
}

fn name(text: &str) -> FieldName {
    FieldName::new(text).unwrap()
}

fn text(value: &str) -> Value {
    Value::Text(value.into())
}

/// A stamp whose clock is the counter.
fn stamp(dot: Dot, cause: Cause) -> Stamp {
    Stamp { dot, cause, at: Timestamp::from_micros(i64::try_from(dot.counter).unwrap()) }
}

fn by_person(n: u8, counter: u64) -> Stamp {
    stamp(dot(n, counter), Cause::User)
}

fn by_machine(n: u8, counter: u64) -> Stamp {
    stamp(dot(n, counter), Cause::App)
}

const ALIVE: Life = Life::Alive { moved: None };
const DELETED: Life = Life::Deleted { moved: None };

/// A new record, as `create` writes it.
fn created(stamp: Stamp, fields: &[(&str, &str)]) -> Record {
    let none = Seeing::default();
    Record::new().with_life(stamp, &none, ALIVE).with_fields(stamp, &none, written(fields))
}

fn written(fields: &[(&str, &str)]) -> Vec<(FieldName, Option<Value>)> {
    fields.iter().map(|(field, value)| (name(field), Some(text(value)))).collect()
}

fn cleared(field: &str) -> Vec<(FieldName, Option<Value>)> {
    [(name(field), None)].into()
}

fn edited(record: &Record, stamp: Stamp, fields: &[(&str, &str)]) -> Record {
    record.edited(stamp, &record.seeing(), written(fields))
}

fn deleted(record: &Record, stamp: Stamp) -> Record {
    record.with_life(stamp, &record.seeing(), DELETED)
}

/// All surviving values of a field, by dot.
fn values(record: &Record, field: &str) -> Vec<String> {
    let siblings = record.fields().get(&name(field)).map(|register| register.siblings()).unwrap_or_default();
    let shown =
        |value: &Value| if let Value::Text(text) = value { String::from(&**text) } else { format!("{value:?}") };
    siblings.iter().map(|sibling| shown(&sibling.value)).collect()
}
