//! From values to a struct.

use alloc::{
    collections::BTreeMap,
    string::String,
    vec::{self, Vec},
};

use serde::{
    de::{
        self, DeserializeSeed, Deserializer, IntoDeserializer, Visitor,
        value::{BorrowedStrDeserializer, I64Deserializer, MapAccessDeserializer, MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};

use super::{
    Family, Shape, TIMESTAMP, VALUE,
    budget::Budget,
    error::{Fault, Problem},
    name::Name,
    serializer::kind,
};
use crate::values::{id::FieldName, value::Value};

/// A record as a struct or a map: plain fields, and each family of the shape as a sequence, empty ones too.
pub(super) struct Fields<'de>(Vec<Entry<'de>>);

/// The name in the struct, the field to name in an error, the content.
type Entry<'de> = (&'de str, &'de str, Content<'de>);

enum Content<'de> {
    Plain(Reader<'de>),
    Id(Name<'de>),
    Family(Elements<'de>),
}

impl<'de> Fields<'de> {
    pub(super) fn new(shape: &'de Shape, fields: &'de BTreeMap<FieldName, Value>) -> Self {
        let mut families: BTreeMap<&str, Vec<Element<'de>>> = BTreeMap::new();
        let mut entries = Vec::new();
        for (field, value) in fields {
            let known = shape.0.contains_key(field.family());
            match field.element() {
                None if !known => {
                    let reader = Reader { value, budget: Budget::VALUE };
                    entries.push((field.as_str(), field.as_str(), Content::Plain(reader)));
                }
                Some(id) if known && !id.is_empty() => {
                    families.entry(field.family()).or_default().push(Element { field, id, value });
                }
                _ => {} // nothing that this shape writes
            }
        }
        entries.extend(shape.0.iter().map(|(name, family)| {
            let elements = families.remove(name.as_str()).unwrap_or_default();
            (name.as_str(), name.as_str(), Content::Family(Elements { family, elements, budget: Budget::VALUE }))
        }));
        Self(entries)
    }
}

impl<'de> Deserializer<'de> for Fields<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_map(Entries { rest: self.0.into_iter(), current: None })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

struct Entries<'de> {
    rest: vec::IntoIter<Entry<'de>>,
    current: Option<(&'de str, Content<'de>)>,
}

impl<'de> de::MapAccess<'de> for Entries<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        let Some((name, field, content)) = self.rest.next() else { return Ok(None) };
        self.current = Some((field, content));
        seed.deserialize(Name { text: name, budget: Budget::VALUE }).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let (field, content) =
            self.current.take().ok_or_else(|| Problem::unexpected("a key before each value", "none"))?;
        match content {
            Content::Plain(reader) => seed.deserialize(reader),
            Content::Id(name) => seed.deserialize(name),
            Content::Family(elements) => seed.deserialize(elements),
        }
        .map_err(|fault| fault.at(field))
    }
}

struct Element<'de> {
    field: &'de FieldName,
    id: &'de str,
    value: &'de Value,
}

/// The elements of one family, in order of their ids.
struct Elements<'de> {
    family: &'de Family,
    elements: Vec<Element<'de>>,
    budget: Budget,
}

impl<'de> Deserializer<'de> for Elements<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(ElementSequence { family: self.family, rest: self.elements.into_iter() })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.elements.is_empty() {
            return visitor.visit_none();
        }
        visitor.visit_some(Self { budget: self.budget.unwrapped()?, ..self })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(Self { budget: self.budget.unwrapped()?, ..self })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

struct ElementSequence<'de> {
    family: &'de Family,
    rest: vec::IntoIter<Element<'de>>,
}

impl<'de> de::SeqAccess<'de> for ElementSequence<'de> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Some(Element { field, id, value }) = self.rest.next() else { return Ok(None) };
        let field = field.as_str();
        let id = Name { text: id, budget: Budget::VALUE };
        let read = match self.family {
            Family::Set => seed.deserialize(id),
            Family::Elements { id: key } => fields_of(key, field, id, value).and_then(|all| seed.deserialize(all)),
        };
        read.map(Some).map_err(|fault| fault.at(field))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// One element as a struct again, its id filled in.
