//! Why a record is not taken in.

use serde::{Deserialize, Serialize};

use crate::values::{
    digest::Digest,
    id::{FieldName, ReplicaId},
    value::MAX_VALUE_DEPTH,
};

/// Why one record was not taken in. All others were; this one is as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Two contents under the same contexts: a cloned or broken replica.
    #[error(
        "expected version {ours} under these contexts, found {theirs}; the record is as it was; the next session of a device writes both down"
    )]
    Equivocation {
        /// What is stored here.
        ours: Digest,
        /// What came.
        theirs: Digest,
    },
    /// The record has changed since, so it was left as it is.
    #[error("expected version {expected}, found {found}: changed since; the record is as it is; edit it by hand")]
    ChangedSince {
        /// What the receipt left.
        expected: Digest,
        /// What is stored now.
        found: Digest,
    },
    /// The entry of a listing can not be read, or only half of it is there. That is no absence.
    #[error(
        "expected an entry that can be read, found one that can not; the record is as it was; mend the entry and list again"
    )]
    Unreadable,
    /// The listing names the record more than once.
    #[error("expected one entry for this record, found several; the record is as it was; give all but one another id")]
    ListedTwice,
    /// The entry says that it is as it was last shown, and it was never shown.
    #[error(
        "expected the contents of an entry that is new here, found none; the record is as it was; list it with its contents"
    )]
    NeverShown,
    /// A value of the entry is nested too deep.
    #[error(
        "expected at most {MAX_VALUE_DEPTH} levels of nesting in '{field}', found more; the record is as it was; flatten the value"
    )]
    TooDeep {
        /// The field.
        field: FieldName,
    },
    /// The record is held: answer the hold first.
    #[error("the record is held, and is as it was; answer the hold first")]
    Held,
    /// The sender has seen writes of somebody else that are not here, and nothing is being repaired: this replica has lost
    /// them, or they never were.
    #[error(
        "expected writes of {replica} up to {held}, found {found}; the record is as it was; sync again: if they were lost here, that is named and mended"
    )]
    ForeignDots {
        /// The writer.
        replica: ReplicaId,
        /// The greatest of its counters that came.
        found: u64,
        /// The greatest that is held.
        held: u64,
    },
    /// A write under a counter that its writer has not reached: a cloned or broken replica.
    #[error(
        "expected counters of {replica} up to {limit}, found {found}; the record is as it was; its writer takes a new replica id"
    )]
    CounterAhead {
        /// The writer.
        replica: ReplicaId,
        /// The greatest that can be.
        limit: u64,
        /// The counter found.
        found: u64,
    },
    /// Another content under a write that is held here: a cloned or lying replica.
    #[error(
        "expected the content that write {counter} of {replica} has here, found another; the record is as it was; the next session of a device writes both down"
    )]
    Forged {
        /// The writer.
        replica: ReplicaId,
        /// Its counter.
        counter: u64,
    },
    /// The record has more bytes, fields or writers than may cross.
    #[error(
        "expected at most {limit} bytes, fields or writers, found {found}; the record is as it was; make it smaller"
    )]
    TooLarge {
        /// Allowed, inclusive.
        limit: u64,
        /// Found.
        found: u64,
    },
}
