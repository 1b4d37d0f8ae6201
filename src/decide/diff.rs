//! Slice × Changes → Diff: how each record relates. Facts only, nothing resolved.

use alloc::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    vec::Vec,
};

use super::{
    changes::Changes,
    line::Revision,
    offer::{HeldVersion, Offer},
    refusal::Refusal,
    row::{Quarantine, Row},
    slice::Slice,
};
use crate::values::{
    ablation::is_off,
    id::{CollectionId, RecordId, ReplicaId},
    version::Version,
    version_vector::{Causality, Dot},
};

/// Why changes can not be compared. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiffError {
    /// The changes are of another collection.
    #[error("expected changes of '{expected}', found '{found}'; nothing was changed; read a slice of that collection")]
    WrongCollection {
        /// The slice's.
        expected: CollectionId,
        /// The changes'.
        found: CollectionId,
    },
}

/// One record on both sides.
#[derive(Debug, Clone)]
pub struct Compared {
    /// What came. Several offers of one record are joined into one.
    pub offer: Offer,
    /// What is held here.
    pub row: Option<Row>,
    /// How what is *stored* here relates to what came. A record not held here is `Before`.
    pub causality: Causality,
    /// Why it can not be taken in.
    pub refusal: Option<Refusal>,
    /// Both have other contents under the same dots: what a new write of this replica makes of them.
    pub(crate) settled: Option<Version>,
}

/// How every record that came relates to what is held.
#[derive(Debug, Clone)]
pub struct Diff {
    pub(crate) slice: Slice,
    pub(crate) from: ReplicaId,
    pub(crate) upto: Option<Revision>,
    pub(crate) records: Vec<Compared>,
}

impl Diff {
    /// Compares what came with what is held. The slice must hold the rows of the records that came, where there are any;
    /// [`Changes::read_set`] names them.
    ///
    /// # Errors
    /// [`DiffError::WrongCollection`]; nothing was changed.
    pub fn between(mut slice: Slice, changes: Changes) -> Result<Self, DiffError> {
        if slice.collection != changes.collection {
            return Err(DiffError::WrongCollection { expected: slice.collection, found: changes.collection });
        }
        let mut offers: BTreeMap<RecordId, Offer> = BTreeMap::new();
        for offer in changes.offers {
            match offers.entry(offer.record.clone()) {
                Entry::Vacant(place) => {
                    place.insert(offer);
                }
                Entry::Occupied(mut first) => {
                    let joined = join_offers(first.get(), offer);
                    first.insert(joined);
                }
            }
        }
        let records = offers.into_values().map(|offer| compare(&mut slice, offer)).collect();
        Ok(Self { slice, from: changes.from, upto: changes.upto, records })
    }

    /// Where what is stored and what came have other contents under the same dots, `writer` writes down both: neither is
    /// dropped, and nobody picks. Where something waits beside either of them, it stays refused until that is answered. The
    /// `suspected` are looked at thoroughly.
    pub(crate) fn settled_by(mut self, writer: ReplicaId, suspected: &BTreeSet<RecordId>) -> Self {
        let mut counter = self.slice.head.counter;
        for compared in &mut self.records {
            let (Some(row), None) = (&compared.row, &compared.offer.held) else { continue };
            let is_other_refusal = !matches!(compared.refusal, None | Some(Refusal::Equivocation { .. }));
            let is_held = matches!(row.quarantine, Some(Quarantine::Version { .. }));
            let thoroughly = suspected.contains(&row.record);
            if is_held || is_other_refusal || !row.version.is_disputed_by(&compared.offer.version, thoroughly) {
                continue;
            }
            let first = Dot { replica: writer, counter: counter.saturating_add(1) };
            let settled = row.version.settled_with(&compared.offer.version, first);
            counter = counter.max(settled.context().get(writer));
            (compared.settled, compared.refusal) = (Some(settled), None);
        }
        self
    }

    /// The records, by id.
    #[must_use]
    pub fn records(&self) -> &[Compared] {
        &self.records
    }
}

fn compare(slice: &mut Slice, offer: Offer) -> Compared {
    let row = slice.rows.remove(&offer.record);
    let Some(held) = &row else {
        return Compared { offer, row, causality: Causality::Before, refusal: None, settled: None };
    };
    let causality = relation(&held.version, &offer.version);
    let ours = [&held.version, held.known()];
    let theirs = [&offer.version, offer.known()];
    let refusal = ours.iter().flat_map(|ours| theirs.iter().map(move |theirs| (*ours, *theirs))).find_map(equivocation);
    Compared { offer, row, causality, refusal, settled: None }
}

/// By both contexts; of two dead versions, by their certificates.
pub(crate) fn relation(ours: &Version, theirs: &Version) -> Causality {
    if ours.is_alive() || theirs.is_alive() {
        ours.compare(theirs)
    } else {
        match ours.context().compare(theirs.context()) {
            Causality::Equal => Causality::Equal,
            _ => ours.compare(theirs),
        }
    }
}

/// Whether `ours` has seen all of `theirs`.
pub(crate) fn knows(ours: &Version, theirs: &Version) -> bool {
    matches!(relation(ours, theirs), Causality::Equal | Causality::After)
}

fn equivocation((ours, theirs): (&Version, &Version)) -> Option<Refusal> {
    let differ =
        relation(ours, theirs) == Causality::Equal && ours.digest() != theirs.digest() && !is_off!(EqualVectors);
    differ.then(|| Refusal::Equivocation { ours: ours.digest(), theirs: theirs.digest() })
}

fn join_offers(first: &Offer, second: Offer) -> Offer {
    let held = (first.held.is_some() || second.held.is_some()).then(|| HeldVersion {
        hidden: first.known().join(second.known()),
        mass: [&first.held, &second.held].into_iter().flatten().any(|held| held.mass),
    });
    let version = first.version.join(&second.version);
    let tagged = [first, &second].into_iter().find(|offer| offer.version.digest() == version.digest());
    Offer {
        delete_tag: tagged.and_then(|offer| offer.delete_tag),
        record: second.record,
        version,
        held,
        excuse: second.excuse.or_else(|| first.excuse.clone()),
    }
}
