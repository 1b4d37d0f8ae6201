//! A record: its life, its fields, and what it has seen.

#[cfg(test)]
mod tests;

use alloc::{collections::BTreeMap, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{
    dot_set::{DotRange, DotSet},
    id::{CollectionId, FieldName, MoveId, RecordId, ReplicaId},
    register::{Register, Show, Sibling, Stamp},
    superseded::Superseded,
    value::Value,
    version_vector::{Causality, Dot, VersionVector},
};

/// What a write says of a record's life.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Life {
    /// It is there. Created by a move, if one is named.
    Alive {
        /// The move that created it here.
        moved: Option<MoveId>,
    },
    /// It was deleted. Moved elsewhere, if a destination is named.
    Deleted {
        /// Where it went.
        moved: Option<Destination>,
    },
}

/// Where a moved record went. The delete is no loss where the created record is seen alive with this move id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Destination {
    /// Shared by the create and the delete.
    pub id: MoveId,
    /// The collection of the created record.
    pub collection: CollectionId,
    /// The created record.
    pub record: RecordId,
}

/// One version of one record, decoded.
///
/// # Invariants
/// - `context` holds the record's own writers only; every surviving dot of `life` is in it.
/// - `fields_context` is at most `context` and covers every surviving dot of `fields`. The two have seen the same except
///   after a purge, when `fields_context` restarts empty and grows with gaps.
/// - S1: equal `context` and `fields_context` mean equal content, on any two replicas.
/// - [`join`](Self::join) is commutative, associative, idempotent and monotone.
///
/// Keeping one winner under a joined vector is unsound: two replicas come to hold equal vectors and different content.
///
/// ```
/// use holdfast::{values::version_vector::Causality, *};
/// # use std::collections::BTreeMap;
/// # let people = CollectionId::new("people")?;
/// # let id = RecordId::new("grace")?;
/// # let grace = |phone| BTreeMap::from([("name", "Grace"), ("phone", phone)]);
/// # let create = Write::create(people.clone(), id.clone(), &grace("1"), &Shape::new(), Cause::User)?;
/// # let at = Timestamp::from_micros;
/// # let mut ada = Device::new(MemoryStore::device(), ReplicaId::from_entropy(1)?, Guard::default());
/// # let mut ben = Device::new(MemoryStore::device(), ReplicaId::from_entropy(2)?, Guard::default());
/// # let mut server = Server::new(MemoryStore::server(), ReplicaId::from_entropy(9)?, Guard::default());
/// # let round = |n| Inputs::new(RoundId(n), Trust::Account);
/// # ada.write(&create, at(1))?;
/// # exchange(&mut ada, &mut server, &people, &round(1))?;
/// # exchange(&mut ben, &mut server, &people, &round(2))?;
/// # let shape = Shape::new();
/// # let before = ada.row(&people, &id)?.expect("Grace").version.record();
/// // One device deletes a record, while another edits it. The join is alive, whole, with the edit: nobody's work is lost.
/// ada.write(&Write::delete(people.clone(), id.clone(), Cause::User), at(2))?;
/// let seen = ben.read::<BTreeMap<String, String>>(&people, &id, &shape)?.expect("Grace");
/// let new = BTreeMap::from(["name", "phone"].map(|name| (name.into(), "edited".into())));
/// ben.write(&seen.save(&new, Cause::User)?, at(3))?;
///
/// let deleted = ada.row(&people, &id)?.expect("a row").version.record();
/// let edited = ben.row(&people, &id)?.expect("a row").version.record();
/// assert_eq!(deleted.compare(&edited), Causality::Concurrent);
/// assert!(!deleted.is_alive());
/// assert!(deleted.join(&edited).is_alive());
/// assert_eq!(deleted.join(&edited), edited.join(&deleted));
/// assert_eq!(deleted.join(&edited).fields(), edited.fields());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Record {
    pub(crate) context: VersionVector,
    pub(crate) fields_context: DotSet,
    pub(crate) life: Register<Life>,
    pub(crate) fields: BTreeMap<FieldName, Register<Value>>,
    pub(crate) superseded: Superseded,
}

