//! Names of things, as types that do not mix.
//!
//! ```compile_fail
//! use holdfast::values::id::{CollectionId, RecordId};
//! let people = CollectionId::new("people").unwrap();
//! let record: RecordId = people; // a collection is not a record
//! ```
//!
//! ```compile_fail
//! use holdfast::values::id::{FieldName, RecordId};
//! let field: FieldName = RecordId::new("ada").unwrap(); // a record is not a field
//! ```
//!
//! ```compile_fail
//! use holdfast::values::id::{MoveId, ReplicaId};
//! let replica: ReplicaId = MoveId::from_entropy(7).unwrap(); // a move is not a replica
//! ```
//!
//! ```
//! use holdfast::values::id::{CollectionId, FieldName, MoveId, RecordId, ReplicaId};
//! let _move: MoveId = MoveId::from_entropy(7).unwrap();
//! let field: FieldName = FieldName::new("ada").unwrap();
//! let replica: ReplicaId = ReplicaId::from_entropy(7).unwrap();
//! let people = CollectionId::new("people").unwrap();
//! let record: RecordId = RecordId::new("ada").unwrap();
//! assert_eq!((people.as_str(), record.as_str()), ("people", "ada"));
//! ```

use alloc::{string::String, sync::Arc};
use core::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The longest textual id, in bytes of UTF-8, inclusive.
pub const MAX_ID_BYTES: usize = 255;

/// Why a text or a number can not be an id. Nothing was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// The text is empty.
    #[error("expected an id of 1 to {MAX_ID_BYTES} bytes, found an empty text; no id was made; take another")]
    Empty,
    /// The text is longer than [`MAX_ID_BYTES`].
    #[error("expected an id of at most {MAX_ID_BYTES} bytes, found {found}; no id was made; take another")]
    TooLong {
        /// Bytes found.
        found: usize,
    },
    /// The 128 bits are all zero or all one, which no entropy source gives.
    #[error("expected 128 random bits, found a constant; no id was made; draw them from the operating system")]
    NotRandom,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// 1 to [`MAX_ID_BYTES`] bytes of UTF-8, compared byte by byte. [`Display`](fmt::Display) escapes control
        /// characters, so that an id from outside can not forge a line of a log.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks the length and takes the text.
            ///
            /// # Errors
            /// [`IdError::Empty`] or [`IdError::TooLong`].
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                let text = text.as_ref();
                match text.len() {
                    0 => Err(IdError::Empty),
                    found if found > MAX_ID_BYTES => Err(IdError::TooLong { found }),
                    _ => Ok(Self(Arc::from(text))),
                }
            }

            /// The text as given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.chars().try_for_each(|c| {
                    if c.is_control() { write!(f, "{}", c.escape_default()) } else { fmt::Write::write_char(f, c) }
                })
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:?})", stringify!($name), self.as_str())
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                Self::from(id.as_str())
            }
        }
    };
}

text_id! {
    /// A set of records with one history: an address book, a calendar, a list.
    CollectionId
}
text_id! {
    /// The unit of sync, unique in its collection.
    RecordId
}
text_id! {
    /// One person's account, as the host names it: what a peer has been authenticated for.
    AccountId
}
text_id! {
    /// One field of a record. The part before the first `/` is its [family](FieldName::family); an element of a
    /// multi-valued property is named `family/element`.
    FieldName
}

impl CollectionId {
    /// A name that stands for none.
    pub(crate) fn nowhere() -> Self {
        Self(Arc::from("?"))
    }
}

impl FieldName {
    /// The part before the first `/`: `tel` of `tel/home`, `name` of `name`.
    #[must_use]
    pub fn family(&self) -> &str {
        self.as_str().split('/').next().unwrap_or_default()
    }

    /// Whether it says how the record is laid out, not what it is: its family begins with `~`, as in `~order`.
    ///
    /// Formats that people's files come in have such details: the order of lines, a serial number, the program that
    /// wrote them. They travel and merge as any field. The guard does not count them, two records that differ in nothing
    /// else have the same content, and several siblings of one are no conflict.
    #[must_use]
    pub fn is_layout(&self) -> bool {
        self.as_str().starts_with('~')
    }

    /// The part after the first `/`, if there is one: `home` of `tel/home`.
    #[must_use]
    pub fn element(&self) -> Option<&str> {
        self.as_str().split_once('/').map(|(_, element)| element)
    }
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// 128 bits from the host's entropy. The library makes none itself.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(Uuid);

        impl $name {
            /// Takes 128 bits that the host drew at random.
            ///
            /// # Errors
            /// [`IdError::NotRandom`] for all zeros or all ones.
            pub const fn from_entropy(bits: u128) -> Result<Self, IdError> {
                match bits {
                    0 | u128::MAX => Err(IdError::NotRandom),
                    _ => Ok(Self(Uuid::from_u128(bits))),
                }
            }

            /// The bits in network order.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0.simple())
            }
        }
    };
}

random_id! {
    /// One holder of a copy, per installation: a device or a server. Two installations never share one.
    ReplicaId
}

impl ReplicaId {
    /// Stands for the device that a store belongs to, whatever its id is: what a server has shown in its rounds and is not judged
    /// yet waits under it, so that it is still found under another id. Nobody speaks under it.
    pub const THIS_DEVICE: Self = Self(Uuid::nil());
}

random_id! {
    /// Ties the delete and the create that together are one move.
    MoveId
}
random_id! {
    /// One life of a server's collection: new at every creation, and at every restore or loss that is noticed (S7).
    Lineage
}