fn fields_of<'de>(key: &'de str, field: &'de str, id: Name<'de>, value: &'de Value) -> Result<Fields<'de>, Fault> {
    let map = match value {
        Value::Map(map) => map,
        Value::Opaque(_) => return Err(Problem::UnknownKind.into()),
        other => return Err(Problem::unexpected("a map for an element", kind(other)).into()),
    };
    let budget = Budget::VALUE.inside()?;
    let others = map.iter().filter(|(name, _)| *name != key);
    let others = others.map(|(name, value)| (name.as_str(), field, Content::Plain(Reader { value, budget })));
    Ok(Fields(core::iter::once((key, field, Content::Id(id))).chain(others).collect()))
}

/// One value.
#[derive(Clone, Copy)]
struct Reader<'de> {
    value: &'de Value,
    budget: Budget,
}

impl<'de> Reader<'de> {
    fn unwrapped(self) -> Result<Self, Fault> {
        Ok(Self { budget: self.budget.unwrapped()?, ..self })
    }

    fn map(
        self,
        map: &'de BTreeMap<String, Value>,
    ) -> Result<MapDeserializer<'de, impl Iterator<Item = (Name<'de>, Self)>, Fault>, Fault> {
        let budget = self.budget.inside()?;
        Ok(MapDeserializer::new(
            map.iter().map(move |(name, value)| (Name { text: name, budget }, Self { value, budget })),
        ))
    }
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(yes) => visitor.visit_bool(*yes),
            Value::Int(number) => visitor.visit_i64(*number),
            Value::Float(number) => visitor.visit_f64(number.get()),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            // As a newtype, so that no plain integer takes it and writes it back as another kind.
            Value::Time(moment) => visitor.visit_newtype_struct(I64Deserializer::new(moment.as_micros())),
            Value::List(list) => {
                let budget = self.budget.inside()?;
                SeqDeserializer::new(list.iter().map(|value| Self { value, budget })).deserialize_any(visitor)
            }
            Value::Map(map) => self.map(map)?.deserialize_any(visitor),
            // As a map from null, which nothing takes but what only looks on, such as serde's `flatten`.
            Value::Opaque(_) => MapDeserializer::new(core::iter::once(((), ())))
                .deserialize_any(visitor)
                .map_err(|_: Fault| Problem::UnknownKind.into()),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        if *self.value == Value::Null { visitor.visit_none() } else { visitor.visit_some(self.unwrapped()?) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Value::Time(_) if name == TIMESTAMP => self.deserialize_any(visitor),
            Value::Opaque(_) if name == TIMESTAMP => Err(Problem::UnknownKind.into()),
            other if name == TIMESTAMP => Err(Problem::unexpected("a time", kind(other)).into()),
            _ => visitor.visit_newtype_struct(self.unwrapped()?),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.value {
            _ if name == VALUE => visitor.visit_enum(AsValue(self.unwrapped()?)),
            Value::Text(text) => BorrowedStrDeserializer::new(text).deserialize_enum(name, variants, visitor),
            Value::Map(map) if map.len() == 1 => visitor.visit_enum(MapAccessDeserializer::new(self.map(map)?)),
            Value::Opaque(_) => Err(Problem::UnknownKind.into()),
            other => Err(Problem::unexpected("the name of a variant, or a map of one", kind(other)).into()),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.value {
            Value::Bytes(bytes) => SeqDeserializer::new(bytes.iter().copied()).deserialize_any(visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        tuple_struct map struct identifier
    }
}

impl<'de> IntoDeserializer<'de, Fault> for Reader<'de> {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

/// A value for a field that is a [`Value`] itself: of whatever kind it is.
struct AsValue<'de>(Reader<'de>);

impl<'de> de::EnumAccess<'de> for AsValue<'de> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Fault> {
        let variant = match self.0.value {
            Value::Null => "Null",
            Value::Bool(_) => "Bool",
            Value::Int(_) => "Int",
            Value::Float(_) => "Float",
            Value::Text(_) => "Text",
            Value::Bytes(_) => "Bytes",
            Value::Time(_) => "Time",
            Value::List(_) => "List",
            Value::Map(_) => "Map",
            Value::Opaque(_) => "Opaque",
        };
        Ok((seed.deserialize(BorrowedStrDeserializer::<Fault>::new(variant))?, self))
    }
}

impl<'de> de::VariantAccess<'de> for AsValue<'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        match self.0.value {
            Value::Opaque(opaque) => seed.deserialize(SeqDeserializer::new(opaque.as_bytes().iter().copied())),
            _ => seed.deserialize(self.0),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        self.0.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Fault> {
        self.0.deserialize_any(visitor)
    }
}
