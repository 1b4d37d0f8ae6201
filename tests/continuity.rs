//! Is this still the same server? Each way to lose something, named, and each way to lose nothing, unnamed.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "a test may stop")]

#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/world.rs"]
mod world;

use std::{collections::BTreeMap, convert::Infallible};

use holdfast::{
    compose::{
        device_session::{DeviceSession, Opening},
        serve::Role,
    },
    decide::{
        continuity::{Ancestor, Claim, Continuity, Facts, Judgement, ServerLoss, judge},
        line::Revision,
        position::{Issued, MAX_OLDER, Position, PositionKey, Tag, Witness},
    },
    talk::limits::WireLimits,
    values::{
        digest::Digest,
        id::{AccountId, Lineage},
    },
    *,
};
use proptest::prelude::*;
use world::*;

const fn chain(n: u8) -> Digest {
    Digest::from_bytes([n; 16])
}

fn lineage(n: u128) -> Lineage {
    Lineage::from_entropy(n).unwrap()
}

fn claim(of: u128, revision: u64, mark: u8, older: &[(u64, u8)]) -> Claim {
    let position = Position { lineage: lineage(of), revision: Revision(revision), chain: chain(mark) };
    let older = older.iter().map(|(at, mark)| (Revision(*at), chain(*mark))).collect();
    Claim { last: Issued { position, tag: Tag(chain(0)) }, older, missing: vec![] }
}

/// A history of lineage 1 with chain n at commit n, except where another chain is named.
struct Server {
    lineage: u128,
    revision: u64,
    ancestors: Vec<Ancestor>,
    chains: BTreeMap<Revision, Digest>,
    is_follower: bool,
}

impl Server {
    fn at(revision: u8) -> Self {
        let chains = (1..=revision).map(|n| (Revision(n.into()), chain(n))).collect();
        Self { lineage: 1, revision: revision.into(), ancestors: vec![], chains, is_follower: false }
    }

    fn judge(&self, claim: &Claim) -> Judgement {
        let at = Revision(self.revision);
        let position = Position { lineage: lineage(self.lineage), revision: at, chain: self.chains[&at] };
        let (ancestors, chains) = (&self.ancestors, &self.chains);
        judge(claim, &Facts { position: Some(position), ancestors, chains, is_follower: self.is_follower })
    }
}

