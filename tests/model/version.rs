//! Versions as sets of writes, and what survives in them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Dot, Dots, Fields, Key, Text};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// One write to one record, and exactly which earlier writes it covers.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) cause: Cause,
    pub(super) at: u64,
    /// Alive or deleted, and what it covers of that.
    pub(super) life: Option<(bool, Dots)>,
    /// The move's number and, on its delete, where the record went.
    pub(super) moved: Option<(u64, Option<Key>)>,
    /// By field: values (none: a clear), and what it covers there.
    pub(super) fields: BTreeMap<Text, (BTreeSet<Text>, Dots)>,
}

/// The writes that a copy of a record has seen, for its life and for its fields.
#[derive(Debug, Clone, Default)]
pub(crate) struct Version {
    pub(super) life: BTreeMap<Dot, Arc<Event>>,
    pub(super) fields: BTreeMap<Dot, Arc<Event>>,
    /// What was shown before, by the write that changed it.
    pub(super) superseded: BTreeSet<(Dot, BTreeMap<Text, Text>)>,
}

impl Version {
    pub(super) fn join(&self, other: &Self) -> Self {
        let mut joined = self.clone();
        joined.life.extend(other.life.clone());
        joined.fields.extend(other.fields.clone());
        joined.superseded.extend(other.superseded.iter().cloned());
        while joined.superseded.len() > 8 {
            joined.superseded.pop_first();
        }
        joined
    }

    /// With one more write. A delete writes no field.
    pub(super) fn with(&self, dot: Dot, event: Event) -> Self {
        let (mut next, event) = (self.clone(), Arc::new(event));
        next.life.insert(dot, event.clone());
        next.fields.insert(dot, event);
        let (before, now) = (self.shown(), next.shown());
        if !before.is_empty() && (before != now || self.is_alive() != next.is_alive()) {
            next.superseded.insert((dot, before));
        }
        next.join(&Self::default())
    }

    /// The surviving writes to `life`.
    pub(super) fn lives(&self) -> BTreeMap<Dot, &Event> {
        let covered: Dots =
            self.life.values().filter_map(|e| e.life.as_ref()).flat_map(|life| life.1.clone()).collect();
        let survives = |(dot, event): &(&Dot, &Arc<Event>)| event.life.is_some() && !covered.contains(dot);
        self.life.iter().filter(survives).map(|(dot, event)| (*dot, &**event)).collect()
    }

    pub(crate) fn is_alive(&self) -> bool {
        let lives = self.lives();
        let says_alive = |e: &&&Event| e.life.as_ref().is_some_and(|life| life.0);
        let alive: Vec<_> = lives.values().filter(says_alive).collect();
        alive.iter().any(|e| e.cause.is_person()) || (!alive.is_empty() && alive.len() == lives.len())
    }

    /// The surviving values of each field, with their writes.
    pub(super) fn siblings(&self) -> BTreeMap<Text, BTreeSet<(Dot, Text)>> {
        let writes =
            || self.fields.iter().flat_map(|(dot, e)| e.fields.iter().map(move |(name, write)| (dot, name, write)));
        let covered: BTreeSet<(Text, Dot)> =
            writes().flat_map(|(_, name, (_, covers))| covers.iter().map(|dot| (*name, *dot))).collect();
        let mut siblings = BTreeMap::<Text, BTreeSet<(Dot, Text)>>::new();
        for (dot, name, (values, _)) in writes().filter(|(dot, name, _)| !covered.contains(&(name, **dot))) {
            siblings.entry(*name).or_default().extend(values.iter().map(|value| (*dot, *value)));
        }
        siblings.retain(|_, values| !values.is_empty());
        siblings
    }

    pub(super) fn values(&self) -> Fields {
        self.siblings()
            .into_iter()
            .map(|(name, all)| (name, all.into_iter().map(|(_, value)| value).collect()))
            .collect()
    }

    /// What a screen shows: a person's value before a machine's, then the latest, then the greatest dot.
    pub(super) fn shown(&self) -> BTreeMap<Text, Text> {
        let rank = |(d, v): &(Dot, Text)| (self.fields[d].cause.is_person(), self.fields[d].at, d.1, d.0, *v);
        let shown = |all: BTreeSet<(Dot, Text)>| all.into_iter().max_by_key(rank).map(|(_, value)| value);
        self.siblings().into_iter().filter_map(|(name, all)| Some((name, shown(all)?))).collect()
    }

    /// Known values by family.
    pub(super) fn families(&self) -> Fields {
        let mut families = Fields::new();
        for (name, values) in self.values() {
            let known = values.into_iter().filter(|value| !value.trim().is_empty());
            families.entry(name.split('/').next().unwrap_or(name)).or_default().extend(known);
        }
        families.retain(|_, known| !known.is_empty());
        families
    }

    /// Equal by digest. Of a dead record only the certificate counts.
    pub(super) fn same(&self, other: &Self) -> bool {
        let dead = !self.is_alive() && !other.is_alive();
        self.life.keys().eq(other.life.keys()) && (dead || self.fields.keys().eq(other.fields.keys()))
    }

    /// Whether `other` knows all of this.
    pub(super) fn within(&self, other: &Self) -> bool {
        let seen =
            |(ours, theirs): (&BTreeMap<Dot, _>, &BTreeMap<Dot, _>)| ours.keys().all(|dot| theirs.contains_key(dot));
        self.same(other) || (seen((&self.life, &other.life)) && seen((&self.fields, &other.fields)))
    }
}
