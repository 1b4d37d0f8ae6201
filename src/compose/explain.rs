//! Why a record is as it is.

use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;

use crate::decide::{
    consent::Excuse,
    row::{Lost, Proposed, Quarantine, Row, Standing},
};
use crate::values::{
    id::{FieldName, RecordId},
    record::Life,
    register::Sibling,
};

/// Why a record is as it is on one replica: what survives of its life, what is in conflict, what waits and what was
/// answered.
///
/// ```
/// use holdfast::*;
/// # use std::collections::BTreeMap;
/// # let people = CollectionId::new("people")?;
/// # let id = RecordId::new("grace")?;
/// # let grace = |phone| BTreeMap::from([("name", "Grace"), ("phone", phone)]);
/// # let create = Write::create(people.clone(), id.clone(), &grace("1"), &Shape::new(), Cause::User)?;
/// # let at = Timestamp::from_micros;
/// # let mut device = Device::new(MemoryStore::device(), ReplicaId::from_entropy(1)?, Guard::default());
/// # device.write(&create, at(1))?;
/// device.write(&Write::delete(people.clone(), id.clone(), Cause::User), at(2))?;
/// let why = device.explain(&people, &id)?.expect("it was here once");
/// assert!(!why.is_alive);
/// assert!(why.to_string().starts_with("grace is deleted\n  deleted by User on 00000000000000000000000000000001"));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// The record.
    pub record: RecordId,
    /// Whether it is shown.
    pub is_alive: bool,
    /// The creates, deletes and people's edits that survive; nothing later has covered them.
    pub life: Vec<Sibling<Life>>,
    /// The fields in which values of different siblings survive.
    pub conflicts: Vec<FieldName>,
    /// Its standing in the base.
    pub standing: Standing,
    /// What waits for an answer.
    pub waits: Option<Waits>,
    /// What sync took from it, unanswered.
    pub lost: Option<Lost>,
    /// The last answered line.
    pub answered: Option<Excuse>,
    /// Whether the peer has not yet named it as its own.
    pub is_pending: bool,
    /// Whether its older fields were purged before it was revived.
    pub is_thin: bool,
}

/// What waits for an answer about a record, and under which line of the hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum Waits {
    /// Something came that would take too much; what is shown stays.
    Held {
        /// The line.
        line: u64,
    },
    /// What is shown here is held by a peer.
    HeldElsewhere {
        /// The line.
        line: u64,
    },
    /// Its removal has been proposed here.
    RemovalProposed {
        /// The line.
        line: u64,
    },
    /// Its native store shows something that has not been taken in.
    ContentsProposed {
        /// The line.
        line: u64,
    },
}

impl Explanation {
    /// Reads it off a row.
    #[must_use]
    pub fn of(row: &Row) -> Self {
        let record = row.version.record();
        Self {
            record: row.record.clone(),
            is_alive: record.is_alive(),
            life: record.life().siblings().to_vec(),
            conflicts: record.conflicts().cloned().collect(),
            standing: row.standing,
            waits: row.quarantine.as_ref().map(|waiting| match waiting {
                Quarantine::Version { line, .. } => Waits::Held { line: *line },
                Quarantine::Beside { line, .. } => Waits::HeldElsewhere { line: *line },
                Quarantine::Proposal { line, proposed: Proposed::Removal, .. } => {
                    Waits::RemovalProposed { line: *line }
                }
                Quarantine::Proposal { line, .. } => Waits::ContentsProposed { line: *line },
            }),
            lost: row.lost,
            answered: row.excuse.clone(),
            is_pending: row.is_pending,
            is_thin: record.is_thin(),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.record, if self.is_alive { "here" } else { "deleted" })?;
        for sibling in &self.life {
            let stamp = &sibling.stamp;
            let what = match sibling.value {
                Life::Alive { .. } => "written",
                Life::Deleted { moved: None } => "deleted",
                Life::Deleted { moved: Some(_) } => "moved away",
            };
            write!(f, "\n  {what} by {:?} on {} at {}", stamp.cause, stamp.dot.replica, stamp.at)?;
        }
        self.conflicts
            .iter()
            .try_for_each(|field| write!(f, "\n  '{field}' has more than one value; nothing is lost"))?;
        match self.waits {
            Some(Waits::Held { line }) => write!(f, "\n  held: line {line} waits for an answer")?,
            Some(Waits::HeldElsewhere { line }) => write!(f, "\n  held by a peer: line {line} waits for an answer")?,
            Some(Waits::RemovalProposed { line }) => write!(f, "\n  its removal waits for an answer: line {line}")?,
            Some(Waits::ContentsProposed { line }) => {
                write!(f, "\n  what its listing shows waits for an answer: line {line}")?;
            }
            None => {}
        }
        if let Some(lost) = &self.lost {
            let author = if lost.unauthored { "with no author" } else { "by sync" };
            write!(f, "\n  taken from {author} in commit {}, unanswered", lost.at.0)?;
        }
        if let Some(excuse) = &self.answered {
            write!(f, "\n  {} agreed to this at {}", excuse.by, excuse.at)?;
        }
        if self.is_pending {
            f.write_str("\n  not yet known to the server")?;
        }
        Ok(())
    }
}
