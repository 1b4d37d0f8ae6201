//! Time, always given by the caller.

use core::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A moment, in microseconds since 1970-01-01T00:00:00Z, as the writer's clock told it.
///
/// It is a label: it may choose what is *shown* of a conflict, never what survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename = "holdfast::Timestamp")] // `values::shape` knows it by this name
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the Unix epoch; may be negative.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(moment: DateTime<Utc>) -> Self {
        Self(moment.timestamp_micros())
    }
}

impl From<Timestamp> for Option<DateTime<Utc>> {
    /// `None` where the moment is outside chrono's range of years.
    fn from(moment: Timestamp) -> Self {
        DateTime::from_timestamp_micros(moment.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Option::<DateTime<Utc>>::from(*self) {
            Some(moment) => write!(f, "{}", moment.format("%Y-%m-%dT%H:%M:%S%.fZ")),
            None => write!(f, "{}us", self.0),
        }
    }
}

/// A day by the host's calendar, as a day number; any epoch will do, as long as it stays the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Day(pub i64);

/// Days that the host was seen to live through. A later [`Day`] adds one tick, however far the clock has jumped, so
/// a wrong clock can not shorten a retention by more than one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct DayTick(pub u64);
