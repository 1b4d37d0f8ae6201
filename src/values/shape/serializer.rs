//! From a struct to values.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

use serde::ser::{self, Serialize};

use super::{
    Shape, TIMESTAMP, VALUE,
    budget::Budget,
    error::{Fault, Problem},
};
use crate::values::{
    time::Timestamp,
    value::{OpaqueValue, Value},
};

/// A struct or a map at the top, each entry as one value; families are not taken apart yet. `None` is no entry.
pub(super) fn entries<T: Serialize + ?Sized>(shape: &Shape, record: &T) -> Result<BTreeMap<String, Value>, Fault> {
    match record.serialize(Writer { budget: Budget::VALUE, top: Some(shape) })? {
        Some(Value::Map(entries)) => Ok(entries),
        Some(other) => Err(not_a_struct(kind(&other))),
        None => Err(not_a_struct("none")),
    }
}

/// A key of a map, or the id of an element.
pub(super) fn name(value: Value) -> Result<String, Fault> {
    match value {
        Value::Text(text) => Ok(text),
        Value::Int(number) => Ok(number.to_string()),
        Value::Time(moment) => Ok(moment.as_micros().to_string()),
        other => Err(Problem::unexpected("a text or a whole number for a name", kind(&other)).into()),
    }
}

pub(super) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "yes or no",
        Value::Int(_) => "a whole number",
        Value::Float(_) => "a float",
        Value::Text(_) => "text",
        Value::Bytes(_) => "bytes",
        Value::Time(_) => "a time",
        Value::List(_) => "a list",
        Value::Map(_) => "a map",
        Value::Opaque(_) => "an unknown kind",
    }
}

/// Makes one value; `None` for `Option::None`.
#[derive(Clone, Copy)]
struct Writer<'a> {
    budget: Budget,
    /// The shape, while this is the whole record and not one of its values.
    top: Option<&'a Shape>,
}

type Written = Result<Option<Value>, Fault>;

impl<'a> Writer<'a> {
    const fn value(budget: Budget) -> Self {
        Self { budget, top: None }
    }

    /// The same place in the record, behind a wrapper.
    fn unwrapped(self) -> Result<Self, Fault> {
        Ok(Self { budget: self.budget.unwrapped()?, ..self })
    }

    fn list(self, len: Option<usize>, variant: Option<&'static str>) -> Result<ListWriter, Fault> {
        // A length from outside is a hint, not a reason to allocate.
        let items = Vec::with_capacity(len.unwrap_or(0).min(1024));
        let budget = if variant.is_some() { self.variant()? } else { self.budget };
        Ok(ListWriter { variant, budget: budget.inside()?, items })
    }

    fn map(self, variant: Option<&'static str>) -> Result<MapWriter<'a>, Fault> {
        let budget = match (variant, self.top) {
            (Some(_), _) => self.variant()?.inside()?,
            (None, Some(_)) => self.budget,
            (None, None) => self.budget.inside()?,
        };
        Ok(MapWriter { variant, budget, top: self.top, key: None, entries: BTreeMap::new() })
    }

    /// What is left inside the map that names a variant.
    fn variant(self) -> Result<Budget, Fault> {
        if self.top.is_some() { Err(not_a_struct("an enum")) } else { self.budget.inside() }
    }
}

impl<'a> ser::Serializer for Writer<'a> {
    type Ok = Option<Value>;
    type Error = Fault;
    type SerializeSeq = ListWriter;
    type SerializeTuple = ListWriter;
    type SerializeTupleStruct = ListWriter;
    type SerializeTupleVariant = ListWriter;
    type SerializeMap = MapWriter<'a>;
    type SerializeStruct = MapWriter<'a>;
    type SerializeStructVariant = MapWriter<'a>;

