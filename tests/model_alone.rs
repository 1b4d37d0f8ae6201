//! The reference model against its own invariants. If these fail, the harness is buggy, not the engine.

#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "a test should stop at its own bugs")]

mod model;

use model::{Cause, Key, Model, Observed, Op, Standing, Text};
use proptest::prelude::*;

const FIELDS: [Text; 4] = ["name", "tel/home", "tel/work", "note"];
const VALUES: [Text; 4] = ["", "a", "b", "c"];

fn key() -> impl Strategy<Value = Key> {
    (0..2_u8, 0..12_u16)
}

fn cause() -> impl Strategy<Value = Cause> {
    prop_oneof![6 => Just(Cause::User), 1 => Just(Cause::App), 1 => Just(Cause::Import), 1 => Just(Cause::Listing)]
}

fn op() -> impl Strategy<Value = Op> {
    let field = || prop::sample::select(FIELDS.to_vec());
    let value = || prop::sample::select(VALUES.to_vec());
    let device = || 1..4_usize;
    let answer = || (device(), 0..2_u8, 0..4_usize);
    prop_oneof![
        12 => (device(), key(), prop::collection::vec((field(), value()), 0..4), cause())
            .prop_map(|(replica, key, fields, cause)| Op::Create { replica, key, fields, cause }),
        8 => (device(), key(), prop::collection::vec((field(), prop::option::of(value())), 1..3), cause(), any::<bool>())
            .prop_map(|(replica, key, fields, cause, stale)| Op::Edit { replica, key, fields, cause, stale }),
        2 => (device(), key()).prop_map(|(replica, key)| Op::Read { replica, key }),
        8 => (device(), key(), cause()).prop_map(|(replica, key, cause)| Op::Delete { replica, key, cause }),
        2 => (device(), prop::collection::btree_set(key(), 1..9))
            .prop_map(|(replica, keys)| Op::DeleteMany { replica, keys }),
        1 => (device(), key(), key()).prop_map(|(replica, from, to)| Op::Move { replica, from, to }),
        10 => device().prop_map(|replica| Op::Push { replica }),
        10 => device().prop_map(|replica| Op::Pull { replica }),
        2 => answer().prop_map(|(replica, collection, nth)| Op::Consent { replica, collection, nth }),
        2 => answer().prop_map(|(replica, collection, nth)| Op::Keep { replica, collection, nth }),
        2 => (device(), 0..3_usize).prop_map(|(replica, nth)| Op::Undo { replica, nth }),
        1 => (0..4_usize).prop_map(|replica| Op::Purge { replica }),
        1 => (0..4_usize, 0..2_u8).prop_map(|(replica, collection)| Op::LoseLedger { replica, collection }),
    ]
}

/// Thirty-one days and a purge on one replica.
fn forget(model: &mut Model, replica: usize, from: i64) {
    (from..from + 31).for_each(|day| model.apply(&Op::Tick { replica, day }));
    model.apply(&Op::Purge { replica });
}

fn round(model: &mut Model) {
    for replica in 1..4 {
        model.apply(&Op::Push { replica });
        model.apply(&Op::Pull { replica });
    }
}

/// Base and unanswered losses, without open lines, of a collection or of the account.
fn losses(model: &Model, replica: usize, collection: Option<u8>) -> (usize, usize) {
    let rows = model.replicas[replica].rows.iter().filter(|(key, _)| collection.is_none_or(|c| c == key.0));
    rows.fold((0, 0), |(n, lost), (_, row)| {
        (n + usize::from(row.standing != Standing::Gone), lost + usize::from(row.lost.is_some()))
    })
}

/// Applies a step and checks what no step may do.
fn step(model: &mut Model, op: &Op) -> Result<(), TestCaseError> {
    let sizes = [(Some(0), 8), (Some(1), 8), (None, 3)];
    let before: Vec<_> = (0..model.replicas.len()).map(|r| sizes.map(|(scope, _)| losses(model, r, scope))).collect();
    model.apply(op);
    for (replica, before) in before.into_iter().enumerate() {
        for ((n, was), (scope, least)) in before.into_iter().zip(sizes) {
            let (_, is) = losses(model, replica, scope);
            let judged = is > was && (replica != 0 || scope.is_some());
            prop_assert!(!judged || n < 8 || is <= n.div_ceil(2), "floor: {is} of {n} lost at {replica} by {op:?}");
            prop_assert!(!judged || n < least || is < n, "zero: {is} of {n} lost at {replica} by {op:?}");
        }
    }
    Ok(())
}

fn shown(model: &Model, replica: usize) -> Vec<(Key, model::Fields)> {
    let alive = |(key, ((alive, fields), _))| if alive { Some((key, fields)) } else { None };
    model.observe(replica).records.into_iter().filter_map(alive).collect()
}

