//! The laws of records in every small history.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    vec::Vec,
};
use core::cmp::Ordering;

use super::{
    super::{Record, Seeing},
    ALIVE, DELETED, cleared,
    explorer::{Algebra, Bounds, Explored, History, Id, Op, World, Write},
    stamp, written,
};
use crate::values::{
    dot_set::DotSet,
    register::Cause,
    superseded::Superseded,
    version::Version,
    version_vector::{Dot, VersionVector},
};

/// A record without its hints, which are no part of its version.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Plain(pub(super) Record);

impl Plain {
    fn new(record: Record) -> Self {
        Self(Record { superseded: Superseded::default(), ..record })
    }
}

impl Ord for Plain {
    fn cmp(&self, other: &Self) -> Ordering {
        let parts = |Self(r): &Self| (r.context.clone(), r.fields_context.clone(), r.life.clone(), r.fields.clone());
        parts(self).cmp(&parts(other))
    }
}

impl PartialOrd for Plain {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl core::fmt::Debug for Plain {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Record { context, fields_context, life, fields, .. } = &self.0;
        let life: Vec<_> = life.siblings().iter().map(|s| (s.stamp.dot, s.stamp.cause, &s.value)).collect();
        let fields: BTreeMap<_, _> = fields.keys().map(|name| (name, dots_in(&self.0, name.as_str()))).collect();
        write!(f, "{{seen {context:?}, of fields {fields_context:?}, life {life:?}, fields {fields:?}}}")
    }
}

pub(super) struct Real;

impl Algebra for Real {
    type Version = Plain;

    fn nothing() -> Plain {
        Plain::new(Record::new())
    }

    fn write(Plain(base): &Plain, Plain(seen): &Plain, dot: Dot, op: Op) -> Option<Plain> {
        let value = format!("{dot:?}");
        let seen = seen.seeing();
        let is_new = base.context.is_empty();
        let next = match op {
            Op::Edit(field) => base.edited(stamp(dot, Cause::User), &seen, written(&[(field, &value)])),
            Op::Clear(_) if is_new => return None,
            Op::Clear(field) => base.edited(stamp(dot, Cause::User), &seen, cleared(field)),
            Op::Delete if base.is_alive() => base.with_life(stamp(dot, Cause::User), &base.seeing(), DELETED),
            Op::Delete => return None,
            Op::Machine(field) if is_new => {
                let born = Record::new().with_life(stamp(dot, Cause::App), &Seeing::default(), ALIVE);
                born.with_fields(stamp(dot, Cause::App), &Seeing::default(), written(&[(field, &value)]))
            }
            Op::Machine(field) => base.edited(stamp(dot, Cause::App), &seen, written(&[(field, &value)])),
        };
        Some(Plain::new(next))
    }

    fn join(Plain(left): &Plain, Plain(right): &Plain) -> Plain {
        Plain::new(left.join(right))
    }

    fn purge(Plain(version): &Plain) -> Option<Plain> {
        (!version.is_alive()).then(|| Plain::new(version.purged()))
    }

    fn context(Plain(version): &Plain) -> &VersionVector {
        &version.context
    }

    fn fields_context(Plain(version): &Plain) -> DotSet {
        version.fields_context.clone()
    }

    /// Stricter than promised: a dead record's fields agree too.
    fn content(Plain(version): &Plain) -> Vec<String> {
        [format!("{:?}", version.life), format!("{:?}", version.fields)].into()
    }
}

