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
    ALIVE, DELETED, cleared, stamp, written,
    explorer::{Algebra, Bounds, Explored, History, Id, Op, World, Write},
};
use crate::values::{
    register::Cause,
    superseded::Superseded,
    version::Version,
    version_vector::{Dot, VersionVector},
};

/// A record without its hints, which are no part of its version.
#[derive(Clone, PartialEq, Eq)]
struct Plain(Record);

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

struct Real;

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

    fn contexts(Plain(version): &Plain) -> (&VersionVector, &VersionVector) {
        (&version.context, &version.fields_context)
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
        let is_explained = writes.iter().any(|(write, covered)| {
            came(write) && (covered.contains(place) || is_former_writer(world, write, *place))
        });
        if !is_explained {
            return Err(format!("S2: {place:?} vanishes\nfrom {:?}\njoined with {:?}", Plain::new(ours.clone()), theirs));
        }
    }
    let again = after.difference(&before).find(|place| ours.fields_context.covers(place.1));
    match again {
        Some(place) => Err(format!("S3: {place:?} is back\nin {ours:?}\njoined with {theirs:?}")),
        None => Ok(()),
    }
}

/// The exception: a revival after a purge covers its writer's own older values.
fn is_former_writer(world: &World<Real>, write: &Write, (_, dot): Place) -> bool {
    let Plain(base) = &world.versions[write.base];
    write.dot.replica == dot.replica
        && write.dot.counter > dot.counter
        && base.context.covers(dot)
        && !base.fields_context.covers(dot)
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
        let lacks = !record.fields_context.covers_all(&record.context);
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

/// Equal contexts give equal digests; of the dead, equal certificates do.
fn check_digests(versions: &[(&Plain, Version)]) -> Result<(), String> {
    let mut known = BTreeMap::new();
    for (Plain(record), version) in versions {
        let fields_context = record.is_alive().then_some(&record.fields_context);
        let first = known.entry((&record.context, fields_context)).or_insert((record, version.digest()));
        if first.1 != version.digest() {
            return Err(format!("digest of equal contexts: {:?}\n{record:?}", first.0));
        }
    }
    Ok(())
}

/// A version joins as its record does, and knows of it what its record knows.
fn check_versions(versions: &[(&Plain, Version)]) -> Result<(), String> {
    for (Plain(ours), left) in versions {
        if left.record() != *ours || left.is_alive() != ours.is_alive() || left.is_thin() != ours.is_thin() {
            return Err(format!("decoded otherwise: {ours:?}"));
        }
        for (Plain(theirs), right) in versions {
            if left.compare(right) != ours.compare(theirs) {
                return Err(format!("compares otherwise: {ours:?}\n{theirs:?}"));
            }
            let joined = left.join(right);
            if joined.as_bytes() != Version::encode(&ours.join(theirs)).as_bytes() {
                return Err(format!("joins otherwise: {ours:?}\n{theirs:?}"));
            }
        }
    }
    Ok(())
}

const EVERY_OP: &[Op] =
    &[Op::Edit("x"), Op::Edit("y"), Op::Clear("x"), Op::Delete, Op::Machine("x")];

fn explore(bounds: &Bounds) -> Result<Explored, String> {
    World::<Real>::new().explore(bounds, &mut |world, history| {
        world.check_s1(history)?;
        world.check_join(history)?;
        check_all_values(world, history)?;
        check_thin(world, history)
    })
}

#[test]
fn probe() {
    extern crate std;
    use std::time::Instant;
    for (writes, ops, stale) in [(2, EVERY_OP, true), (3, EVERY_OP, true), (4, &[Op::Edit("x"), Op::Clear("x"), Op::Delete][..], false)] {
        let t = Instant::now();
        let found = explore(&Bounds { writes, replicas: 3, ops, stale });
        std::println!("{writes} {found:?} {:?}", t.elapsed());
        if let Err(e) = found { std::println!("{e}"); }
    }
}