#[test]
fn the_table_of_outcomes() {
    use Continuity::{Behind, Intact, Lost, Unproven};
    let plain = Server::at(9);
    let mut forked = Server::at(9);
    for n in 5..=9 {
        forked.chains.insert(Revision(n), chain(100));
    }
    let mut renewed = Server { lineage: 2, ..Server::at(9) };
    renewed.ancestors = vec![Ancestor { lineage: lineage(1), end: Revision(6) }];
    let mut emptied = Server { lineage: 2, ..Server::at(3) };
    emptied.ancestors = vec![Ancestor { lineage: lineage(1), end: Revision(0) }];
    let mut forgetful = Server::at(9);
    forgetful.chains.retain(|revision, _| revision.0 > 6);
    let follower = Server { is_follower: true, ..Server::at(9) };
    let cases: [(&str, &Server, Claim, Continuity, u64); 15] = [
        ("where it stands", &plain, claim(1, 9, 9, &[]), Intact, 9),
        ("where it was", &plain, claim(1, 4, 4, &[]), Intact, 4),
        ("ahead of it", &plain, claim(1, 12, 12, &[(11, 11), (8, 8)]), Lost(ServerLoss::RolledBack), 8),
        ("ahead of it, nothing shared", &plain, claim(1, 12, 12, &[]), Lost(ServerLoss::RolledBack), 0),
        ("on another way", &forked, claim(1, 7, 7, &[(6, 6), (4, 4)]), Lost(ServerLoss::Forked), 4),
        ("before the ways parted", &forked, claim(1, 4, 4, &[]), Intact, 4),
        ("set back with notice, after it", &renewed, claim(1, 8, 8, &[(6, 6)]), Lost(ServerLoss::RolledBack), 6),
        ("set back with notice, before it", &renewed, claim(1, 5, 5, &[]), Intact, 5),
        ("set back with notice, where it was", &renewed, claim(1, 6, 6, &[]), Intact, 6),
        ("of another history", &plain, claim(7, 3, 3, &[(2, 2)]), Lost(ServerLoss::Replaced), 0),
        ("emptied and begun again", &emptied, claim(1, 8, 8, &[(3, 3)]), Lost(ServerLoss::Emptied), 0),
        ("too long ago", &forgetful, claim(1, 4, 4, &[]), Unproven, 0),
        ("too long ago, but seen since", &forgetful, claim(1, 8, 8, &[(4, 4)]), Intact, 8),
        ("a follower that lags", &follower, claim(1, 12, 12, &[(9, 9)]), Behind, 9),
        ("a follower that does not", &follower, claim(1, 9, 9, &[]), Intact, 9),
    ];
    for (what, server, claim, expected, common) in cases {
        let judgement = server.judge(&claim);
        assert_eq!((judgement.continuity, judgement.common.0), (expected, common), "{what}: {judgement}");
    }
    let nothing = Facts { position: None, ancestors: &[], chains: &BTreeMap::new(), is_follower: false };
    assert_eq!(judge(&claim(1, 4, 4, &[]), &nothing).continuity, Lost(ServerLoss::Emptied));
    let missing = Claim { missing: vec![rec(1)], ..claim(1, 4, 4, &[]) };
    assert_eq!(plain.judge(&missing).continuity, Lost(ServerLoss::PartialLoss));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A claim of what the server did say raises no alarm; one of what it did not is never called intact.
    #[test]
    fn only_what_is_in_the_history_is_intact(at in 1_u64..40, mark in 1_u8..40, of in 1_u128..3, head in 1_u8..30) {
        let server = Server::at(head);
        let judgement = server.judge(&claim(of, at, mark, &[]));
        let is_held = of == 1 && at <= head.into() && u64::from(mark) == at;
        prop_assert_eq!(judgement.continuity == Continuity::Intact, is_held);
        prop_assert!(judgement.common.0 <= at);
    }

    /// Whatever was given, some position is kept within twice the way back, or it is of the first one.
    #[test]
    fn a_witness_keeps_positions_ever_further_apart(steps in proptest::collection::vec(1_u64..50, 1..400)) {
        let issued = |revision: u64| {
            let chain = Digest::from_bytes(u128::from(revision).to_be_bytes());
            let position = Position { lineage: lineage(1), revision: Revision(revision), chain };
            Issued { position, tag: Tag(chain) }
        };
        let mut at = 1;
        let mut given = vec![at];
        let mut witness = Witness::of(issued(at));
        for step in steps {
            at += step;
            given.push(at);
            witness = witness.with(issued(at));
        }
        prop_assert_eq!(witness.last.position.revision.0, at);
        prop_assert!(witness.older.len() <= MAX_OLDER && witness.older.is_sorted_by(|a, b| a.0 > b.0));
        for was in given.iter().rev().skip(1) {
            let back = at - was;
            let kept = witness.older.iter().map(|(revision, _)| at - revision.0);
            prop_assert!(kept.clone().any(|kept| kept >= back && kept <= 4 * back + 100 || kept == at - 1), "{} of {:?}", back, witness);
        }
    }
}

fn two() -> (Cloud, Phone, Phone) {
    let (mut cloud, mut ada, mut ben) = (Cloud::new(), phone(1), phone(2));
    for n in 0..20 {
        create(&mut ada, n, &[("name", &format!("n{n}")), ("phone", "1"), ("town", "Kiel")]);
    }
    cloud.sync(&mut ada);
    cloud.sync(&mut ben);
    edit(&mut ben, 1, "phone", "2", 3);
    cloud.sync(&mut ben);
    cloud.sync(&mut ada);
    (cloud, ada, ben)
}

#[track_caller]
fn outcome(cloud: &mut Cloud, phone: &mut Phone) -> Option<Continuity> {
    let report = cloud.sync_as(phone, |opening| Opening { grants_audit: true, ..opening }).unwrap();
    assert!(report.is_complete(), "{report}");
    report.collections[0].continuity
}

/// All have what anybody had, two rounds later.
#[track_caller]
fn whole(cloud: &mut Cloud, phones: &mut [Phone], records: usize) {
    for _ in 0..2 {
        phones.iter_mut().for_each(|phone| drop(cloud.sync(phone)));
    }
    let mut fresh = phone(50);
    cloud.sync(&mut fresh);
    for phone in phones.iter().chain([&fresh]) {
        assert_eq!(living(phone), records);
    }
    phones.iter_mut().for_each(|phone| assert_eq!(cloud.sync(phone).requests, 1));
}

