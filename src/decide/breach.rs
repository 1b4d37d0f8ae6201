//! Which limit was broken, where, with both numbers.

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::values::plural::Plural;

/// Where a limit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// One collection.
    Collection,
    /// The first records of the collection, by the order in which this replica first saw them.
    CollectionPrefix(u64),
    /// All collections of the account on this device.
    Account,
    /// The first records of the account, by the order in which this device first saw them.
    AccountPrefix(u64),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Collection => f.write_str("of this collection"),
            Self::CollectionPrefix(n) => write!(f, "of the {n} oldest records of this collection"),
            Self::Account => f.write_str("of the account"),
            Self::AccountPrefix(n) => write!(f, "of the {n} oldest records of the account"),
        }
    }
}

/// Which rule asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Rule {
    /// Too many losses in one round.
    Round,
    /// Too much lost and unanswered, over any number of rounds.
    Floor,
    /// Nothing would be left.
    Zero,
    /// Too many losses in one round that nobody authored.
    UnauthoredRound,
    /// Too many losses that nobody authored, over any number of rounds.
    UnauthoredOpen,
    /// The same family emptied in too many records.
    Emptied(String),
    /// Known values overwritten in too many records.
    Overwritten,
    /// Known values overwritten in too many small records.
    OverwrittenSmall,
    /// A person deletes many at once: they are asked where they are looking.
    BulkDelete,
    /// The server is seeded from this device, so it takes nothing from it.
    Reseed,
    /// The ledger is missing or damaged, so everything counts as spent.
    LedgerMissing,
}

impl Rule {
    /// Whether it is about many alike changes, each of which may be no loss.
    #[must_use]
    pub(crate) const fn is_mass(&self) -> bool {
        matches!(self, Self::Emptied(_) | Self::Overwritten | Self::OverwrittenSmall | Self::Reseed)
    }
}

/// One limit broken in one scope.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Breach {
    /// The rule.
    pub rule: Rule,
    /// Where.
    pub scope: Scope,
    /// Records counted.
    pub found: u64,
    /// Records allowed, inclusive.
    pub allowed: u64,
    /// Records in the scope, before the round.
    pub of: u64,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, scope, found, allowed, of } = self;
        let of = Plural(*of, "record");
        let numbers = format_args!("{found} of {of} {scope}, at most {allowed} without asking");
        match rule {
            Rule::Round => write!(f, "this round takes {numbers}"),
            Rule::Floor => write!(f, "lost and unanswered: {numbers}"),
            Rule::Zero => write!(f, "nothing would be left: {numbers}"),
            Rule::UnauthoredRound => write!(f, "this round takes, with no author, {numbers}"),
            Rule::UnauthoredOpen => write!(f, "lost with no author and unanswered: {numbers}"),
            Rule::Emptied(family) => write!(f, "this round empties '{}' in {numbers}", family.escape_debug()),
            Rule::Overwritten => write!(f, "this round overwrites {numbers}"),
            Rule::OverwrittenSmall => write!(f, "this round overwrites small records: {numbers}"),
            Rule::BulkDelete => write!(f, "a bulk delete takes {numbers}"),
            // None at all may be taken.
            Rule::Reseed => {
                write!(f, "the server is seeded from this device, and would take {found} of {of} {scope} from it")
            }
            Rule::LedgerMissing => write!(f, "the ledger is missing: {numbers}"),
        }
    }
}

/// Why one record waits for an answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Why {
    /// A limit broke.
    Limit(Breach),
    /// It was held already, and more came for it.
    HeldAlready,
    /// The other side holds it back.
    HeldElsewhere,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limit(breach) => breach.fmt(f),
            Self::HeldAlready => f.write_str("more came for what is held already"),
            Self::HeldElsewhere => f.write_str("the other side holds it back"),
        }
    }
}
