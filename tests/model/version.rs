//! Versions as sets of writes, and what survives in them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Dot, Dots, Events, Fields, Key, Text};

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
    /// `Some(true)` says alive, `Some(false)` deleted.
    pub(super) life: Option<bool>,
    /// The move's number and, on its delete, where the record went.
    pub(super) moved: Option<(u64, Option<Key>)>,
    /// No values: a clear.
    pub(super) fields: Fields,
    pub(super) covers_life: Dots,
    pub(super) covers_fields: BTreeMap<Text, Dots>,
}

/// The writes that a copy of a record has seen, for its life and for its fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Version {
    pub(super) life: Dots,
    pub(super) fields: Dots,
    pub(super) superseded: BTreeSet<(Dot, BTreeMap<Text, Text>)>,
}

impl Version {
    pub(super) fn join(&self, other: &Self) -> Self {
        let mut superseded = &self.superseded | &other.superseded;
        while superseded.len() > 8 {
            superseded.pop_first();
        }
        Self { life: &self.life | &other.life, fields: &self.fields | &other.fields, superseded }
    }

    /// The surviving writes to `life`.
    pub(super) fn lives(&self, log: &Events) -> Dots {
        let covered = |d: &Dot| self.life.iter().any(|e| log[e].covers_life.contains(d));
        self.life.iter().copied().filter(|d| log[d].life.is_some() && !covered(d)).collect()
    }

    pub(super) fn is_alive(&self, log: &Events) -> bool {
        let lives: Vec<&Event> = self.lives(log).iter().map(|d| &log[d]).collect();
        lives.iter().any(|e| e.life == Some(true) && e.cause.is_person())
            || (!lives.is_empty() && lives.iter().all(|e| e.life == Some(true)))
    }

    /// The surviving siblings of one field.
    pub(super) fn siblings(&self, log: &Events, field: Text) -> BTreeSet<(Dot, Text)> {
        let covers = |e: &Dot, d: &Dot| log[e].covers_fields.get(field).is_some_and(|dots| dots.contains(d));
        let survives = |d: &&Dot| !self.fields.iter().any(|e| covers(e, d));
        let written = |d: &Dot| log[d].fields.get(field).cloned().unwrap_or_default();
        self.fields.iter().filter(survives).flat_map(|d| written(d).into_iter().map(|v| (*d, v))).collect()
    }

    pub(super) fn names(&self, log: &Events) -> BTreeSet<Text> {
        self.fields.iter().flat_map(|d| log[d].fields.keys().copied()).collect()
    }

    pub(super) fn values(&self, log: &Events) -> Fields {
        let values = |name| self.siblings(log, name).into_iter().map(|(_, v)| v).collect::<BTreeSet<_>>();
        self.names(log).into_iter().map(|name| (name, values(name))).filter(|(_, v)| !v.is_empty()).collect()
    }

    /// What a screen shows: a person's value before a machine's, then the latest, then the greatest dot.
    pub(super) fn shown(&self, log: &Events) -> BTreeMap<Text, Text> {
        let rank = |(d, v): &(Dot, Text)| (log[d].cause.is_person(), log[d].at, d.1, d.0, *v);
        let shown = |name| self.siblings(log, name).into_iter().max_by_key(rank).map(|(_, v)| (name, v));
        self.names(log).into_iter().filter_map(shown).collect()
    }

    /// Known values by family.
    pub(super) fn families(&self, log: &Events) -> Fields {
        let mut families = Fields::new();
        for (name, values) in self.values(log) {
            let known = values.into_iter().filter(|v| !v.trim().is_empty());
            families.entry(name.split('/').next().unwrap_or(name)).or_default().extend(known);
        }
        families.retain(|_, known| !known.is_empty());
        families
    }

    /// Whether `other` knows all of this: each write was seen there, or is an older one of a former writer who wrote
    /// again after a purge, and hides nothing that `other` shows.
    pub(super) fn within(&self, other: &Self, log: &Events) -> bool {
        let later = |d: &Dot| other.fields.iter().any(|e| e.1 == d.1 && e.0 > d.0);
        let hides = |(f, dots): (&Text, &Dots)| other.siblings(log, f).iter().any(|(d, _)| dots.contains(d));
        let known = |d: &Dot| other.fields.contains(d) || (later(d) && !log[d].covers_fields.iter().any(hides));
        self.life.is_subset(&other.life) && self.fields.iter().all(known)
    }

    /// Equal by digest. Of a dead record only the certificate counts.
    pub(super) fn same(&self, other: &Self, log: &Events) -> bool {
        let dead = !self.is_alive(log) && !other.is_alive(log) && self.life == other.life;
        dead || (self.within(other, log) && other.within(self, log))
    }
}
