//! A register: what survives of the writes to one place.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{dot_set::Covers, time::Timestamp, value::Value, version_vector::Dot};

/// Who caused a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Cause {
    /// A person, in this app.
    User,
    /// The app itself: a rollover, a migration.
    App,
    /// A bulk import.
    Import,
    /// A person, seen through a listing of the app's native store.
    Listing,
}

impl Cause {
    /// Whether a person made it. Machine-made edits do not revive and lose ties.
    #[must_use]
    pub const fn is_person(self) -> bool {
        match self {
            Self::User | Self::Listing => true,
            Self::App | Self::Import => false,
        }
    }
}

/// The label of one write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stamp {
    /// Its name.
    pub dot: Dot,
    /// Who caused it.
    pub cause: Cause,
    /// When, by the writer's clock. A label only.
    pub at: Timestamp,
}

/// One surviving write to a register.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sibling<T> {
    /// The write.
    pub stamp: Stamp,
    /// What it wrote.
    pub value: T,
}

/// The surviving siblings of one place, by dot. Several of different value are a conflict.
///
/// The join keeps what both sides hold and what the other side's context does not cover (an optimised multi-value
/// register; Almeida, Shoker, Baquero, "Delta State Replicated Data Types", 2018). Nothing is dropped because something
/// else won.
///
/// ```
/// use holdfast::{values::{id::FieldName, register::Show, value::Value}, *};
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
/// // Ada and Ben, neither having seen the other's change:
/// for (device, phone, when) in [(&mut ada, "2", 2), (&mut ben, "3", 3)] {
///     let seen = device.read::<BTreeMap<String, String>>(&people, &id, &shape)?.expect("Grace");
///     let mut new = seen.clone().into_inner();
///     new.insert("phone".into(), phone.into());
///     device.write(&seen.save(&new, Cause::User)?, at(when))?;
/// }
/// exchange(&mut ada, &mut server, &people, &round(3))?;
/// exchange(&mut ben, &mut server, &people, &round(4))?;
///
/// let record = ben.row(&people, &id)?.expect("Grace").version.record();
/// let phone = &record.fields()[&FieldName::new("phone")?];
/// assert!(phone.is_conflict());
/// assert_eq!(phone.siblings().len(), 2); // nothing is lost ..
/// assert_eq!(phone.shown(Show::Latest), Some(&Value::from("3"))); // .. and every replica shows the same
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Register<T>(Vec<Sibling<T>>); // sorted, without repeats

impl<T> Default for Register<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Clone + Ord> Register<T> {
    /// The surviving siblings, by dot.
    #[must_use]
    pub fn siblings(&self) -> &[Sibling<T>] {
        &self.0
    }

    /// Whether nothing survives here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a write of this name survives here.
    #[must_use]
    pub fn contains(&self, dot: Dot) -> bool {
        self.0.iter().any(|sibling| sibling.stamp.dot == dot)
    }

    /// Joins two registers, each under what its own record has seen.
    ///
    /// Two different writes under one name (a cloned replica) are both kept.
    #[must_use]
    pub(crate) fn join(&self, context: &impl Covers, other: &Self, other_context: &impl Covers) -> Self {
        let survive = |ours: &Self, theirs: &Self, seen: &dyn Covers| -> Vec<Sibling<T>> {
            let lives = |s: &&Sibling<T>| !seen.covers(s.stamp.dot) || theirs.contains(s.stamp.dot);
            ours.0.iter().filter(lives).cloned().collect()
        };
        let mut siblings = survive(self, other, other_context);
        siblings.extend(survive(other, self, context));
        Self::from_siblings(siblings)
    }

    /// Covers what `seen` has seen and adds `write`, if there is one.
    pub(crate) fn write(&mut self, seen: &impl Covers, write: Option<Sibling<T>>) {
        self.0.retain(|sibling| !seen.covers(sibling.stamp.dot));
        self.0.extend(write);
        self.0.sort_unstable();
    }

    pub(crate) fn from_siblings(mut siblings: Vec<Sibling<T>>) -> Self {
        siblings.sort_unstable();
        siblings.dedup();
        Self(siblings)
    }
}

impl Register<Value> {
    /// What is shown: a pure function of the siblings, so all replicas show the same.
    ///
    /// `None` where nothing survives.
    #[must_use]
    pub fn shown(&self, show: Show) -> Option<&Value> {
        self.0.iter().max_by(|left, right| show.compare(left, right)).map(|sibling| &sibling.value)
    }

    /// Whether siblings of different value survive. Equal values under several dots are no conflict.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.0.windows(2).any(|pair| matches!(pair, [left, right] if left.value != right.value))
    }
}

/// Which of several siblings is shown. It authors nothing and drops nothing.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub enum Show {
    /// A person's before a machine's, then the latest by the writers' clocks, then the greatest dot.
    #[default]
    Latest,
    /// The longest text, bytes, list or map; then as [`Latest`](Self::Latest).
    Longest,
    /// The app's own order. It must be a total preorder and depend on its arguments only; ties go as
    /// [`Latest`](Self::Latest).
    By(fn(&Sibling<Value>, &Sibling<Value>) -> core::cmp::Ordering),
}

impl Show {
    fn compare(self, left: &Sibling<Value>, right: &Sibling<Value>) -> core::cmp::Ordering {
        let latest = |s: &Sibling<Value>| (s.stamp.cause.is_person(), s.stamp.at, s.stamp.dot);
        let by_latest = || latest(left).cmp(&latest(right)).then_with(|| left.value.cmp(&right.value));
        match self {
            Self::Latest => by_latest(),
            Self::Longest => length(&left.value).cmp(&length(&right.value)).then_with(by_latest),
            Self::By(order) => order(left, right).then_with(by_latest),
        }
    }
}

fn length(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        _ => 0,
    }
}
