//! The laws of records in long random histories, hints included.

use alloc::{collections::BTreeSet, format, vec::Vec};

use proptest::{collection::vec, prelude::*, sample::Index};

use super::{
    super::{Record, Seeing},
    ALIVE, DELETED, cleared, dot, replica, stamp, written,
};
use crate::values::{
    dot_set::Covers,
    id::FieldName,
    register::{Cause, Register, Stamp},
    superseded::{ContentDigest, MAX_SUPERSEDED, Superseded},
    value::Value,
    version::Version,
    version_vector::{Causality, Dot},
};

const REPLICAS: u8 = 4;
const FIELDS: [&str; 3] = ["x", "y", "tel/a"];

#[derive(Debug, Clone)]
enum Step {
    /// Written over what the replica holds now, or had read before.
    Edit {
        field: usize,
        cause: Cause,
        read: Option<Index>,
    },
    Clear {
        field: usize,
        cause: Cause,
        read: Option<Index>,
    },
    Delete(Cause),
    Revive,
    /// Back to what the replica held before.
    Restore {
        former: Index,
        exactly: bool,
    },
    Purge,
    /// Any version that any replica ever held arrives.
    Join(Index),
    /// The replica writes some other record.
    Elsewhere,
}

fn step() -> impl Strategy<Value = (u8, Step)> {
    let cause =
        prop_oneof![3 => Just(Cause::User), 1 => Just(Cause::App), 1 => Just(Cause::Import), 1 => Just(Cause::Listing)];
    let read = || proptest::option::of(any::<Index>());
    let step = prop_oneof![
        4 => (0..FIELDS.len(), cause.clone(), read()).prop_map(|(field, cause, read)| Step::Edit { field, cause, read }),
        2 => (0..FIELDS.len(), cause.clone(), read()).prop_map(|(field, cause, read)| Step::Clear { field, cause, read }),
        2 => cause.prop_map(Step::Delete),
        1 => Just(Step::Revive),
        1 => (any::<Index>(), any::<bool>()).prop_map(|(former, exactly)| Step::Restore { former, exactly }),
        2 => Just(Step::Purge),
        6 => any::<Index>().prop_map(Step::Join),
        1 => Just(Step::Elsewhere),
    ];
    (0..REPLICAS, step)
}

/// What every replica holds and held.
struct History {
    held: Vec<Vec<Record>>,
    counters: Vec<u64>,
    all: Vec<Record>,
}

impl History {
    fn of(steps: &[(u8, Step)]) -> Result<Self, TestCaseError> {
        let held = (0..REPLICAS).map(|_| [Record::new()].into()).collect();
        let counters = (0..REPLICAS).map(|_| 0).collect();
        let mut history = Self { held, counters, all: [Record::new()].into() };
        for (author, step) in steps {
            history.take(*author, step)?;
        }
        Ok(history)
    }

    fn now(&self, author: u8) -> &Record {
        self.held[usize::from(author)].last().unwrap()
    }

    fn stamp(&mut self, author: u8, cause: Cause) -> Stamp {
        let counter = &mut self.counters[usize::from(author)];
        *counter += 1;
        stamp(dot(author, *counter), cause)
    }

    fn seeing(&self, author: u8, read: Option<Index>) -> Seeing {
        let held = &self.held[usize::from(author)];
        read.map_or_else(|| self.now(author).seeing(), |read| read.get(held).seeing())
    }