    fn serialize_bool(self, yes: bool) -> Written {
        Ok(Some(Value::Bool(yes)))
    }
    fn serialize_i8(self, number: i8) -> Written {
        self.serialize_i64(number.into())
    }
    fn serialize_i16(self, number: i16) -> Written {
        self.serialize_i64(number.into())
    }
    fn serialize_i32(self, number: i32) -> Written {
        self.serialize_i64(number.into())
    }
    fn serialize_i64(self, number: i64) -> Written {
        Ok(Some(Value::Int(number)))
    }
    fn serialize_i128(self, number: i128) -> Written {
        self.serialize_i64(number.try_into().map_err(|_| Problem::OutOfRange)?)
    }
    fn serialize_u8(self, number: u8) -> Written {
        self.serialize_i64(number.into())
    }
    fn serialize_u16(self, number: u16) -> Written {
        self.serialize_i64(number.into())
    }
    fn serialize_u32(self, number: u32) -> Written {
        self.serialize_i64(number.into())
    }
    fn serialize_u64(self, number: u64) -> Written {
        self.serialize_i64(number.try_into().map_err(|_| Problem::OutOfRange)?)
    }
    fn serialize_u128(self, number: u128) -> Written {
        self.serialize_i64(number.try_into().map_err(|_| Problem::OutOfRange)?)
    }
    fn serialize_f32(self, number: f32) -> Written {
        self.serialize_f64(number.into())
    }
    fn serialize_f64(self, number: f64) -> Written {
        Ok(Some(Value::Float(number.into())))
    }
    fn serialize_char(self, c: char) -> Written {
        Ok(Some(Value::Text(c.into())))
    }
    fn serialize_str(self, text: &str) -> Written {
        Ok(Some(text.into()))
    }
    fn serialize_bytes(self, bytes: &[u8]) -> Written {
        Ok(Some(Value::Bytes(bytes.into())))
    }
    fn serialize_none(self) -> Written {
        Ok(None)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, inner: &T) -> Written {
        inner.serialize(self.unwrapped()?)
    }
    fn serialize_unit(self) -> Written {
        Ok(Some(Value::Null))
    }
    fn serialize_unit_struct(self, _: &'static str) -> Written {
        self.serialize_unit()
    }
    fn serialize_unit_variant(self, name: &'static str, _: u32, variant: &'static str) -> Written {
        if name == VALUE { self.serialize_unit() } else { self.serialize_str(variant) }
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, inner: &T) -> Written {
        let written = inner.serialize(self.unwrapped()?)?;
        Ok(match written {
            Some(Value::Int(micros)) if name == TIMESTAMP => Some(Value::Time(Timestamp::from_micros(micros))),
            other => other,
        })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        inner: &T,
    ) -> Written {
        if name != VALUE || self.top.is_some() {
            let content = inner.serialize(Self::value(self.variant()?))?;
            return Ok(Some(tagged(Some(variant), or_null(content))));
        }
        match variant {
            "Bytes" => Ok(Some(Value::Bytes(bytes(inner)?))),
            "Opaque" => {
                let opaque = OpaqueValue::try_from(bytes(inner)?);
                let custom = |error| Problem::Custom { message: alloc::format!("{error}") };
                Ok(Some(Value::Opaque(opaque.map_err(custom)?)))
            }
            _ => inner.serialize(self.unwrapped()?),
        }
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<ListWriter, Fault> {
        self.list(len, None)
    }
    fn serialize_tuple(self, len: usize) -> Result<ListWriter, Fault> {
        self.list(Some(len), None)
    }
    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<ListWriter, Fault> {
        self.list(Some(len), None)
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<ListWriter, Fault> {
        self.list(Some(len), Some(variant))
    }
    fn serialize_map(self, _: Option<usize>) -> Result<MapWriter<'a>, Fault> {
        self.map(None)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<MapWriter<'a>, Fault> {
        self.map(None)
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<MapWriter<'a>, Fault> {
        self.map(Some(variant))
    }
}

/// Elements in order; `None` among them is null.
struct ListWriter {
    variant: Option<&'static str>,
    budget: Budget,
    items: Vec<Value>,
}

impl ser::SerializeSeq for ListWriter {
    type Ok = Option<Value>;
    type Error = Fault;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Fault> {
        self.items.push(or_null(item.serialize(Writer::value(self.budget))?));
        Ok(())
    }
    fn end(self) -> Written {
        Ok(Some(tagged(self.variant, Value::List(self.items))))
    }
}

/// Entries by name; `None` is no entry in a struct, and null in a map that is itself a value.
struct MapWriter<'a> {
    variant: Option<&'static str>,
    budget: Budget,
    top: Option<&'a Shape>,
    key: Option<String>,
    entries: BTreeMap<String, Value>,
}

impl MapWriter<'_> {
    fn write<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Written {
        match self.top {
            None => value.serialize(Writer::value(self.budget)),
            Some(shape) => value.serialize(Writer::value(shape.budget(key))).map_err(|fault| fault.at(key)),
        }
    }

