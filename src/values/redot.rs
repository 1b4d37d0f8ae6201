//! The same contents under other dots: for a replica that takes another id.

use alloc::vec::Vec;

use super::{
    dot_set::{DotRange, DotSet},
    id::ReplicaId,
    record::Record,
    register::{Register, Sibling},
    version::Version,
    version_vector::{Dot, VersionVector},
};

/// Writes of `old` above `kept` become writes of `new` under the same counters. All others stay as they are.
///
/// `new` must not have written anything yet. Values, causes and times are kept, so what is shown is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Redot {
    pub(crate) old: ReplicaId,
    pub(crate) new: ReplicaId,
    /// The last counter of `old` that keeps its name.
    pub(crate) kept: u64,
}

impl Redot {
    /// Whether a version names a write that gets another dot.
    pub(crate) fn concerns(self, version: &Version) -> bool {
        version.context().get(self.old) > self.kept
    }

    pub(crate) fn version(self, version: &Version) -> Version {
        if self.concerns(version) { Version::encode(&self.record(&version.record())) } else { version.clone() }
    }

    fn record(self, record: &Record) -> Record {
        let fields = record.fields.iter().map(|(name, register)| (name.clone(), self.register(register)));
        Record {
            context: self.context(&record.context),
            fields_context: self.fields_context(&record.fields_context),
            life: self.register(&record.life),
            fields: fields.collect(),
            superseded: record.superseded.iter().map(|(dot, content)| (self.dot(dot), content)).collect(),
        }
    }

    fn dot(self, dot: Dot) -> Dot {
        if dot.replica != self.old || dot.counter <= self.kept {
            return dot;
        }
        Dot { replica: self.new, ..dot }
    }

    fn register<T: Clone + Ord>(self, register: &Register<T>) -> Register<T> {
        let siblings = register.siblings().iter().cloned();
        let renamed = siblings.map(|mut sibling: Sibling<T>| {
            sibling.stamp.dot = self.dot(sibling.stamp.dot);
            sibling
        });
        Register::from_siblings(renamed.collect())
    }

    fn context(self, context: &VersionVector) -> VersionVector {
        let mut renamed = VersionVector::new();
        for dot in context.iter() {
            if dot.replica == self.old && dot.counter > self.kept {
                renamed.insert(Dot { counter: self.kept, ..dot });
            }
            renamed.insert(self.dot(dot));
        }
        renamed
    }

    fn fields_context(self, seen: &DotSet) -> DotSet {
        let split = |range: DotRange| -> Vec<DotRange> {
            if range.replica != self.old || range.last <= self.kept {
                return [range].into();
            }
            let kept = DotRange { last: self.kept, ..range };
            // Before its first write, the new id has written nothing: that is seen, too.
            let first = if range.first <= self.kept.saturating_add(1) { 1 } else { range.first };
            let moved = DotRange { replica: self.new, first, ..range };
            [kept, moved].into_iter().filter(|range| range.first <= range.last).collect()
        };
        seen.iter().flat_map(split).collect()
    }
}