    fn take(&mut self, author: u8, step: &Step) -> Result<(), TestCaseError> {
        let now = self.now(author).clone();
        let is_new = now.context().is_empty();
        let next = match step {
            Step::Edit { cause, field, .. } if is_new => {
                let stamp = self.stamp(author, *cause);
                let born = now.with_life(stamp, &Seeing::default(), ALIVE);
                born.with_fields(stamp, &Seeing::default(), written(&[(FIELDS[*field], "first")]))
            }
            Step::Edit { cause, field, read } => {
                let (seen, stamp) = (self.seeing(author, *read), self.stamp(author, *cause));
                now.edited(stamp, &seen, written(&[(FIELDS[*field], &format!("{}", stamp.dot.counter % 5))]))
            }
            Step::Clear { cause, field, read } if !is_new => {
                let (seen, stamp) = (self.seeing(author, *read), self.stamp(author, *cause));
                now.edited(stamp, &seen, cleared(FIELDS[*field]))
            }
            Step::Delete(cause) if now.is_alive() => now.with_life(self.stamp(author, *cause), &now.seeing(), DELETED),
            Step::Revive if !is_new && !now.is_alive() => {
                now.with_life(self.stamp(author, Cause::User), &now.seeing(), ALIVE)
            }
            Step::Restore { former, exactly } if !is_new => {
                let former = former.get(&self.held[usize::from(author)]).clone();
                now.restored(self.stamp(author, Cause::User), &former, *exactly)
            }
            Step::Purge => now.purged(),
            Step::Join(other) => now.join(other.get(&self.all)),
            Step::Elsewhere => {
                self.counters[usize::from(author)] += 1;
                now.clone()
            }
            Step::Clear { .. } | Step::Delete(_) | Step::Revive | Step::Restore { .. } => now.clone(),
        };
        if !matches!(step, Step::Purge) {
            nothing_comes_back(&now, &next)?;
        }
        self.held[usize::from(author)].push(next.clone());
        self.all.push(next);
        Ok(())
    }
}

/// S3: what has been seen and no longer stands never stands again; and what has been seen stays seen.
fn nothing_comes_back(before: &Record, after: &Record) -> Result<(), TestCaseError> {
    prop_assert!(matches!(after.compare(before), Causality::Equal | Causality::After));
    let back = |register: &Register<Value>, name: &FieldName| {
        let old = before.fields().get(name);
        let is_back = |dot: Dot| before.fields_context().covers(dot) && !old.is_some_and(|old| old.contains(dot));
        register.siblings().iter().any(|sibling| is_back(sibling.stamp.dot))
    };
    prop_assert!(!after.fields().iter().any(|(name, register)| back(register, name)));
    let is_back = |dot: Dot| before.context().covers(dot) && !before.life().contains(dot);
    prop_assert!(!after.life().siblings().iter().any(|sibling| is_back(sibling.stamp.dot)));
    Ok(())
}