impl Record {
    /// A record that nobody has written.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The least version that has seen what both have.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        let join_field = |name: &FieldName| {
            let none = Register::default();
            let (ours, theirs) = (self.fields.get(name).unwrap_or(&none), other.fields.get(name).unwrap_or(&none));
            ours.join(&self.fields_context, theirs, &other.fields_context)
        };
        let names = self.fields.keys().chain(other.fields.keys().filter(|name| !self.fields.contains_key(*name)));
        Self {
            context: self.context.join(&other.context),
            fields_context: self.fields_context.join(&other.fields_context),
            life: self.life.join(&self.context, &other.life, &other.context),
            fields: names.map(|name| (name.clone(), join_field(name))).filter(|(_, r)| !r.is_empty()).collect(),
            superseded: self.superseded.join(&other.superseded),
        }
    }

    /// Writes fields (`None` clears) and, if a person wrote, that the record is alive.
    ///
    /// Covers only what `seen` has seen, so whatever came in between stays as a sibling.
    #[must_use]
    pub(crate) fn edited(&self, stamp: Stamp, seen: &Seeing, edits: Vec<(FieldName, Option<Value>)>) -> Self {
        if !stamp.cause.is_person() {
            return self.with_fields(stamp, seen, edits);
        }
        let alive = Sibling { stamp, value: Life::Alive { moved: None } };
        let mut next = self.with_fields(stamp, seen, edits);
        next.life.write(&seen.context, Some(alive));
        next
    }

    /// [`edited`](Self::edited), for an older version of `newest` that this replica's native store still shows. What
    /// this replica has written to the record in between, it has not seen.
    #[must_use]
    pub(crate) fn edited_behind(
        &self,
        newest: &Self,
        stamp: Stamp,
        seen: &Seeing,
        edits: Vec<(FieldName, Option<Value>)>,
    ) -> Self {
        let mut next = self.edited(stamp, seen, edits);
        let Dot { replica, counter: last } = stamp.dot;
        let first = newest.context.get(replica).saturating_add(1);
        next.fields_context = self.fields_context.clone();
        next.fields_context.insert(DotRange { replica, first, last });
        next
    }

    /// The same record, first written here with `dot`, where its writer may have written to it before, up to a counter, and
    /// does not hold what it wrote: its fields cover none of that.
    #[must_use]
    pub(crate) fn behind(mut self, forgotten: u64, dot: Dot) -> Self {
        let (first, last) = (forgotten.saturating_add(1), dot.counter);
        self.fields_context = [DotRange { replica: dot.replica, first, last }].into_iter().collect();
        self
    }

    /// The same record, of which a replica may have written more up to a counter and does not hold it: the fields of its next
    /// write cover none of that.
    #[must_use]
    pub(crate) fn without_own(mut self, replica: ReplicaId, forgotten: u64) -> Self {
        if forgotten > 0 {
            self.context.insert(Dot { replica, counter: forgotten });
        }
        self
    }

    /// Writes fields (`None` clears) and leaves the record's life as it is.
    #[must_use]
    pub(crate) fn with_fields(&self, stamp: Stamp, seen: &Seeing, edits: Vec<(FieldName, Option<Value>)>) -> Self {
        let mut next = self.stamped(stamp);
        for (name, value) in edits {
            let register = next.fields.entry(name).or_default();
            register.write(&seen.fields_context, value.map(|value| Sibling { stamp, value }));
        }
        next.fields.retain(|_, register| !register.is_empty());
        next.remember(self, stamp.dot);
        next
    }

    /// Brings back what `former` showed, over all that this version has seen: says that the record is alive, and writes
    /// every value of `former` that is covered here over what stands in its register now.
    ///
    /// Registers that only this version has stand, unless the former contents are wanted exactly.
    #[must_use]
    pub(crate) fn restored(&self, stamp: Stamp, former: &Self, exactly: bool) -> Self {
        let mut next = self.stamped(stamp);
        next.life.write(&self.context, Some(Sibling { stamp, value: Life::Alive { moved: None } }));
        let none = Register::default();
        let names: Vec<&FieldName> = former.fields.keys().chain(self.fields.keys()).collect();
        for name in names {
            let (old, now) = (former.fields.get(name).unwrap_or(&none), self.fields.get(name).unwrap_or(&none));
            let covered = || old.siblings().iter().filter(|sibling| !now.siblings().contains(sibling));
            if covered().next().is_none() && !exactly {
                continue;
            }
            let standing = now.siblings().iter().filter(|sibling| old.siblings().contains(sibling)).cloned();
            // What was shown is shown again, and newly written; the rest of a conflict keeps its old labels.
            let shown = old.siblings().iter().max_by_key(|s| (s.stamp.cause.is_person(), s.stamp.at, s.stamp.dot));
            let back = covered().map(|sibling| Sibling {
                stamp: match shown {
                    Some(shown) if shown == sibling => Stamp { at: stamp.at.max(shown.stamp.at), ..stamp },
                    Some(_) | None => Stamp { dot: stamp.dot, ..sibling.stamp },
                },
                value: sibling.value.clone(),
            });
            next.fields.insert(name.clone(), Register::from_siblings(standing.chain(back).collect()));
        }
        next.fields.retain(|_, register| !register.is_empty());
        next.remember(self, stamp.dot);
        next
    }

    /// Writes the record's life, covering what `seen` has seen of it.
    #[must_use]
    pub(crate) fn with_life(&self, stamp: Stamp, seen: &Seeing, life: Life) -> Self {
        let mut next = self.stamped(stamp);
        next.life.write(&seen.context, Some(Sibling { stamp, value: life }));
        next.remember(self, stamp.dot);
        next
    }

    /// Drops the fields of a dead record, and forgets what they covered. The certificate stays.
    ///
    /// A living record is returned as it is.
    #[must_use]
    pub fn purged(&self) -> Self {
        if self.is_alive() {
            return self.clone();
        }
        Self { fields_context: DotSet::new(), fields: BTreeMap::new(), ..self.clone() }
    }

    /// The writes that this version has seen, for life.
    #[must_use]
    pub const fn context(&self) -> &VersionVector {
        &self.context
    }

    /// The writes that this version has seen, for fields.
    #[must_use]
    pub const fn fields_context(&self) -> &DotSet {
        &self.fields_context
    }

    /// What survives of creates, deletes and people's edits.
    #[must_use]
    pub const fn life(&self) -> &Register<Life> {
        &self.life
    }

    /// The fields in which something survives, by name.
    #[must_use]
    pub const fn fields(&self) -> &BTreeMap<FieldName, Register<Value>> {
        &self.fields
    }

    /// Contents that this record no longer shows.
    #[must_use]
    pub const fn superseded(&self) -> &Superseded {
        &self.superseded
    }

    /// What is shown: the fields in which something survives, by name, each with the value that `show` picks.
    pub fn shown(&self, show: Show) -> impl Iterator<Item = (&FieldName, &Value)> {
        self.fields.iter().filter_map(move |(name, register)| Some((name, register.shown(show)?)))
    }

    /// The fields in which siblings of different value survive; [layout](FieldName::is_layout) is never in conflict.
    pub fn conflicts(&self) -> impl Iterator<Item = &FieldName> {
        let in_conflict =
            |(name, register): &(&FieldName, &Register<Value>)| !name.is_layout() && register.is_conflict();
        self.fields.iter().filter(in_conflict).map(|(name, _)| name)
    }

    /// Whether the record is there: an `Alive` by a person survives, or any `Alive` does and no `Deleted`.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        is_alive(&self.life)
    }

    /// Whether this version has lost what it covered to a purge and has been revived since.
    #[must_use]
    pub fn is_thin(&self) -> bool {
        self.is_alive() && !self.fields_context.is_all_of(&self.context)
    }

    /// How this version relates to `other`, by both contexts.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Causality {
        self.context.compare(&other.context).and(self.fields_context.compare(&other.fields_context))
    }

    /// What this version has seen, as a base for a write.
    pub(crate) fn seeing(&self) -> Seeing {
        Seeing { context: self.context.clone(), fields_context: self.fields_context.clone() }
    }

    /// Sees one more write of a replica: since its last one here, that replica has made no other to this record.
    fn stamped(&self, stamp: Stamp) -> Self {
        let Dot { replica, counter: last } = stamp.dot;
        let mut next = self.clone();
        let first = self.context.get(replica).saturating_add(1);
        next.context.insert(stamp.dot);
        next.fields_context.insert(DotRange { replica, first, last });
        next
    }

    /// Remembers the content that a write has covered.
    pub(crate) fn remember(&mut self, before: &Self, covered_by: Dot) {
        let old = before.content_digest();
        if !before.fields.is_empty() && (old != self.content_digest() || before.is_alive() != self.is_alive()) {
            self.superseded.insert(covered_by, old);
        }
    }
}

/// What a person had before their eyes when they wrote: the base of a local write.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Seeing {
    pub(crate) context: VersionVector,
    pub(crate) fields_context: DotSet,
}

pub(crate) fn is_alive(life: &Register<Life>) -> bool {
    let alive = |s: &Sibling<Life>| matches!(s.value, Life::Alive { .. });
    let siblings = life.siblings();
    siblings.iter().any(|s| alive(s) && s.stamp.cause.is_person())
        || (siblings.iter().any(alive) && siblings.iter().all(alive))
}
