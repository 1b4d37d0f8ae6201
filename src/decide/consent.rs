//! A person's answers: consent and keep.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::values::{digest::Digest, id::CollectionId, time::Timestamp};

/// What a person said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Verdict {
    /// Let the held versions in.
    Consent,
    /// Keep what is shown, over what came.
    Keep,
}

/// A person's answer to the lines that one digest names. It releases those lines, while they stand, once; it never
/// widens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What they said.
    pub verdict: Verdict,
    /// The collection of the hold.
    pub collection: CollectionId,
    /// The digest they were shown.
    pub digest: Digest,
    /// Who answered, in words the app can show.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// One answered line, as it travels with its record: elsewhere it excuses a loss exactly when the version that would
/// result there is `hidden`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excuse {
    /// The version that was shown.
    pub held: Digest,
    /// The version that resulted.
    pub hidden: Digest,
    /// Who answered.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What a travelling consent is worth here: the host's word, given when a session opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Trust {
    /// It lifts nothing.
    Nothing,
    /// The peer authenticated this account, and continuity is intact: it lifts the limits for its lines.
    #[default]
    Account,
    /// The host verified a person's signature over it.
    Signed,
}

impl Trust {
    /// Whether a travelling consent lifts the limits for its lines.
    #[must_use]
    pub const fn lifts(self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Account | Self::Signed => true,
        }
    }
}