/// Each register's part in the join of its record.
fn registers_join(left: &Record, right: &Record) -> Result<(), TestCaseError> {
    let none = Register::default();
    let names: BTreeSet<_> = left.fields().keys().chain(right.fields().keys()).collect();
    let joined = left.join(right);
    for name in names {
        let [ours, theirs] = [left, right].map(|record| record.fields().get(name).unwrap_or(&none));
        let [seen, seen_there]: [&dyn Covers; 2] = [left.fields_context(), right.fields_context()];
        let found = joined.fields().get(name).unwrap_or(&none);
        for sibling in ours.siblings().iter().chain(theirs.siblings()) {
            let dot = sibling.stamp.dot;
            let (here, there) = (ours.contains(dot), theirs.contains(dot));
            let survives = here && (there || !seen_there.covers(dot)) || there && !seen.covers(dot);
            prop_assert_eq!(found.contains(dot), survives);
        }
        prop_assert!(found.siblings().iter().all(|s| ours.siblings().contains(s) || theirs.siblings().contains(s)));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn the_join_is_one_on_whatever_replicas_come_to_hold(
        steps in vec(step(), 1..40), picks in vec(any::<[Index; 3]>(), 12),
    ) {
        let history = History::of(&steps)?;
        for [a, b, c] in picks {
            let [a, b, c] = [a, b, c].map(|pick| pick.get(&history.all));
            prop_assert_eq!(a.join(b), b.join(a));
            prop_assert_eq!(a.join(b).join(c), a.join(&b.join(c)));
            prop_assert_eq!(&a.join(a), a);
            let joined = a.join(b);
            prop_assert!(matches!(joined.compare(a), Causality::Equal | Causality::After));
            prop_assert_eq!(&joined.join(b), &joined);
            registers_join(a, b)?;
        }
    }

    #[test]
    fn equal_contexts_mean_equal_content(steps in vec(step(), 1..40), pairs in vec(any::<[Index; 2]>(), 12)) {
        let history = History::of(&steps)?;
        let joined = pairs.iter().map(|[a, b]| a.get(&history.all).join(b.get(&history.all)));
        let all: Vec<Record> = history.all.iter().cloned().chain(joined).collect();
        for one in &all {
            for other in all.iter().filter(|other| one.compare(other) == Causality::Equal) {
                prop_assert_eq!((one.context(), one.fields_context()), (other.context(), other.fields_context()));
                prop_assert_eq!((one.life(), one.fields()), (other.life(), other.fields()));
            }
        }
    }

    #[test]
    fn replicas_agree_in_whatever_order_they_meet(
        steps in vec(step(), 1..40), order in Just((0..REPLICAS).collect::<Vec<u8>>()).prop_shuffle(),
    ) {
        let history = History::of(&steps)?;
        let met = |order: &[u8]| order.iter().fold(Record::new(), |all, author| all.join(history.now(*author)));
        let all = met(&order);
        prop_assert_eq!(&all, &met(&[0, 1, 2, 3]));
        prop_assert_eq!(Version::encode(&all).digest(), Version::encode(&met(&[3, 2, 1, 0])).digest());
        prop_assert!((0..REPLICAS).all(|author| all.context().covers_all(history.now(author).context())));
        for (last, author) in history.counters.iter().zip(0..) {
            prop_assert!(all.context().get(replica(author)) <= *last);
        }
    }

    #[test]
    fn a_version_joins_as_its_record_but_for_hints_it_need_not_take(
        steps in vec(step(), 1..40), pairs in vec(any::<[Index; 2]>(), 12),
    ) {
        let history = History::of(&steps)?;
        for [a, b] in pairs {
            let [a, b] = [a, b].map(|pick| pick.get(&history.all));
            let [left, right] = [a, b].map(Version::encode);
            let (joined, wanted) = (left.join(&right), a.join(b));
            prop_assert_eq!(joined.digest(), Version::encode(&wanted).digest());
            let plain = |record: Record| Record { superseded: Superseded::default(), ..record };
            prop_assert_eq!(plain(joined.record()), plain(wanted.clone()));
            match a.compare(b) {
                Causality::Concurrent | Causality::Before => prop_assert_eq!(joined, Version::encode(&wanted)),
                Causality::Equal | Causality::After => {
                    prop_assert_eq!(joined.as_bytes(), left.as_bytes());
                    if a.superseded() == b.superseded() {
                        prop_assert_eq!(joined, Version::encode(&wanted));
                    }
                }
            }
        }
    }

    #[test]
    fn superseded_contents_join_to_the_latest_eight(lists in vec(vec((0..4_u8, 1..9_u64, 0..4_u64), 0..12), 3)) {
        let hints = |list: &Vec<(u8, u64, u64)>| -> Superseded {
            list.iter().map(|(n, counter, content)| (dot(*n, *counter), ContentDigest(*content))).collect()
        };
        let [a, b, c] = [0, 1, 2].map(|n| hints(&lists[n]));
        prop_assert_eq!(a.join(&b), b.join(&a));
        prop_assert_eq!(a.join(&b).join(&c), a.join(&b.join(&c)));
        prop_assert_eq!(&a.join(&a), &a);
        let all: BTreeSet<_> = lists.concat().into_iter().map(|(n, counter, content)| (counter, replica(n), content)).collect();
        let latest: Vec<_> = all.into_iter().rev().take(MAX_SUPERSEDED).collect();
        let joined = a.join(&b).join(&c);
        let found: Vec<_> = joined.iter().map(|(dot, content)| (dot.counter, dot.replica, content.0)).collect();
        prop_assert_eq!(found, latest);
    }
}
