//! What a version says, in small comparable pieces.

use alloc::{collections::BTreeMap, vec::Vec};
use core::fmt;

use super::name;
use crate::testing::{
    chance::sum,
    failure::Broken,
    names::{FIELDS, Names},
};
use crate::values::{register::Stamp, version::Version};

/// One surviving write in one place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Atom {
    pub(crate) collection: u8,
    pub(crate) record: u16,
    /// 0 is the record's life; a field's place in [`FIELDS`], from 1.
    pub(crate) place: u8,
    pub(crate) replica: u8,
    pub(crate) counter: u64,
}

impl fmt::Debug for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { collection, record, place, replica, counter } = *self;
        let field = usize::from(place).checked_sub(1).and_then(|at| FIELDS.get(at)).copied().unwrap_or("life");
        write!(f, "write {counter} of {} in {collection}/r{record:03}/{field}", name(usize::from(replica)))
    }
}

/// What a version says.
#[derive(Debug, Clone)]
pub(crate) struct Contents {
    /// By write and place, the sum of what it put there.
    pub(crate) atoms: BTreeMap<Atom, u64>,
    /// The context: replicas and their greatest counters.
    pub(crate) seen: Vec<(u8, u64)>,
    /// The sum of both contexts; of a dead record, of the one that decides.
    pub(crate) contexts: u64,
    /// The sum of what both contexts determine.
    pub(crate) content: u64,
}

impl Contents {
    pub(super) fn of(names: &Names, (collection, record): (u8, u16), version: &Version) -> Result<Self, Broken> {
        let decoded = version.record();
        let mut atoms = BTreeMap::new();
        let mut add = |place: u8, stamp: Stamp, value: u64| {
            let replica = names.place_of_replica(stamp.dot.replica)?;
            let atom = Atom { collection, record, place, replica, counter: stamp.dot.counter };
            let so_far: &mut u64 = atoms.entry(atom).or_default();
            *so_far = so_far.wrapping_add(sum(&(stamp.cause, stamp.at, value)));
            Ok(())
        };
        for sibling in decoded.life().siblings() {
            add(0, sibling.stamp, sum(&sibling.value))?;
        }
        for (field, register) in decoded.fields() {
            let place = names.place_of_field(field)?;
            for sibling in register.siblings() {
                add(place, sibling.stamp, sum(&sibling.value))?;
            }
        }
        let seen = version.context().iter().map(|dot| Ok((names.place_of_replica(dot.replica)?, dot.counter)));
        let seen = seen.collect::<Result<Vec<_>, Broken>>()?;
        let is_alive = version.is_alive();
        let fields_context: Vec<(u8, u64, u64)> = version
            .fields_context()
            .iter()
            .map(|range| Ok((names.place_of_replica(range.replica)?, range.first, range.last)))
            .collect::<Result<_, Broken>>()?;
        // Two dead versions are the same where their certificates are.
        let contexts = if is_alive { sum(&(&seen, fields_context)) } else { sum(&(&seen, false)) };
        let parts = atoms.iter().filter(|(atom, _)| is_alive || atom.place == 0);
        let content = parts.fold(0_u64, |content, (atom, value)| {
            content.wrapping_add(sum(&(atom.place, atom.replica, atom.counter, value)))
        });
        Ok(Self { atoms, seen, contexts, content })
    }
}
