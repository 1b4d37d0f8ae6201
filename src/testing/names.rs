//! Names, and the numbers that stand for them here.

use alloc::{format, vec::Vec};

use super::failure::{Broken, HARNESS, broken};
use crate::values::id::{CollectionId, FieldName, IdError, RecordId, ReplicaId};

/// Devices, at most.
pub(crate) const DEVICES: usize = 6;
/// The place of the first server among the replicas.
pub(crate) const HOME: usize = DEVICES;
/// Replicas, at most.
pub(crate) const REPLICAS: usize = DEVICES + 2;
/// Ids of installations, at most: first one for each replica, then those that are taken later.
pub(crate) const IDS: usize = 64;
/// What they are called.
pub(crate) const PEOPLE: [&str; REPLICAS] = ["Ada", "Ben", "Cho", "Dee", "Eve", "Fay", "server 1", "server 2"];
/// The fields of a record.
pub(crate) const FIELDS: [&str; 5] = ["name", "phone", "town", "note", "mail"];
const COLLECTIONS: [&str; 3] = ["people", "dates", "todos"];

/// All names of a world.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    pub(crate) collections: Vec<CollectionId>,
    /// The first ones are those that the replicas begin with.
    pub(crate) replicas: Vec<ReplicaId>,
    pub(crate) fields: Vec<FieldName>,
}

impl Names {
    pub(crate) fn new(collections: usize) -> Result<Self, Broken> {
        let wrong = |error: IdError| Broken { check: HARNESS, what: format!("{error}") };
        let used = COLLECTIONS.iter().take(collections);
        let collections = used.map(CollectionId::new).collect::<Result<_, _>>().map_err(wrong)?;
        let bits = |n: usize| 0x5eed_0000_0000_0001_u128 + u128::try_from(n).unwrap_or_default();
        let replicas = (0..IDS).map(|n| ReplicaId::from_entropy(bits(n))).collect::<Result<_, _>>();
        let fields = FIELDS.iter().map(FieldName::new).collect::<Result<_, _>>().map_err(wrong)?;
        Ok(Self { collections, replicas: replicas.map_err(wrong)?, fields })
    }

    pub(crate) fn replica(&self, at: usize) -> Result<ReplicaId, Broken> {
        self.replicas.get(at).copied().ok_or(Broken { check: HARNESS, what: format!("no replica {at}") })
    }

    pub(crate) fn collection(&self, at: usize) -> Result<CollectionId, Broken> {
        self.collections.get(at).cloned().ok_or(Broken { check: HARNESS, what: format!("no collection {at}") })
    }

    pub(crate) fn record(at: usize) -> Result<RecordId, Broken> {
        RecordId::new(format!("r{at:03}")).map_err(|error| Broken { check: HARNESS, what: format!("{error}") })
    }

    pub(crate) fn place_of_replica(&self, replica: ReplicaId) -> Result<u8, Broken> {
        place(self.replicas.iter().position(|known| *known == replica), "replica")
    }

    pub(crate) fn place_of_collection(&self, collection: &CollectionId) -> Result<u8, Broken> {
        place(self.collections.iter().position(|known| known == collection), "collection")
    }

    /// Fields count from 1: 0 is the record's life.
    pub(crate) fn place_of_field(&self, field: &FieldName) -> Result<u8, Broken> {
        place(self.fields.iter().position(|known| known == field).map(|at| at + 1), "field")
    }

    pub(crate) fn place_of_record(record: &RecordId) -> Result<u16, Broken> {
        let number = record.as_str().strip_prefix('r').and_then(|number| number.parse().ok());
        number.map_or_else(|| broken("S9", format!("record {record} was never made")), Ok)
    }
}

fn place(at: Option<usize>, kind: &str) -> Result<u8, Broken> {
    let at = at.and_then(|at| u8::try_from(at).ok());
    at.map_or_else(|| broken("S9", format!("a {kind} that was never made")), Ok)
}
