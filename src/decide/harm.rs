//! What a change of one record takes away.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use crate::values::{
    record::Life,
    register::Cause,
    value::Value,
    version::{FieldHead, Version},
};

/// Why a change counts as the loss of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Loss {
    /// The record is hidden.
    Hidden,
    /// Its last non-empty field is emptied.
    LastFieldEmptied,
    /// The family that the app named as identifying is emptied.
    IdentityEmptied,
    /// More than half of its non-empty families are emptied.
    MostFamiliesEmptied,
    /// Of three or more families, no known value is kept.
    NothingKept,
    /// With no author, it returns to a content that was superseded.
    Reverted,
}

/// What a change takes away from one record. Only values that are covered count: replacing an element is a change, and
/// a flip of which sibling is shown is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Harm {
    /// Whether it is the loss of the record, and why.
    pub loss: Option<Loss>,
    /// No person authored the loss.
    pub is_unauthored: bool,
    /// The families that it empties.
    pub emptied: Vec<String>,
    /// It overwrites a known value.
    pub is_overwrite: bool,
    /// The record had one or two families.
    pub is_small: bool,
}

impl Harm {
    /// Whether it takes away nothing at all.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.loss.is_none() && self.emptied.is_empty() && !self.is_overwrite
    }

    /// What the step from `before` to `after` takes away; `after` descends from `before`.
    ///
    /// `identifying` is the family without which a record is as good as lost. A record that `moved` away is not lost.
    pub(crate) fn between(before: &Version, after: &Version, identifying: Option<&str>, moved: bool) -> Self {
        if !before.is_alive() || before == after {
            return Self::default();
        }
        if !after.is_alive() {
            return Self {
                loss: (!moved).then_some(Loss::Hidden),
                is_unauthored: is_removal_unauthored(before, after),
                ..Self::default()
            };
        }
        let touched = touched_families(before, after);
        if touched.is_empty() {
            return Self::default();
        }
        let (had, has) = (before.families(), after.families());
        let emptied = had.iter().filter(|family| has.binary_search(family).is_err());
        let emptied: Vec<String> = emptied.map(|family| String::from(*family)).collect();
        // What stands in the other families is all kept, so only these are decoded.
        let (old, new) = (known_values(before, &touched), known_values(after, &touched));
        let is_kept = |family: &str, value: &Value| new.get(family).is_some_and(|now| now.binary_search(value).is_ok());
        let kept: usize = old.iter().map(|(family, values)| values.iter().filter(|v| is_kept(family, v)).count()).sum();
        let known: usize = old.values().map(Vec::len).sum();
        let is_nothing_kept = kept == 0 && had.iter().all(|family| touched.contains(family));
        let reverted = !is_by_person(before, after) && is_reverted(before, after);
        let loss = if had.is_empty() {
            None
        } else if has.is_empty() {
            Some(Loss::LastFieldEmptied)
        } else if identifying.is_some_and(|name| emptied.iter().any(|family| family == name)) {
            Some(Loss::IdentityEmptied)
        } else if emptied.len().saturating_mul(2) > had.len() {
            Some(Loss::MostFamiliesEmptied)
        } else if had.len() >= 3 && is_nothing_kept {
            Some(Loss::NothingKept)
        } else {
            None
        };
        Self {
            loss: if reverted { Some(Loss::Reverted) } else { loss },
            is_unauthored: reverted,
            emptied,
            is_overwrite: kept < known,
            is_small: (1..=2).contains(&had.len()),
        }
    }
}

/// Whether what `before` was has arrived in `after`, another record: of each family, a known value.
pub(crate) fn has_arrived(before: &Version, after: &Version) -> bool {
    let families: BTreeSet<&str> = before.families().into_iter().collect();
    let (had, has) = (known_values(before, &families), known_values(after, &families));
    had.iter().all(|(family, values)| {
        values.is_empty()
            || has.get(family).is_some_and(|now| values.iter().any(|value| now.binary_search(value).is_ok()))
    })
}

/// Whether `after` shows what was superseded before.
fn is_reverted(before: &Version, after: &Version) -> bool {
    let (old, new) = (before.record().content_digest(), after.record().content_digest());
    old != new && before.superseded().join(after.superseded()).contains(new)
}

/// Non-empty values of some families, without repeats.
fn known_values<'a>(version: &'a Version, families: &'a BTreeSet<&str>) -> BTreeMap<&'a str, Vec<Value>> {
    let mut known: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (field, values) in version.values_where(|field| families.contains(field.name().family())) {
        let values = values.into_iter().filter(|value| !value.is_empty());
        known.entry(field.name().family()).or_default().extend(values);
    }
    for values in known.values_mut() {
        values.sort_unstable();
        values.dedup();
    }
    known
}

/// By headers only: the families in which some write that survived in `before` does not in `after`.
fn touched_families<'a>(before: &'a Version, after: &Version) -> BTreeSet<&'a str> {
    let now = after.field_heads();
    let is_touched = |old: &&FieldHead| {
        let head = now.binary_search_by_key(&old.name(), FieldHead::name).ok().and_then(|at| now.get(at));
        head.is_none_or(|new| !old.stamps().iter().all(|stamp| new.stamps().contains(stamp)))
    };
    let contents = before.field_heads().iter().filter(|old| !old.name().is_layout());
    contents.filter(is_touched).map(|old| old.name().family()).collect()
}

/// By headers only: whether a person made at least one of the writes that survive in `after` and that `before` has not
/// seen. A person's clear leaves its word on life; a machine's leaves nothing.
/// What an answer or an undo brings back is a person's by its life, whoever wrote it first.
fn is_by_person(before: &Version, after: &Version) -> bool {
    let stamps = after.field_heads().iter().flat_map(FieldHead::stamps);
    let fields = stamps.filter(|stamp| !before.fields_context().covers(stamp.dot));
    let life = after.life().siblings().iter().map(|sibling| &sibling.stamp);
    let life = life.filter(|stamp| !before.context().covers(stamp.dot));
    fields.chain(life).any(|stamp| stamp.cause == Cause::User)
}

fn is_removal_unauthored(before: &Version, after: &Version) -> bool {
    let seen = before.context();
    let new = |s: &&crate::values::register::Sibling<Life>| {
        matches!(s.value, Life::Deleted { .. }) && !seen.covers(s.stamp.dot)
    };
    let mut new = after.life().siblings().iter().filter(new).peekable();
    new.peek().is_some() && new.all(|s| s.stamp.cause == Cause::Listing)
}