#[test]
fn a_restored_server_that_went_on_is_forked() {
    let (mut cloud, mut ada, mut ben) = two();
    let backup = cloud.store.clone();
    create(&mut ada, 30, &[("name", "lost by the server")]);
    cloud.sync(&mut ada);
    cloud.sync(&mut ben);
    cloud.store = backup;
    let mut carl = phone(3);
    create(&mut carl, 40, &[("name", "after")]);
    cloud.sync(&mut carl);
    edit(&mut carl, 2, "town", "Rom", 9);
    cloud.sync(&mut carl);
    assert_eq!(outcome(&mut cloud, &mut ada), Some(Continuity::Lost(ServerLoss::Forked)));
    assert!(matches!(
        outcome(&mut cloud, &mut ben),
        Some(Continuity::Lost(ServerLoss::RolledBack | ServerLoss::Forked))
    ));
    whole(&mut cloud, &mut [ada, ben, carl], 22);
}

#[test]
fn the_same_backup_restored_twice_is_noticed_twice() {
    for is_marked in [false, true] {
        let (mut cloud, mut ada, mut ben) = two();
        let backup = cloud.store.clone();
        for (round, n) in [(1, 30), (2, 31)] {
            create(&mut ada, n, &[("name", "since")]);
            cloud.sync(&mut ada);
            cloud.sync(&mut ben);
            cloud.store = backup.clone();
            if is_marked {
                cloud.store.restored();
            }
            let found = outcome(&mut cloud, &mut ada);
            let lost = |found| matches!(found, Some(Continuity::Lost(ServerLoss::RolledBack | ServerLoss::Replaced)));
            assert!(lost(found), "round {round}, marked {is_marked}: {found:?}");
        }
        whole(&mut cloud, &mut [ada, ben], 22);
    }
}

#[test]
fn another_server_under_the_same_name_is_replaced() {
    let (_, ada, ben) = two();
    let mut other = Cloud { draws: 1 << 41, ..Cloud::new() };
    let mut carl = phone(3);
    create(&mut carl, 40, &[("name", "theirs")]);
    other.sync(&mut carl);
    let (mut ada, mut ben) = (ada, ben);
    assert_eq!(outcome(&mut other, &mut ada), Some(Continuity::Lost(ServerLoss::Replaced)));
    assert_eq!(outcome(&mut other, &mut ben), Some(Continuity::Lost(ServerLoss::Replaced)));
    whole(&mut other, &mut [ada, ben, carl], 21);
}

/// Takes rows out of a store, and leaves all else as it is.
fn without(store: &MemoryStore, gone: impl Fn(&str) -> bool) -> MemoryStore {
    let mut saved = serde_json::to_value(store).unwrap();
    for collection in saved["collections"].as_array_mut().unwrap() {
        collection[1]["rows"].as_array_mut().unwrap().retain(|row| !gone(row["record"].as_str().unwrap()));
    }
    serde_json::from_value(saved).unwrap()
}

/// The loss is named, with exactly these records.
#[track_caller]
fn is_partly_lost(report: &Report, missing: &[RecordId]) {
    let found = &report.collections[0];
    assert_eq!(found.continuity, Some(Continuity::Lost(ServerLoss::PartialLoss)), "{report}");
    assert_eq!(found.evidence[0].missing, missing, "{report}");
}

#[test]
fn rows_lost_under_an_intact_log_are_found_within_one_cycle() {
    let (mut cloud, mut ada, ben) = two();
    cloud.store = without(&cloud.store, |record| record == "r004" || record == "r007");
    let report = cloud.sync_as(&mut ada, |opening| Opening { grants_audit: true, ..opening }).unwrap();
    is_partly_lost(&report, &[rec(4), rec(7)]);
    whole(&mut cloud, &mut [ada, ben], 20);
}

/// Two phones, and a server on which the last edit of r005, which Ben has sent, is lost under an intact log.
fn r005_set_back() -> (Cloud, Phone, Phone) {
    let (mut cloud, ada, mut ben) = two();
    let old = cloud.store.clone();
    edit(&mut ben, 5, "phone", "5", 8);
    cloud.sync(&mut ben);
    cloud.store = set_back(&cloud.store, &old, "r005");
    (cloud, ada, ben)
}

#[test]
fn a_row_that_went_back_to_an_older_version_is_found_too() {
    let (mut cloud, ada, mut ben) = r005_set_back();
    assert_eq!(outcome(&mut cloud, &mut ben), Some(Continuity::Lost(ServerLoss::PartialLoss)));
    whole(&mut cloud, &mut [ada, ben], 20);
}

