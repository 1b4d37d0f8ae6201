//! Names, read back as what they were in the struct.

use alloc::string::ToString;

use serde::{
    de::{
        Deserializer, IntoDeserializer, Visitor,
        value::{BorrowedStrDeserializer, MapAccessDeserializer, MapDeserializer},
    },
    forward_to_deserialize_any,
};

use super::{VALUE, budget::Budget, error::Fault};

/// A name: a field, a key of a map, the id of an element. Text, or a whole number that is written just so.
#[derive(Clone, Copy)]
pub(super) struct Name<'de> {
    pub(super) text: &'de str,
    pub(super) budget: Budget,
}

impl Name<'_> {
    fn unwrapped(self) -> Result<Self, Fault> {
        Ok(Self { budget: self.budget.unwrapped()?, ..self })
    }
}

macro_rules! whole_numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match self.text.parse::<i64>() {
                Ok(number) if number.to_string() == self.text => visitor.visit_i64(number),
                _ => visitor.visit_borrowed_str(self.text),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Name<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_borrowed_str(self.text)
    }

    whole_numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self.unwrapped()?)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self.unwrapped()?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if name == VALUE {
            let text = MapDeserializer::new(core::iter::once(("Text", self.text)));
            return visitor.visit_enum(MapAccessDeserializer::new(text));
        }
        BorrowedStrDeserializer::new(self.text).deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Fault> for Name<'de> {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}
