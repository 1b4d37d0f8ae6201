//! What can go wrong between a struct and its fields.

use alloc::string::{String, ToString};
use core::fmt;

use serde::{de, ser};

use crate::values::{id::IdError, value::MAX_VALUE_DEPTH};

/// Why a struct could not become fields, or fields a struct. Nothing was changed.
///
/// Shows names and kinds, never a field's value; only [`Problem::Custom`] shows what the app's own code wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}; nothing was changed; mend the struct, or its shape", Of(.field))]
#[non_exhaustive]
pub struct ShapeError {
    /// The field: `name`, or `tel/home` for one element. Empty where it is the struct as a whole.
    pub field: String,
    /// What was expected there, and what was found.
    pub problem: Problem,
}

/// What was expected of a field, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// One kind of thing where another was expected.
    #[error("expected {expected}, found {found}")]
    Unexpected {
        /// In the words of the type that was to be made.
        expected: String,
        /// The kind, not the value.
        found: &'static str,
    },
    /// A whole number that an `i64` can not hold.
    #[error("expected a whole number from {} to {}, found one outside", i64::MIN, i64::MAX)]
    OutOfRange,
    /// Something that has no default, or an element's id, is not there.
    #[error("expected a value for {name:?}, found none")]
    Missing {
        /// Its name in the struct.
        name: String,
    },
    /// One element id, element of a set, or key of a map, twice.
    #[error("expected each name once, found {name:?} twice")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// The name of a field, or of an element with its family, is empty or too long.
    #[error(transparent)]
    Name(IdError),
    /// A name of the struct has the `/` that divides a family from its elements.
    #[error("expected a name without '/', found one with it")]
    Slash,
    /// More than [`MAX_VALUE_DEPTH`] levels.
    #[error("expected at most {MAX_VALUE_DEPTH} levels of lists and maps, found more")]
    TooDeep,
    /// The field holds a [`Value::Opaque`](crate::values::value::Value::Opaque).
    #[error("expected a kind of value that this version knows, found an unknown kind")]
    UnknownKind,
    /// The app's own serde code refused.
    #[error("expected what the app's type accepts, found: {message}")]
    Custom {
        /// In its words.
        message: String,
    },
}

impl Problem {
    pub(super) fn unexpected(expected: impl fmt::Display, found: &'static str) -> Self {
        Self::Unexpected { expected: expected.to_string(), found }
    }
}

/// A problem on its way up to the field that it is in.
#[derive(Debug)]
pub(super) struct Fault {
    field: Option<String>,
    problem: Problem,
}

impl Fault {
    /// Names the field, unless it is known more exactly already.
    pub(super) fn at(mut self, field: &str) -> Self {
        self.field.get_or_insert_with(|| field.into());
        self
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self { field: None, problem }
    }
}

impl From<Fault> for ShapeError {
    fn from(Fault { field, problem }: Fault) -> Self {
        let field = match (field, &problem) {
            (Some(field), _) => field,
            (None, Problem::Missing { name }) => name.clone(),
            (None, _) => String::new(),
        };
        Self { field, problem }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl core::error::Error for Fault {}

impl ser::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Problem::Custom { message: message.to_string() }.into()
    }
}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Problem::Custom { message: message.to_string() }.into()
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Problem::unexpected(expected, kind(&found)).into()
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Problem::unexpected(expected, kind(&found)).into()
    }

    fn invalid_length(_: usize, expected: &dyn de::Expected) -> Self {
        Problem::unexpected(expected, "another number of them").into()
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Problem::unexpected(format_args!("one of {expected:?}"), "another name").into()
    }

    fn missing_field(field: &'static str) -> Self {
        Problem::Missing { name: field.into() }.into()
    }

    fn duplicate_field(field: &'static str) -> Self {
        Problem::Duplicate { name: field.into() }.into()
    }
}

const fn kind(found: &de::Unexpected<'_>) -> &'static str {
    match found {
        de::Unexpected::Bool(_) => "yes or no",
        de::Unexpected::Unsigned(_) | de::Unexpected::Signed(_) => "a whole number",
        de::Unexpected::Float(_) => "a float",
        de::Unexpected::Char(_) | de::Unexpected::Str(_) => "text",
        de::Unexpected::Bytes(_) => "bytes",
        de::Unexpected::Unit | de::Unexpected::Option => "null",
        de::Unexpected::NewtypeStruct => "a time",
        de::Unexpected::Seq => "a list",
        de::Unexpected::Map => "a map",
        _ => "something else",
    }
}

struct Of<'a>(&'a str);

impl fmt::Display for Of<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "field {:?}: ", self.0) }
    }
}
