//! What a version says, in small comparable pieces.

use alloc::{collections::BTreeSet, vec::Vec};
use core::fmt;

use super::writer_name;
use crate::testing::{
    chance::sum,
    failure::Broken,
    names::{FIELDS, Names},
};
use crate::values::{register::Stamp, version::Version};

/// One surviving write in one place. Two installations that write under one id make two writes of one name, so what it says
/// is part of what it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Atom {
    pub(crate) collection: u8,
    pub(crate) record: u16,
    /// 0 is the record's life; a field's place in [`FIELDS`], from 1.
    pub(crate) place: u8,
    pub(crate) replica: u8,
    pub(crate) counter: u64,
    /// The sum of what it put there, and how.
    pub(crate) value: u64,
}

impl fmt::Debug for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { collection, record, place, replica, counter, .. } = *self;
        let field = usize::from(place).checked_sub(1).and_then(|at| FIELDS.get(at)).copied().unwrap_or("life");
        write!(f, "write {counter} of {} in {collection}/r{record:03}/{field}", writer_name(replica))
    }
}

/// What a version says.
#[derive(Debug, Clone)]
pub(crate) struct Contents {
    /// The writes that survive.
    pub(crate) atoms: BTreeSet<Atom>,
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
        let mut atoms = BTreeSet::new();
        let mut add = |place: u8, stamp: Stamp, value: u64| {
            let replica = names.place_of_replica(stamp.dot.replica)?;
            let value = sum(&(stamp.cause, stamp.at, value));
            atoms.insert(Atom { collection, record, place, replica, counter: stamp.dot.counter, value });
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
        let parts = atoms.iter().filter(|atom| is_alive || atom.place == 0);
        let content = parts.fold(0_u64, |content, atom| {
            content.wrapping_add(sum(&(atom.place, atom.replica, atom.counter, atom.value)))
        });
        Ok(Self { atoms, seen, contexts, content })
    }
}