#[test]
fn a_row_that_went_back_is_named_before_the_next_edit_of_it_covers_the_loss() {
    let (mut cloud, ada, mut ben) = r005_set_back();
    // What is pending is in no audit: it is its patch that does not fit.
    edit(&mut ben, 5, "phone", "55", 9);
    let report = cloud.sync(&mut ben);
    is_partly_lost(&report, &[rec(5)]);
    whole(&mut cloud, &mut [ada, ben], 20);
}

#[test]
fn a_row_that_went_back_is_named_by_a_later_session_if_the_one_that_sees_it_ends() {
    let (mut cloud, mut ada, mut ben) = r005_set_back();
    edit(&mut ada, 5, "town", "Bonn", 9);
    cloud.sync(&mut ada);
    // It greets, reads what Ada wrote on the older version, fetches that whole, and takes it in. Then the line is dead.
    let report = cloud.sync_cut(&mut ben, 3);
    assert_eq!(report.collections[0].continuity, Some(Continuity::Intact), "{report}");
    let report = cloud.sync(&mut ben);
    is_partly_lost(&report, &[rec(5)]);
    whole(&mut cloud, &mut [ada, ben], 20);
}

#[test]
fn a_patch_that_does_not_fit_because_others_have_written_is_no_loss() {
    let (mut cloud, mut ada, mut ben) = two();
    edit(&mut ada, 5, "town", "Bonn", 8);
    edit(&mut ben, 5, "phone", "5", 9);
    let opening = ben.opening(AccountId::new("ada").unwrap(), vec![people()]);
    let mut session = DeviceSession::open(opening, &entropy(7));
    let mut frames = 0;
    let report = ben.converse::<Infallible>(&mut session, |frame| {
        frames += 1;
        if frames == 2 {
            cloud.sync(&mut ada);
        }
        Ok(cloud.answer(frame))
    });
    let report = report.unwrap();
    // A greeting, a patch in vain, what is there now, and a patch on that.
    assert_eq!(report.collections[0].continuity, Some(Continuity::Intact), "{report}");
    assert_eq!((report.requests, report.collections[0].acknowledged), (4, 1), "{report}");
    whole(&mut cloud, &mut [ada, ben], 20);
}

#[test]
fn a_row_that_is_gone_is_named_though_an_edit_of_it_waits() {
    let (mut cloud, mut ada, ben) = two();
    // Ada wrote all of it, so the server would take the whole for a new record.
    cloud.store.damage_rows(&people(), [rec(5)].iter());
    edit(&mut ada, 5, "phone", "5", 9);
    let report = cloud.sync(&mut ada);
    is_partly_lost(&report, &[rec(5)]);
    whole(&mut cloud, &mut [ada, ben], 20);
}

#[test]
fn what_is_more_than_a_device_takes_is_no_loss() {
    let narrow = |opening: Opening| {
        let record = values::codec::DecodeLimits { max_bytes: 2_000, ..opening.limits.record };
        Opening { limits: WireLimits { record, ..opening.limits }, grants_audit: true, ..opening }
    };
    for edits in [false, true] {
        let (mut cloud, mut ada, mut ben) = two();
        edit(&mut ada, 5, "town", &"x".repeat(5_000), 8);
        cloud.sync(&mut ada);
        if edits {
            edit(&mut ben, 5, "phone", "5", 9);
        }
        let before = lineage_of(&cloud);
        let report = cloud.sync_as(&mut ben, narrow).unwrap();
        assert_eq!(report.collections[0].continuity, Some(Continuity::Intact), "{edits}: {report}");
        assert_eq!(lineage_of(&cloud), before);
        // The edit is there, beside what Ben can not see.
        let there = cloud.store.read(&decide::slice::ReadSet::head(people()).with_records([rec(5)])).unwrap();
        let here = ben.row(&people(), &rec(5)).unwrap().unwrap();
        assert!(there.rows[&rec(5)].version.context().covers_all(here.version.context()));
    }
}

