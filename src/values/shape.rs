//! The round trip between an app's own structs and the fields of a record.
//!
//! Each field of the struct is one field of the record. A field that holds several things is one field per element, so
//! that two people who each add a phone number both keep theirs.

use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde::{Serialize, de::DeserializeOwned};

pub use self::error::{Problem, ShapeError};
use self::{budget::Budget, error::Fault};
use super::{
    id::{FieldName, IdError},
    value::Value,
};

mod budget;
mod deserializer;
mod error;
mod name;
mod serializer;
#[cfg(test)]
mod tests;

/// The serde names of the two types that are known by them; no Rust type can be called so by accident.
const TIMESTAMP: &str = "holdfast::Timestamp";
const VALUE: &str = "holdfast::Value";

/// Which fields of an app's struct are multi-valued; the others are plain.
///
/// # Plain fields
/// | in the struct | in the record |
/// |---|---|
/// | `None` | no field; inside a value, no entry in a struct, and null in a list or map |
/// | `()` | null |
/// | integers | whole number, if an `i64` holds it |
/// | `f32`, `f64` | float |
/// | `char`, text, what is text in readable formats (UUIDs, dates of chrono) | text |
/// | what serializes as bytes | bytes; a plain `Vec<u8>` serializes as a list of numbers |
/// | [`Timestamp`](super::time::Timestamp) | time |
/// | [`Value`] | itself, of any kind; `Some(Value::Null)` reads as `None` |
/// | sequences, tuples | list |
/// | structs, maps with text or whole numbers for keys | map |
/// | enums | text for a unit variant, else a map from the variant to its content |
///
/// A [`Value`] can not be read through serde's `flatten`, `untagged` or `tag`, where serde forgets the kinds; and an
/// error there does not name its field.
///
/// # Multi-valued fields
/// One field per element, `family/id`, so an element may have any id, `/` in it too. The order of the sequence is not
/// kept: elements are read in the order of their ids, compared as bytes of text (`10` before `9`). An app that lets
/// people order elements gives them a field for it, and sorts.
///
/// ```
/// use holdfast::values::shape::Shape;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// struct Contact {
///     name: String,
///     note: Option<String>,
///     tel: Vec<Phone>,
///     tags: Vec<String>,
/// }
///
/// #[derive(Debug, PartialEq, Serialize, Deserialize)]
/// struct Phone {
///     id: String,
///     number: String,
/// }
///
/// let shape = Shape::new().elements("tel", "id").set("tags");
/// let ada = Contact {
///     name: "Ada".into(),
///     note: None,
///     tel: vec![Phone { id: "home".into(), number: "+44 20".into() }],
///     tags: vec!["friend".into()],
/// };
///
/// let fields = shape.to_fields(&ada)?;
/// let names: Vec<_> = fields.keys().map(|name| name.as_str()).collect();
/// assert_eq!(names, ["name", "tags/friend", "tel/home"]);
/// assert_eq!(shape.from_fields::<Contact>(&fields)?, ada);
/// # Ok::<(), holdfast::values::shape::ShapeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shape(BTreeMap<String, Family>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Family {
    /// Structs, each named by one of its own fields.
    Elements { id: String },
    /// Texts, each its own name.
    Set,
}

impl Shape {
    /// Every field is plain.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// `field` is a sequence of structs, each with a text or whole number `id` that names it in the record and never
    /// changes; `tel/<id>` holds a map of its other fields. Replaces what was said of `field` before.
    #[must_use]
    pub fn elements(mut self, field: impl Into<String>, id: impl Into<String>) -> Self {
        self.0.insert(field.into(), Family::Elements { id: id.into() });
        self
    }

    /// `field` is a sequence of texts or whole numbers; `tags/<text>` holds `true`. Replaces what was said of `field`
    /// before.
    #[must_use]
    pub fn set(mut self, field: impl Into<String>) -> Self {
        self.0.insert(field.into(), Family::Set);
        self
    }

    /// The fields that `record` is. Equal structs give equal fields.
    ///
    /// # Errors
    /// [`ShapeError`], naming the field, where
    /// - `record` is neither a struct nor a map, or a field's name is empty, too long or has a `/`;
    /// - a multi-valued field is no sequence, one of its elements has no id, an id is empty, too long with its family,
    ///   or there twice (in a set, too);
    /// - an integer is beyond `i64`, or a value deeper than [`MAX_VALUE_DEPTH`](super::value::MAX_VALUE_DEPTH).
    ///
    /// ```
    /// use holdfast::values::shape::Shape;
    /// let twice = std::collections::BTreeMap::from([("tags", ["new", "new"])]);
    /// let error = Shape::new().set("tags").to_fields(&twice).unwrap_err();
    /// let message = r#"field "tags": expected each name once, found "new" twice; nothing was changed"#;
    /// assert!(error.to_string().starts_with(message));
    /// ```
    pub fn to_fields<T: Serialize + ?Sized>(&self, record: &T) -> Result<BTreeMap<FieldName, Value>, ShapeError> {
        let mut fields = BTreeMap::new();
        for (name, value) in serializer::entries(self, record)? {
            self.split(&name, value, &mut fields).map_err(|fault| fault.at(&name))?;
        }
        Ok(fields)
    }

