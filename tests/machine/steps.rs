//! What the state machine does next: single ops, and things that people and faults do with many records at once.

use proptest::prelude::*;

use super::{
    FIELDS, VALUES,
    ops::{Modelled, Op},
};
use crate::model::{Cause, Key, Text};

/// Devices, beside the server.
pub(crate) const DEVICES: usize = 3;

/// One step of a machine.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    One(usize, Op),
    /// The same to many records.
    Flood {
        device: usize,
        collection: u8,
        records: std::ops::Range<u16>,
        what: Flood,
    },
    /// Push and pull of these devices, in this order.
    Sync(Vec<usize>),
    /// Days on one replica, enough for a purge.
    Forget(usize),
}

const CREATED: [(Text, Text); 3] = [("name", "a"), ("tel/home", "b"), ("note", "c")];

#[derive(Debug, Clone)]
pub(crate) enum Flood {
    Create,
    Delete(Cause),
    /// Clears these fields.
    Blank(Vec<Text>, Cause),
    /// Writes this everywhere.
    Rewrite(Text, Cause),
    /// Writes again what `Create` wrote.
    Revert(Cause),
}

impl Step {
    /// The ops that it is made of.
    pub(crate) fn ops(&self) -> Vec<(usize, Op)> {
        match self {
            Self::One(replica, op) => vec![(*replica, op.clone())],
            Self::Flood { device, collection, records, what } => {
                records.clone().map(|record| (*device, what.on((*collection, record)))).collect()
            }
            Self::Sync(devices) => {
                devices.iter().flat_map(|device| [(*device, Op::Push), (*device, Op::Pull)]).collect()
            }
            Self::Forget(replica) => vec![(*replica, Op::Day); 3],
        }
    }
}

impl Flood {
    fn on(&self, key: Key) -> Op {
        match self {
            Self::Create => Op::Create(key, CREATED.to_vec(), Cause::User),
            Self::Revert(cause) => {
                let edits = CREATED.map(|(name, value)| (name, Some(value))).into_iter().chain([("tel/work", None)]);
                Op::Edit(key, edits.collect(), *cause, false)
            }
            Self::Delete(cause) => Op::Delete(key, *cause),
            Self::Blank(names, cause) => Op::Edit(key, names.iter().map(|name| (*name, None)).collect(), *cause, false),
            Self::Rewrite(value, cause) => {
                Op::Edit(key, FIELDS.iter().map(|name| (*name, Some(*value))).collect(), *cause, false)
            }
        }
    }
}

fn cause() -> impl Strategy<Value = Cause> {
    prop_oneof![6 => Just(Cause::User), 1 => Just(Cause::App), 1 => Just(Cause::Import), 1 => Just(Cause::Listing)]
}

fn flood() -> impl Strategy<Value = Flood> {
    let names = prop::sample::subsequence(FIELDS.to_vec(), 1..=4);
    prop_oneof![
        3 => Just(Flood::Create),
        3 => cause().prop_map(Flood::Delete),
        2 => (names, cause()).prop_map(|(names, cause)| Flood::Blank(names, cause)),
        1 => cause().prop_map(Flood::Revert),
        2 => (prop::sample::select(VALUES.to_vec()), cause()).prop_map(|(value, cause)| Flood::Rewrite(value, cause)),
    ]
}

/// Records of the first collection are many, of the second few.
fn key() -> impl Strategy<Value = Key> {
    prop_oneof![3 => (Just(0_u8), 0..14_u16), 1 => (Just(1_u8), 0..5_u16)]
}

/// The lines that wait on the devices: answering is drawn from these.
fn waiting(model: &Modelled) -> Vec<(usize, u8, usize)> {
    let open = |device| model.observe(device).open.into_iter().map(move |(c, lines)| (device, c, lines.len()));
    (1..=DEVICES).flat_map(open).collect()
}

/// What may come next, given what is.
pub(crate) fn next(model: &Modelled) -> BoxedStrategy<Step> {
    let device = || 1..=DEVICES;
    let edits = || {
        prop::collection::btree_map(
            prop::sample::select(FIELDS.to_vec()),
            prop::option::weighted(0.8, prop::sample::select(VALUES.to_vec())),
            1..3,
        )
    };
    let fields = || {
        prop::collection::btree_map(prop::sample::select(FIELDS.to_vec()), prop::sample::select(VALUES.to_vec()), 0..4)
    };
    let span = || (0..10_u16, 1..14_u16).prop_map(|(start, len)| start..start + len);
    let one = prop_oneof![
        8 => (key(), fields(), cause()).prop_map(|(key, fields, by)| Op::Create(key, fields.into_iter().collect(), by)),
        2 => key().prop_map(Op::Read),
        10 => (key(), edits(), cause(), any::<bool>()).prop_map(|(key, edits, by, stale)| Op::Edit(key, edits.into_iter().collect(), by, stale)),
        8 => (key(), cause()).prop_map(|(key, by)| Op::Delete(key, by)),
        4 => (prop_oneof![3 => Just(0_u8), 1 => Just(1_u8)], prop::collection::btree_set(0..12_u16, 1..10)).prop_map(|(c, records)| Op::DeleteMany(c, records)),
        2 => key().prop_map(Op::Restore),
        10 => Just(Op::Push),
        10 => Just(Op::Pull),
        3 => (0..2_u8, 0..3_usize).prop_map(|(c, nth)| Op::Undo(c, nth)),
    ];
    let steps = prop_oneof![
        20 => (device(), one).prop_map(|(device, op)| Step::One(device, op)),
        5 => (device(), prop_oneof![3 => Just(0_u8), 1 => Just(1_u8)], span(), flood())
            .prop_map(|(device, collection, records, what)| Step::Flood { device, collection, records, what }),
        8 => prop::collection::vec(device(), 1..4).prop_map(Step::Sync),
        1 => (0..=DEVICES).prop_map(Step::Forget),
    ];
    let waiting = waiting(model);
    if waiting.is_empty() {
        return steps.boxed();
    }
    let answer = (prop::sample::select(waiting), any::<prop::sample::Index>(), any::<bool>());
    let answer =
        answer.prop_map(|((device, c, lines), nth, keep)| Step::One(device, Op::Answer(c, nth.index(lines), keep)));
    prop_oneof![34 => steps, 8 => answer].boxed()
}

/// Some records that every replica has.
pub(crate) fn settled() -> impl Strategy<Value = Vec<Step>> {
    (prop_oneof![2 => Just(0_u16), 4 => 3..14_u16, 1 => Just(20_u16)], 0..4_u16).prop_map(|(many, few)| {
        let flood = |collection, n| Step::Flood { device: 1, collection, records: 0..n, what: Flood::Create };
        vec![flood(0, many), flood(1, few), Step::Sync(vec![1, 2, 3])]
    })
}