#[test]
fn many_rows_that_are_gone_are_named_and_mended_though_edits_of_them_wait() {
    let (mut cloud, ada, mut ben) = two();
    // The first ones are there, and more than Ben takes: none of them is shown, and it takes a few requests to see what is gone.
    let narrow = |opening: Opening| {
        let record = values::codec::DecodeLimits { max_bytes: 2_000, ..opening.limits.record };
        Opening { limits: WireLimits { record, page_bytes: 300, ..opening.limits }, ..opening }
    };
    let mut ada = ada;
    (0..4).for_each(|n| edit(&mut ada, n, "town", &"x".repeat(3_000), 8));
    cloud.sync(&mut ada);
    let gone: Vec<RecordId> = (4..16).map(rec).collect();
    cloud.store.damage_rows(&people(), gone.iter());
    (0..16).for_each(|n| edit(&mut ben, n, "phone", "5", 9));
    let report = cloud.sync_as(&mut ben, narrow).unwrap();
    let found = &report.collections[0];
    assert_eq!(found.continuity, Some(Continuity::Lost(ServerLoss::PartialLoss)), "{report}");
    let named = &found.evidence[0].missing;
    assert!(!named.is_empty() && named.iter().all(|record| gone.contains(record)), "{report}");
    assert!(found.failed.is_empty() && report.requests < 60, "{report}");
    cloud.sync(&mut ben);
    whole(&mut cloud, &mut [ada, ben], 20);
}

#[test]
fn what_does_not_fit_while_a_loss_is_mended_is_supplied_with_the_rest() {
    let (mut cloud, mut ada, mut ben) = two();
    let old = cloud.store.clone();
    create(&mut ada, 30, &[("name", "new")]);
    cloud.sync(&mut ada);
    cloud.sync(&mut ben);
    // Set back, and without a row that it had then; what Ben has of that goes up on an early page.
    cloud.store = old;
    cloud.store.damage_rows(&people(), [rec(5)].iter());
    (5..12).for_each(|n| edit(&mut ben, n, "phone", "5", 9));
    let limits = WireLimits { page_bytes: 200, ..cloud.limits };
    let report = cloud.sync_as(&mut ben, |opening| Opening { limits, ..opening }).unwrap();
    let found = &report.collections[0];
    assert!(found.failed.is_empty() && found.is_complete, "{report}");
    assert_eq!(found.evidence.len(), 1, "one loss, named once: {report}");
    whole(&mut cloud, &mut [ada, ben], 21);
}

#[test]
fn however_few_requests_a_session_may_send_a_loss_is_named_and_mended() {
    let back: fn() -> (Cloud, Phone, Phone) = r005_set_back;
    let gone = || {
        let (mut cloud, mut ada, mut ben) = two();
        edit(&mut ada, 5, "town", "Bonn", 8);
        cloud.sync(&mut ada);
        cloud.sync(&mut ben);
        cloud.store.damage_rows(&people(), [rec(5)].iter());
        (cloud, ada, ben)
    };
    for budget in [2, 3, 4, 5, 6, 9] {
        for (name, state) in [("back", back), ("gone", gone)] {
            let (mut cloud, ada, mut ben) = state();
            edit(&mut ben, 5, "phone", "55", 9);
            let short = |opening| Opening { max_requests: budget, ..opening };
            let reports: Vec<_> = (0..5).map(|_| cloud.sync_as(&mut ben, short).unwrap()).collect();
            let lost = Some(Continuity::Lost(ServerLoss::PartialLoss));
            let named = reports.iter().filter(|report| report.collections[0].continuity == lost).count();
            assert_eq!(named, 1, "{name}, {budget}: {reports:#?}");
            assert!(reports.iter().all(|report| report.requests <= budget.max(8)), "{name}, {budget}: {reports:#?}");
            assert_eq!(reports[4].requests, 1, "{name}, {budget}: {}", reports[4]);
            whole(&mut cloud, &mut [ada, ben], 20);
        }
    }
}

#[test]
fn however_few_requests_a_session_may_send_what_an_audit_misses_is_named() {
    for max_requests in 2..5 {
        let (mut cloud, mut ada, ben) = two();
        cloud.store = without(&cloud.store, |record| record == "r004" || record == "r007");
        let short = |opening| Opening { max_requests, grants_audit: true, ..opening };
        let reports: Vec<_> = (0..8).map(|_| cloud.sync_as(&mut ada, short).unwrap()).collect();
        let lost = Some(Continuity::Lost(ServerLoss::PartialLoss));
        let named = reports.iter().filter(|report| report.collections[0].continuity == lost);
        assert_eq!(named.count(), 1, "{max_requests}: {reports:#?}");
        whole(&mut cloud, &mut [ada, ben], 20);
    }
}