    /// The struct that `fields` are.
    ///
    /// What the struct has no name for is ignored, and so are elements of families that are not in this shape. A field
    /// that is not there reads as `None` or as its serde default; a multi-valued one as no elements.
    ///
    /// # Errors
    /// [`ShapeError`], naming the field, where a value is not of the kind that the struct expects, is of a kind that
    /// this version does not know, is deeper than [`MAX_VALUE_DEPTH`](super::value::MAX_VALUE_DEPTH), or is not there
    /// and has no default. An app's `deny_unknown_fields` is obeyed.
    ///
    /// ```
    /// use holdfast::values::{id::FieldName, shape::Shape, value::Value};
    /// use std::collections::BTreeMap;
    ///
    /// let fields = BTreeMap::from([(FieldName::new("age").unwrap(), Value::from("ten"))]);
    /// let error = Shape::new().from_fields::<BTreeMap<String, u8>>(&fields).unwrap_err();
    /// assert!(error.to_string().starts_with(r#"field "age": expected u8, found text; nothing was changed"#));
    /// ```
    pub fn from_fields<T: DeserializeOwned>(&self, fields: &BTreeMap<FieldName, Value>) -> Result<T, ShapeError> {
        Ok(T::deserialize(deserializer::Fields::new(self, fields))?)
    }

    /// One entry of the struct, as the fields that it is.
    fn split(&self, name: &str, value: Value, fields: &mut BTreeMap<FieldName, Value>) -> Result<(), Fault> {
        if name.contains('/') {
            return Err(Problem::Slash.into());
        }
        let Some(family) = self.0.get(name) else {
            fields.insert(FieldName::new(name).map_err(Problem::Name)?, value);
            return Ok(());
        };
        let elements = match value {
            Value::List(elements) => elements,
            other => return Err(Problem::unexpected("a sequence", serializer::kind(&other)).into()),
        };
        for element in elements {
            let (id, value) = family.split(element)?;
            if id.is_empty() {
                return Err(Problem::Name(IdError::Empty).into());
            }
            let field = FieldName::new(format!("{name}/{id}")).map_err(Problem::Name)?;
            if fields.insert(field, value).is_some() {
                return Err(Problem::Duplicate { name: id }.into());
            }
        }
        Ok(())
    }

    fn budget(&self, field: &str) -> Budget {
        if self.0.contains_key(field) { Budget::FAMILY } else { Budget::VALUE }
    }
}

impl Family {
    /// The id of an element, and what its field holds.
    fn split(&self, element: Value) -> Result<(String, Value), Fault> {
        match (self, element) {
            (Self::Set, text) => Ok((serializer::name(text)?, Value::Bool(true))),
            (Self::Elements { id }, Value::Map(mut map)) => {
                let id = map.remove(id).ok_or_else(|| Problem::Missing { name: id.to_string() })?;
                Ok((serializer::name(id)?, Value::Map(map)))
            }
            (Self::Elements { .. }, other) => {
                Err(Problem::unexpected("a struct for an element", serializer::kind(&other)).into())
            }
        }
    }
}

/// The edits that lead from `read` to `new`: a value for what differs, `None` (a clear) for what is gone.
///
/// Both must come from [`Shape::to_fields`] of one type: of the struct as it was read, and as it is now. A record's
/// own fields are no `read`, because what the struct has no name for would be cleared.
///
/// An edit replaces the whole value, with what the struct has no name for inside it; a save through the record that was
/// read adds that again.
///
/// ```
/// use holdfast::values::shape::{Shape, changed};
/// use std::collections::BTreeMap;
///
/// let shape = Shape::new().set("tags");
/// let read = shape.to_fields(&BTreeMap::from([("tags", ["old", "kept"])]))?;
/// let new = shape.to_fields(&BTreeMap::from([("tags", ["kept", "new"])]))?;
/// let edits = changed(&read, &new);
/// let names: Vec<_> = edits.iter().map(|(name, value)| (name.as_str(), value.is_some())).collect();
/// assert_eq!(names, [("tags/new", true), ("tags/old", false)]);
/// # Ok::<(), holdfast::values::shape::ShapeError>(())
/// ```
#[must_use]
pub fn changed(read: &BTreeMap<FieldName, Value>, new: &BTreeMap<FieldName, Value>) -> Vec<(FieldName, Option<Value>)> {
    let written = new.iter().filter(|(name, value)| read.get(*name) != Some(*value));
    let cleared = read.keys().filter(|name| !new.contains_key(*name));
    let written = written.map(|(name, value)| (name.clone(), Some(value.clone())));
    written.chain(cleared.map(|name| (name.clone(), None))).collect()
}

/// Adds to `new` the entries of maps that the record holds and the app's struct has no name for, such as one that a newer
/// app gave to an element: they are in `held`, the value in the record, and not in `read`, what the struct made of it.
pub(crate) fn carry(held: &Value, read: &Value, new: &mut Value) {
    let (Value::Map(held), Value::Map(read), Value::Map(new)) = (held, read, new) else { return };
    for (name, held) in held {
        match (read.get(name), new.get_mut(name)) {
            (None, None) => {
                new.insert(name.clone(), held.clone());
            }
            (Some(read), Some(new)) => carry(held, read, new),
            (None, Some(_)) | (Some(_), None) => {}
        }
    }
}
