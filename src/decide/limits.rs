//! How much a sync may take before it asks.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// A number of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Count(pub u64);

/// Hundredths, 0 to 100 inclusive; more is taken as 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "u8", into = "u8")]
pub struct Percent(u8);

impl Percent {
    /// `hundredths` of the whole, at most 100.
    #[must_use]
    pub const fn new(hundredths: u8) -> Self {
        Self(if hundredths > 100 { 100 } else { hundredths })
    }

    /// This share of `n`, rounded down.
    #[must_use]
    pub fn of(self, n: u64) -> u64 {
        scaled(n, self.0, 0)
    }

    /// This share of `n`, rounded up.
    #[must_use]
    pub fn of_rounded_up(self, n: u64) -> u64 {
        scaled(n, self.0, 99)
    }
}

impl From<u8> for Percent {
    fn from(hundredths: u8) -> Self {
        Self::new(hundredths)
    }
}

impl From<Percent> for u8 {
    fn from(percent: Percent) -> Self {
        percent.0
    }
}

fn scaled(n: u64, hundredths: u8, carry: u128) -> u64 {
    // At most 2^64 * 100 + 99, and the quotient at most n.
    let product = u128::from(n).saturating_mul(u128::from(hundredths)).saturating_add(carry);
    u64::try_from(product.checked_div(100).unwrap_or(0)).unwrap_or(u64::MAX)
}

/// What may be lost of `n` records: `max(1, min(count, n/2), percent)`, halves rounded up, percents down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Budget {
    /// The cap for small sets, itself capped by half the set.
    pub count: Count,
    /// The share of large sets.
    pub percent: Percent,
}

impl Budget {
    /// Losses allowed of `n` records, inclusive.
    #[must_use]
    pub fn of(self, n: u64) -> u64 {
        self.count.0.min(n.div_ceil(2)).max(self.percent.of(n)).max(1)
    }
}

/// What may change alike in one round: `max(count, percent)`, percents rounded down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Threshold {
    /// Never less than this.
    pub count: Count,
    /// The share of large sets.
    pub percent: Percent,
}

impl Threshold {
    /// Records allowed of `n`, inclusive.
    #[must_use]
    pub fn of(self, n: u64) -> u64 {
        self.count.0.max(self.percent.of(n))
    }
}

/// The numbers of the guard. Every field may be set tighter; a looser number than [`Limits::STANDARD`] is taken as the
/// standard one by [`tightened`](Self::tightened), which every guard applies.
///
/// ```
/// use holdfast::{Limits, decide::limits::{Count, Percent}};
///
/// assert_eq!(Limits::STANDARD.round.of(320), 32); // losses in one round
/// assert_eq!(Limits::STANDARD.round.of(12), 6);
/// assert_eq!(Limits::STANDARD.floor_of(320), Some(160)); // lost and unanswered, over any number of rounds
/// assert_eq!(Limits::STANDARD.floor_of(7), None);
///
/// let app = Limits { floor: Percent::new(20), bulk_delete: Count(1_000), ..Limits::STANDARD };
/// assert_eq!(app.tightened().floor, Percent::new(20));
/// assert_eq!(app.tightened().bulk_delete, Limits::STANDARD.bulk_delete); // nothing can be made looser
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Limits {
    /// Losses in one round, in every scope.
    pub round: Budget,
    /// Share of a scope that may be lost and unanswered, rounded up. No clock enters.
    pub floor: Percent,
    /// The floor and the prefixes begin at this many records.
    pub floor_from: Count,
    /// A collection that had this many never reaches none by sync.
    pub zero_collection_from: Count,
    /// An account that had this many never reaches none by sync.
    pub zero_account_from: Count,
    /// Losses that nobody authored, in one round.
    pub unauthored_round: Budget,
    /// Losses that nobody authored, until a person answers.
    pub unauthored_open: Budget,
    /// Records in which the same family of fields is emptied, in one round.
    pub emptied: Threshold,
    /// Records in which a known value is overwritten, in one round.
    pub overwritten: Threshold,
    /// The same, of records with one or two families.
    pub overwritten_small: Threshold,
    /// A bulk delete of this many, or one that empties a collection, asks first.
    pub bulk_delete: Count,
    /// The family without which a record is as good as lost: `name`, in an address book.
    pub identifying: Option<String>,
}

impl Limits {
    /// The limits in force where the app sets none.
    pub const STANDARD: Self = Self {
        round: Budget { count: Count(10), percent: Percent(10) },
        floor: Percent(50),
        floor_from: Count(8),
        zero_collection_from: Count(8),
        zero_account_from: Count(3),
        unauthored_round: Budget { count: Count(3), percent: Percent(1) },
        unauthored_open: Budget { count: Count(10), percent: Percent(5) },
        emptied: Threshold { count: Count(5), percent: Percent(5) },
        overwritten: Threshold { count: Count(50), percent: Percent(50) },
        overwritten_small: Threshold { count: Count(20), percent: Percent(20) },
        bulk_delete: Count(5),
        identifying: None,
    };

    /// The tighter of `self` and the standard, number by number.
    #[must_use]
    pub fn tightened(&self) -> Self {
        let standard = Self::STANDARD;
        let budget = |ours: Budget, theirs: Budget| Budget {
            count: ours.count.min(theirs.count),
            percent: ours.percent.min(theirs.percent),
        };
        let threshold = |ours: Threshold, theirs: Threshold| Threshold {
            count: ours.count.min(theirs.count),
            percent: ours.percent.min(theirs.percent),
        };
        Self {
            round: budget(self.round, standard.round),
            floor: self.floor.min(standard.floor),
            floor_from: self.floor_from.min(standard.floor_from),
            zero_collection_from: self.zero_collection_from.min(standard.zero_collection_from),
            zero_account_from: self.zero_account_from.min(standard.zero_account_from),
            unauthored_round: budget(self.unauthored_round, standard.unauthored_round),
            unauthored_open: budget(self.unauthored_open, standard.unauthored_open),
            emptied: threshold(self.emptied, standard.emptied),
            overwritten: threshold(self.overwritten, standard.overwritten),
            overwritten_small: threshold(self.overwritten_small, standard.overwritten_small),
            bulk_delete: self.bulk_delete.min(standard.bulk_delete),
            identifying: self.identifying.clone(),
        }
    }

    /// Records of `n` that may be lost and unanswered; `None` below [`floor_from`](Self::floor_from).
    #[must_use]
    pub fn floor_of(&self, n: u64) -> Option<u64> {
        (n >= self.floor_from.0).then(|| self.floor.of_rounded_up(n))
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::STANDARD
    }
}