#[test]
fn an_audit_of_what_is_whole_raises_no_alarm() {
    let (mut cloud, mut ada, mut ben) = two();
    delete(&mut ada, 3);
    cloud.sync(&mut ada);
    cloud.store = aged(cloud.store);
    for _ in 0..3 {
        assert_eq!(outcome(&mut cloud, &mut ada), Some(Continuity::Intact));
        assert_eq!(outcome(&mut cloud, &mut ben), Some(Continuity::Intact));
    }
}

/// A server's store after the whole retention.
fn aged(store: MemoryStore) -> MemoryStore {
    let mut server = holdfast::Server::new(store, ReplicaId::from_entropy(99).unwrap(), Guard::default());
    for day in 1..8 {
        server.pass_day(&people(), values::time::Day(day), 2).unwrap();
    }
    server.store().clone()
}

#[test]
fn a_follower_that_lags_is_waited_for() {
    let (mut cloud, mut ada, _) = two();
    let lagging = cloud.store.clone();
    create(&mut ada, 30, &[("name", "new")]);
    cloud.sync(&mut ada);
    let home = std::mem::replace(&mut cloud.store, lagging);
    cloud.role = Role::Follower;
    let before = serde_json::to_string(ada.store()).unwrap();
    let report = cloud.sync(&mut ada);
    assert_eq!(report.collections[0].continuity, Some(Continuity::Behind), "{report}");
    assert_eq!(serde_json::to_string(ada.store()).unwrap(), before);
    (cloud.store, cloud.role) = (home, Role::Home);
    assert_eq!(outcome(&mut cloud, &mut ada), Some(Continuity::Intact));
}

#[test]
fn a_server_that_kept_too_little_to_tell_is_compared_with_and_not_accused() {
    let (mut cloud, mut ada, ben) = two();
    let mut saved = serde_json::to_value(&cloud.store).unwrap();
    let mut carl = phone(3);
    for n in 0..3 {
        create(&mut carl, 40 + n, &[("name", "more")]);
        cloud.sync(&mut carl);
    }
    let now = serde_json::to_value(&cloud.store).unwrap();
    saved.clone_from(&now);
    let chains = saved["collections"][0][1]["chains"].as_array_mut().unwrap();
    let kept = chains.split_off(chains.len() - 1);
    *chains = kept;
    cloud.store = serde_json::from_value(saved).unwrap();
    assert_eq!(outcome(&mut cloud, &mut ada), Some(Continuity::Unproven));
    whole(&mut cloud, &mut [ada, ben, carl], 23);
}

#[test]
fn a_host_that_changed_its_key_raises_no_alarm() {
    let (mut cloud, mut ada, mut ben) = two();
    cloud.key = PositionKey::new([8; 32]);
    assert_eq!(outcome(&mut cloud, &mut ada), Some(Continuity::Intact));
    assert_eq!(outcome(&mut cloud, &mut ben), Some(Continuity::Intact));
    assert_eq!(cloud.sync(&mut ada).requests, 1);
}

fn lineage_of(cloud: &Cloud) -> Lineage {
    let head = cloud.store.read(&decide::slice::ReadSet::head(people())).unwrap().head;
    head.history.unwrap().lineage
}

#[test]
fn a_restore_that_is_marked_begins_another_lineage_before_the_next_answer() {
    let (mut cloud, mut ada, _) = two();
    let before = lineage_of(&cloud);
    cloud.store.restored();
    // Nothing was lost, and nobody claims anything.
    assert_eq!(outcome(&mut cloud, &mut ada), Some(Continuity::Intact));
    let after = lineage_of(&cloud);
    assert_ne!(before, after);
    assert_eq!(cloud.sync(&mut ada).requests, 1);
    assert_eq!(lineage_of(&cloud), after);
}

#[test]
fn nothing_is_removed_on_the_word_of_a_server_that_lost_something_until_the_next_round() {
    let (mut cloud, mut ada, mut ben) = two();
    let backup = cloud.store.clone();
    create(&mut ada, 30, &[("name", "since")]);
    cloud.sync(&mut ada);
    cloud.store = backup;
    // Ben deletes a record at the restored server, as he may.
    delete(&mut ben, 5);
    cloud.sync(&mut ben);
    let lost = outcome(&mut cloud, &mut ada);
    assert!(matches!(lost, Some(Continuity::Lost(_))), "{lost:?}");
    assert_eq!(living(&ada), 21);
    assert_eq!(outcome(&mut cloud, &mut ada), Some(Continuity::Intact));
    assert_eq!(living(&ada), 20);
    whole(&mut cloud, &mut [ada, ben], 20);
}
