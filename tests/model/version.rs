//! Versions as sets of writes, and what survives in them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Dot, Dots, Fields, Key, Text};

/// The field that says whether a record is alive, and its two values.
pub(super) const LIFE: Text = "";
pub(super) const ALIVE: Text = "alive";
pub(super) const DELETED: Text = "deleted";

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    User,
    App,
    Import,
    Listing,
}

impl Cause {
    pub(super) fn is_person(self) -> bool {
        matches!(self, Self::User | Self::Listing)
    }
}

/// A value, who wrote it first, and when.
pub(super) type Value = (Text, Cause, u64);

/// One write to one record: by field its values (none: a clear), and exactly which earlier writes it covers there.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// The move's number and, on its delete, where the record went.
    pub(super) moved: Option<(u64, Option<Key>)>,
    pub(super) writes: BTreeMap<Text, (BTreeSet<Value>, Dots)>,
}

pub(super) type Events = BTreeMap<Dot, Arc<Event>>;
pub(super) type Siblings = BTreeMap<Text, BTreeSet<(Dot, Value)>>;

/// A person's before a machine's, then the latest, then the greatest dot.
pub(super) fn rank((dot, (value, cause, at)): &(Dot, Value)) -> (bool, u64, usize, u64, Text) {
    (cause.is_person(), *at, dot.1, dot.0, value)
}

/// The writes that a copy of a record has seen: all, and those whose fields it has not forgotten in a purge.
#[derive(Debug, Clone, Default)]
pub(crate) struct Version {
    pub(super) seen: Events,
    pub(super) fields: Events,
    /// What was shown before, by the write that changed it.
    pub(super) superseded: BTreeSet<(Dot, BTreeMap<Text, Text>)>,
}

impl Version {
    pub(super) fn join(&self, other: &Self) -> Self {
        let mut joined = self.clone();
        joined.seen.extend(other.seen.clone());
        joined.fields.extend(other.fields.clone());
        joined.superseded.extend(other.superseded.iter().cloned());
        while joined.superseded.len() > 8 {
            joined.superseded.pop_first();
        }
        joined
    }

    /// With one more write.
    pub(super) fn with(&self, dot: Dot, event: Event) -> Self {
        let (mut next, event) = (self.clone(), Arc::new(event));
        next.seen.insert(dot, event.clone());
        next.fields.insert(dot, event);
        let (before, now) = (self.shown(), next.shown());
        if !before.is_empty() && (before != now || self.is_alive() != next.is_alive()) {
            next.superseded.insert((dot, before));
        }
        next.join(&Self::default())
    }

    /// What no other of these writes covers, by field.
    fn surviving(events: &Events) -> Siblings {
        let all = || events.iter().flat_map(|(dot, event)| event.writes.iter().map(move |write| (*dot, write)));
        let covered: BTreeSet<(Text, Dot)> =
            all().flat_map(|(_, (name, (_, covers)))| covers.iter().map(|dot| (*name, *dot))).collect();
        let mut siblings = Siblings::new();
        for (dot, (name, (values, _))) in all().filter(|(dot, (name, _))| !covered.contains(&(name, *dot))) {
            siblings.entry(name).or_default().extend(values.iter().map(|value| (dot, *value)));
        }
        siblings.retain(|_, values| !values.is_empty());
        siblings
    }

    /// What survives of creates, deletes and people's edits.
    pub(super) fn lives(&self) -> Vec<(Dot, Text, Cause)> {
        let lives = Self::surviving(&self.seen).remove(LIFE).unwrap_or_default();
        lives.into_iter().map(|(dot, (life, cause, _))| (dot, life, cause)).collect()
    }

    pub(crate) fn is_alive(&self) -> bool {
        let lives = self.lives();
        let mut alive = lives.iter().filter(|(_, life, _)| *life == ALIVE).peekable();
        alive.peek().is_some() && (alive.clone().count() == lives.len() || alive.any(|(_, _, cause)| cause.is_person()))
    }

    pub(crate) fn siblings(&self) -> Siblings {
        Self::surviving(&self.fields).into_iter().filter(|(name, _)| *name != LIFE).collect()
    }

    pub(crate) fn values(&self) -> Fields {
        let values = |all: BTreeSet<(Dot, Value)>| all.into_iter().map(|(_, value)| value.0).collect();
        self.siblings().into_iter().map(|(name, all)| (name, values(all))).collect()
    }

    /// What a screen shows.
    pub(crate) fn shown(&self) -> BTreeMap<Text, Text> {
        let shown = |all: BTreeSet<(Dot, Value)>| all.into_iter().max_by_key(rank).map(|(_, value)| value.0);
        self.siblings().into_iter().filter_map(|(name, all)| Some((name, shown(all)?))).collect()
    }

    /// Known values by family.
    pub(super) fn families(&self) -> Fields {
        let mut families = Fields::new();
        for (name, values) in self.values() {
            let known = values.into_iter().filter(|value| !value.is_empty());
            families.entry(name.split('/').next().unwrap_or(name)).or_default().extend(known);
        }
        families.retain(|_, known| !known.is_empty());
        families
    }

    /// Of a dead record only the certificate.
    pub(crate) fn digest(&self) -> (Dots, Dots) {
        let fields = if self.is_alive() { self.fields.keys().copied().collect() } else { Dots::new() };
        (self.seen.keys().copied().collect(), fields)
    }

    pub(super) fn same(&self, other: &Self) -> bool {
        self.digest() == other.digest()
    }

    /// Whether `other` knows all of this.
    pub(super) fn within(&self, other: &Self) -> bool {
        let knows = |theirs: &Events, ours: &Events| ours.keys().all(|dot| theirs.contains_key(dot));
        self.same(other) || (knows(&other.seen, &self.seen) && knows(&other.fields, &self.fields))
    }
}
