//! A root's own history in `vdir_sync`, and bookkeeping that lies about it.

#![allow(clippy::expect_used, clippy::indexing_slicing)]
#![allow(dead_code, unreachable_pub, reason = "it takes a part of the tool")]

use holdfast::{
    decide::{
        continuity::{Claim, Continuity, ServerLoss},
        position::Witness,
    },
    values::id::{AccountId, Lineage},
};

#[path = "../examples/vdir_sync/past.rs"]
mod past;

use past::Past;

fn lineage(bits: u128) -> Lineage {
    Lineage::from_entropy(bits).expect("random")
}

fn claim(past: &Past) -> Claim {
    Claim::of(&Witness::of(past.issued(&AccountId::new("ada").expect("a name"))), Vec::new())
}

/// So many commits on.
fn saved(past: &Past, commits: std::ops::Range<u128>) -> Past {
    let mut past = past.clone();
    commits.for_each(|random| past.save(random));
    past
}

#[test]
fn a_history_is_told_from_an_older_one_another_one_and_one_that_went_another_way() {
    let old = saved(&Past::begun(lineage(1)), 0..10);
    let new = saved(&old, 10..20);
    let judged = |past: &Past, known: &Past| past.judge(&claim(known)).continuity;
    assert_eq!(judged(&new, &old), Continuity::Intact);
    assert_eq!(judged(&old, &new), Continuity::Lost(ServerLoss::RolledBack));
    assert_eq!(judged(&saved(&old, 50..70), &new), Continuity::Lost(ServerLoss::Forked));
    assert_eq!(judged(&Past::begun(lineage(2)), &new), Continuity::Lost(ServerLoss::Replaced));
    // Begun anew where it was, it still has what was known of it; where it was set back before, it has not.
    assert_eq!(judged(&saved(&new.clone().begun_anew(lineage(3)), 20..30), &new), Continuity::Intact);
    let set_back = saved(&old.begun_anew(lineage(3)), 20..50);
    assert_eq!(judged(&set_back, &new), Continuity::Lost(ServerLoss::RolledBack));
}

#[test]
fn who_was_away_for_longer_than_is_remembered_is_not_accused() {
    let known = saved(&Past::begun(lineage(1)), 0..3);
    assert_eq!(saved(&known, 3..5000).judge(&claim(&known)).continuity, Continuity::Unproven);
}

#[test]
fn a_history_that_lies_is_judged_like_any_other() {
    let honest = saved(&Past::begun(lineage(1)), 0..10);
    for (revision, chains) in [(u64::MAX, 0), (u64::MAX, 3), (0, 11), (3, 11), (10, 0)] {
        let mut lie = serde_json::to_value(&honest).expect("JSON");
        lie["position"]["revision"] = revision.into();
        lie["chains"].as_array_mut().expect("a list").truncate(chains);
        let mut lie: Past = serde_json::from_value(lie).expect("a history");
        for _ in 0..3 {
            assert!(!lie.judge(&claim(&honest)).continuity.may_remove(), "{revision} {chains}");
            let _any = honest.judge(&claim(&lie));
            lie.save(7);
        }
    }
}