    fn insert(&mut self, key: String, value: Value) -> Result<(), Fault> {
        if self.entries.contains_key(&key) {
            return Err(Problem::Duplicate { name: key }.into());
        }
        self.entries.insert(key, value);
        Ok(())
    }
}

impl ser::SerializeMap for MapWriter<'_> {
    type Ok = Option<Value>;
    type Error = Fault;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        self.key = Some(name(or_null(key.serialize(Writer::value(self.budget))?))?);
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let key = self.key.take().ok_or_else(|| Problem::unexpected("a key before each value", "none"))?;
        match self.write(&key, value)? {
            None if self.top.is_some() => Ok(()),
            written => self.insert(key, or_null(written)),
        }
    }
    fn end(self) -> Written {
        Ok(Some(tagged(self.variant, Value::Map(self.entries))))
    }
}

impl ser::SerializeStruct for MapWriter<'_> {
    type Ok = Option<Value>;
    type Error = Fault;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Fault> {
        self.write(key, value)?.map_or(Ok(()), |written| self.insert(key.into(), written))
    }
    fn end(self) -> Written {
        ser::SerializeMap::end(self)
    }
}

impl ser::SerializeStructVariant for MapWriter<'_> {
    type Ok = Option<Value>;
    type Error = Fault;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Fault> {
        ser::SerializeStruct::serialize_field(self, key, value)
    }
    fn end(self) -> Written {
        ser::SerializeMap::end(self)
    }
}

macro_rules! like_a_sequence {
    ($($tuple:ident :: $method:ident),*) => {$(
        impl ser::$tuple for ListWriter {
            type Ok = Option<Value>;
            type Error = Fault;

            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Fault> {
                ser::SerializeSeq::serialize_element(self, item)
            }
            fn end(self) -> Written {
                ser::SerializeSeq::end(self)
            }
        }
    )*};
}

like_a_sequence! {
    SerializeTuple::serialize_element, SerializeTupleStruct::serialize_field, SerializeTupleVariant::serialize_field
}

fn tagged(variant: Option<&'static str>, content: Value) -> Value {
    match variant {
        None => content,
        Some(variant) => Value::Map(BTreeMap::from([(variant.into(), content)])),
    }
}

fn or_null(written: Option<Value>) -> Value {
    written.unwrap_or(Value::Null)
}

/// The bytes of a `Value` that holds some: its `Serialize` gives them one by one.
fn bytes<T: Serialize + ?Sized>(inner: &T) -> Result<Vec<u8>, Fault> {
    let byte = |item: Value| match item {
        Value::Int(number) => u8::try_from(number).map_err(|_| Problem::OutOfRange.into()),
        other => Err(Problem::unexpected("a byte", kind(&other)).into()),
    };
    match inner.serialize(Writer::value(Budget::BYTES))? {
        Some(Value::List(items)) => items.into_iter().map(byte).collect(),
        other => Err(Problem::unexpected("bytes", kind(&or_null(other))).into()),
    }
}

fn not_a_struct(found: &'static str) -> Fault {
    Problem::unexpected("a struct, or a map with names for keys", found).into()
}