type Place = (&'static str, Dot);

fn dots_in(record: &Record, field: &str) -> Vec<Dot> {
    let register = record.fields.get(&super::name(field));
    register.map(|register| register.siblings().iter().map(|s| s.stamp.dot).collect()).unwrap_or_default()
}

fn places(record: &Record) -> BTreeSet<Place> {
    ["x", "y"].into_iter().flat_map(|field| dots_in(record, field).into_iter().map(move |dot| (field, dot))).collect()
}

/// What each write meant to take away: the siblings that stood in its register and that it had read.
fn covered_by_intent(world: &World<Real>, write: &Write) -> BTreeSet<Place> {
    let (Plain(base), Plain(seen)) = (&world.versions[write.base], &world.versions[write.seen]);
    let here = |place: &Place| matches!(write.op, Op::Edit(f) | Op::Clear(f) | Op::Machine(f) if f == place.0);
    places(base).into_iter().filter(|place| here(place) && seen.fields_context.covers(place.1)).collect()
}

/// S2 and S3 of one join: what goes was covered by a write that came, and nothing comes back.
fn check_values(
    world: &World<Real>,
    writes: &[(Write, BTreeSet<Place>)],
    (ours, theirs, joined): (Id, Id, Id),
) -> Result<(), String> {
    let [Plain(ours), Plain(theirs), Plain(joined)] = [ours, theirs, joined].map(|id| &world.versions[id]);
    let (before, after) = (places(ours), places(joined));
    for place in before.difference(&after) {
        let came = |write: &Write| theirs.fields_context.covers(write.dot);
        if !writes.iter().any(|(write, covered)| came(write) && covered.contains(place)) {
            return Err(format!("S2: {place:?} vanishes\nfrom {ours:?}\njoined with {theirs:?}"));
        }
    }
    let again = after.difference(&before).find(|place| ours.fields_context.covers(place.1));
    match again {
        Some(place) => Err(format!("S3: {place:?} is back\nin {ours:?}\njoined with {theirs:?}")),
        None => Ok(()),
    }
}

fn check_all_values(world: &mut World<Real>, history: &History) -> Result<(), String> {
    let writes: Vec<_> = history.writes.iter().map(|w| (w.clone(), covered_by_intent(world, w))).collect();
    for ours in &history.versions {
        for theirs in &history.versions {
            let joined = world.join(*ours, *theirs);
            check_values(world, &writes, (*ours, *theirs, joined))?;
        }
    }
    Ok(())
}

/// Thin is what a purge has thinned, until one comes that was not.
fn check_thin(world: &mut World<Real>, history: &History) -> Result<(), String> {
    for id in &history.versions {
        let Plain(record) = world.versions[*id].clone();
        let lacks = !record.fields_context.is_all_of(&record.context);
        if record.is_thin() != (record.is_alive() && lacks) || (lacks && history.unpurged.contains(id)) {
            return Err(format!("thin: {record:?}"));
        }
        for whole in &history.unpurged {
            let Plain(other) = &world.versions[*whole];
            if other.context.covers_all(&record.context) && record.join(other).is_thin() {
                return Err(format!("thin still: {record:?}\nafter {other:?}"));
            }
        }
    }
    Ok(())
}

/// Versions, encoded once.
#[derive(Default)]
struct Encoded(BTreeMap<Id, Version>, BTreeSet<(Id, Id)>);

impl Encoded {
    fn version(&mut self, world: &World<Real>, id: Id) -> Version {
        self.0.entry(id).or_insert_with(|| Version::encode(&world.versions[id].0)).clone()
    }

    /// Equal contexts give equal digests; of the dead, equal certificates do. Different contents give different ones.
    fn check_digests(&mut self, world: &World<Real>, history: &History) -> Result<(), String> {
        let mut by_contexts = BTreeMap::new();
        let mut by_digest = BTreeMap::new();
        for id in &history.versions {
            let Plain(record) = &world.versions[*id];
            let contexts = (&record.context, record.is_alive().then_some(&record.fields_context));
            let digest = self.version(world, *id).digest();
            let first = *by_contexts.entry(contexts).or_insert(digest);
            if first != digest || *by_digest.entry(digest).or_insert(contexts) != contexts {
                return Err(format!("digest of {record:?}"));
            }
        }
        Ok(())
    }

    /// A version joins as its record does, and knows of it what its record knows.
    fn check_joins(&mut self, world: &World<Real>, history: &History) -> Result<(), String> {
        for left in &history.versions {
            for right in &history.versions {
                if !self.1.insert((*left, *right)) {
                    continue;
                }
                let [Plain(ours), Plain(theirs)] = [left, right].map(|id| &world.versions[*id]);
                let [one, other] = [left, right].map(|id| self.version(world, *id));
                if one.compare(&other) != ours.compare(theirs) {
                    return Err(format!("compares otherwise: {ours:?}\n{theirs:?}"));
                }
                if one.join(&other) != Version::encode(&ours.join(theirs)) {
                    return Err(format!("joins otherwise: {ours:?}\n{theirs:?}"));
                }
            }
        }
        Ok(())
    }
}

pub(super) const EVERY_OP: &[Op] = &[Op::Edit("x"), Op::Edit("y"), Op::Clear("x"), Op::Delete, Op::Machine("x")];
const ONE_FIELD: &[Op] = &[Op::Edit("x"), Op::Clear("x"), Op::Delete];

fn check(world: &mut World<Real>, history: &History) -> Result<(), String> {
    world.check_s1(history)?;
    world.check_join(history)?;
    check_all_values(world, history)?;
    check_thin(world, history)
}

fn explore(bounds: &Bounds) -> Explored {
    World::<Real>::new().explore(bounds, &mut check).unwrap_or_else(|found| panic!("{found}"))
}

#[test]
fn every_history_of_three_writes_keeps_the_laws() {
    let explored = explore(&Bounds { writes: 3, replicas: 3, ops: EVERY_OP, stale: true, stride: 1 });
    assert!(explored.histories >= 3_000 && explored.versions >= 1_000 && explored.triples >= 700_000, "{explored:?}");
}

#[test]
fn gaps_between_a_replica_s_writes_change_no_law() {
    let explored = explore(&Bounds { writes: 3, replicas: 3, ops: EVERY_OP, stale: true, stride: 2 });
    assert!(explored.histories >= 3_000 && explored.versions >= 1_000 && explored.triples >= 700_000, "{explored:?}");
}

#[test]
fn every_history_of_four_writes_to_one_field_keeps_the_laws() {
    let explored = explore(&Bounds { writes: 4, replicas: 3, ops: ONE_FIELD, stale: false, stride: 2 });
    assert!(explored.histories >= 3_500 && explored.versions >= 1_500 && explored.triples >= 6_900_000, "{explored:?}");
}

#[test]
fn every_history_of_four_writes_by_two_who_may_read_late_keeps_the_laws() {
    let explored = explore(&Bounds { writes: 4, replicas: 2, ops: ONE_FIELD, stale: true, stride: 2 });
    assert!(
        explored.histories >= 11_000 && explored.versions >= 1_300 && explored.triples >= 11_000_000,
        "{explored:?}"
    );
}

#[test]
fn encoded_versions_join_and_digest_as_their_records_do() {
    let mut encoded = Encoded::default();
    let bounds = Bounds { writes: 3, replicas: 3, ops: EVERY_OP, stale: true, stride: 2 };
    let explored = World::<Real>::new().explore(&bounds, &mut |world, history| {
        encoded.check_digests(world, history)?;
        encoded.check_joins(world, history)
    });
    assert!(explored.is_ok_and(|explored| explored.versions >= 1_000));
    assert!(encoded.1.len() >= 20_000, "{} pairs", encoded.1.len());
}
