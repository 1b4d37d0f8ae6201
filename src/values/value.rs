//! What a field holds.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// The deepest nesting of lists and maps in one value, inside unknown kinds also of tags; a scalar has depth 0.
pub const MAX_VALUE_DEPTH: usize = 32;

/// A field's value. Equality is by bytes: no Unicode normalisation, floats by bits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename = "holdfast::Value")] // `values::shape` knows it by this name
#[non_exhaustive]
pub enum Value {
    /// Present and empty.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a binary fraction.
    Float(Float),
    /// UTF-8 text.
    Text(String),
    /// Bytes that the app understands; ciphertext, too.
    Bytes(Vec<u8>),
    /// A moment.
    Time(Timestamp),
    /// Values in order.
    List(Vec<Self>),
    /// Values by name.
    Map(BTreeMap<String, Self>),
    /// A kind of value that this version of the library does not know, passed through byte for byte.
    Opaque(OpaqueValue),
}

impl Value {
    /// Whether a person would say that nothing is there: null, blank text, no bytes, no elements.
    ///
    /// Numbers, booleans, times and unknown kinds are never empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.trim().is_empty(),
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::List(list) => list.is_empty(),
            Self::Map(map) => map.is_empty(),
            Self::Bool(_) | Self::Int(_) | Self::Float(_) | Self::Time(_) | Self::Opaque(_) => false,
        }
    }

    /// Levels of lists and maps, and inside unknown kinds also of tags, at most `limit + 1`: deeper is not looked at.
    #[must_use]
    pub(crate) fn depth_up_to(&self, limit: usize) -> usize {
        let below = |children: &mut dyn Iterator<Item = &Self>| match limit.checked_sub(1) {
            None => 1,
            Some(rest) => children.map(|child| child.depth_up_to(rest)).max().unwrap_or(0).saturating_add(1),
        };
        match self {
            Self::List(list) => below(&mut list.iter()),
            Self::Map(map) => below(&mut map.values()),
            Self::Opaque(opaque) => opaque.depth().min(limit.saturating_add(1)),
            _ => 0,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Bool(yes)
    }
}

/// A 64-bit float compared by its bits, with one NaN; -0.0 and 0.0 differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "f64", into = "f64")]
pub struct Float(u64);

impl Float {
    /// The number.
    #[must_use]
    pub const fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl From<f64> for Float {
    fn from(number: f64) -> Self {
        Self(if number.is_nan() { f64::NAN.to_bits() & !(1 << 63) } else { number.to_bits() })
    }
}

impl From<Float> for f64 {
    fn from(number: Float) -> Self {
        number.get()
    }
}

/// One encoded value of an unknown kind. Made by decoding only, so it is always one well-formed item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct OpaqueValue(Vec<u8>);

impl OpaqueValue {
    pub(crate) const fn from_encoded(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The encoded bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<OpaqueValue> for Vec<u8> {
    fn from(value: OpaqueValue) -> Self {
        value.0
    }
}