/// Nothing is held and, on a device, nothing asked. (A pair may stay beside at a server when its sender's line is struck.)
fn is_quiet(replica: usize, seen: &Observed) -> bool {
    seen.records.values().all(|(_, held)| held.is_none()) && (replica == 0 || seen.open.is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn floors_hold_and_answers_converge(ops in prop::collection::vec(op(), 1..120), keep in any::<bool>(), trust in any::<bool>()) {
        let mut model = Model::new(4);
        model.trust = trust;
        model.identifying.insert(0, "name");
        let mut purged = false;
        for (op, from) in ops.iter().zip((0..).step_by(40)) {
            match op {
                Op::Purge { replica } => forget(&mut model, *replica, from),
                op => step(&mut model, op)?,
            }
            prop_assert!(model.vanished(false).is_empty(), "gone: {:?}", model.vanished(false));
            purged |= matches!(op, Op::Purge { .. });
            prop_assert!(purged || model.vanished(true).is_empty(), "gone: {:?}", model.vanished(true));
        }
        if !trust {
            return Ok(()); // a consent that lifts nothing leaves the server's hold as it is
        }
        for _ in 0..12 {
            round(&mut model);
            for (replica, collection) in (1..4).flat_map(|r| [(r, 0), (r, 1)]) {
                if let Some(open) = model.observe(replica).open.get(&collection) {
                    let nth = open.len() - 1;
                    let op = if keep { Op::Keep { replica, collection, nth } } else { Op::Consent { replica, collection, nth } };
                    model.apply(&op);
                    round(&mut model);
                }
            }
        }
        for replica in 0..4 {
            prop_assert!(is_quiet(replica, &model.observe(replica)), "open at {replica}: {:?}", model.observe(replica).open);
            prop_assert_eq!(shown(&model, replica), shown(&model, 0), "replica {}", replica);
        }
    }
}

/// `n` records of three families each on device 1, the server and device 2.
fn settled(n: u16) -> Model {
    let mut model = Model::new(3);
    for record in 0..n {
        let fields = vec![("name", "a"), ("tel/home", "b"), ("note", "c")];
        model.apply(&Op::Create { replica: 1, key: (0, record), fields, cause: Cause::User });
    }
    model.apply(&Op::Push { replica: 1 });
    model.apply(&Op::Pull { replica: 2 });
    model
}

/// How many of the first `changed` of `n` records a server holds when they all change so in one push.
fn held_of(n: u16, changed: u16, change: impl Fn(Key) -> Op) -> usize {
    let mut model = settled(n);
    (0..changed).for_each(|record| model.apply(&change((0, record))));
    model.apply(&Op::Push { replica: 1 });
    model.observe(0).open.get(&0).map_or(0, Vec::len)
}

#[test]
fn limits_hold_at_the_first_too_many() {
    let delete = |cause| move |key| Op::Delete { replica: 1, key, cause };
    let edit = |fields: &[(Text, Option<Text>)]| {
        let fields = fields.to_vec();
        move |key| Op::Edit { replica: 1, key, fields: fields.clone(), cause: Cause::User, stale: false }
    };
    let last = |key: Key| Op::Delete { replica: 1, key: (0, 199 - key.1), cause: Cause::User };
    let overwrite = [("note", Some("d"))];
    assert_eq!(held_of(200, 20, last), 0, "a tenth of 200, the newest: no prefix breaks");
    assert_eq!(held_of(200, 21, last), 21, "the round limit of 200");
    assert_eq!(held_of(200, 4, delete(Cause::User)), 0);
    assert_eq!(held_of(200, 5, delete(Cause::User)), 5, "more than half of the first eight");
    assert_eq!(held_of(200, 2, delete(Cause::Listing)), 0);
    assert_eq!(held_of(200, 3, delete(Cause::Listing)), 0);
    assert_eq!(held_of(200, 4, delete(Cause::Listing)), 4, "the unauthored round limit");
    assert_eq!(held_of(7, 4, delete(Cause::User)), 0, "no floor below eight");
    assert_eq!(held_of(40, 5, edit(&[("note", None)])), 0, "one of three families");
    assert_eq!(held_of(40, 6, edit(&[("note", None)])), 6, "the same family emptied in too many");
    assert_eq!(held_of(40, 5, edit(&[("note", None), ("name", None)])), 5, "two of three families are losses");
    assert_eq!(held_of(120, 50, edit(&overwrite)), 0);
    assert_eq!(held_of(120, 60, edit(&overwrite)), 60, "in a prefix of 64, too");
}

proptest! {
    #[test]
    fn a_drip_stops_at_the_floor(n in 1..40_u16, batch in 1..6_usize, order in Just((0..40_u16).collect::<Vec<_>>()).prop_shuffle()) {
        let mut model = settled(n);
        for records in order.chunks(batch) {
            for record in records {
                step(&mut model, &Op::Delete { replica: 1, key: (0, *record), cause: Cause::User })?;
            }
            step(&mut model, &Op::Push { replica: 1 })?;
            step(&mut model, &Op::Pull { replica: 2 })?;
        }
        for replica in [0, 2] {
            let left = shown(&model, replica).len();
            prop_assert!(n < 8 || left >= usize::from(n / 2), "{left} of {n} left at {replica}");
        }
    }
}
