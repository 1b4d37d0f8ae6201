//! Contents that were there before: blanked entries, old backups, and bookkeeping that is gone.

use std::collections::BTreeMap;

use holdfast::{
    act::receipt::Effect,
    decide::{breach::Rule, line::LineKind},
    values::id::FieldName,
    *,
};

use crate::phone::{Fields, Phone, card, id, in_step, people};

#[test]
fn blanked_entries_are_held_before_any_of_them_is_written() {
    let (mut ada, mut ben, mut server) = in_step(200);
    let before = ada.native.clone();
    for fields in ada.native.values_mut().skip(2) {
        *fields = card([("name", ""), ("tel/a", "")]);
    }
    let receipt = ada.observe();
    assert_eq!((receipt.held.len(), ada.pending()), (198, 0));
    let hold = ada.device.hold(&people()).unwrap().unwrap();
    assert!(hold.open().all(|line| line.kind == LineKind::Contents));
    assert!(ada.observe().is_quiet(), "the same question");
    assert_eq!(ada.write_back(), 0);

    ada.sync(&mut server);
    ben.sync(&mut server);
    assert_eq!(ben.write_back(), 0);

    ada.device.keep(&people(), hold.digest, "Ada", Timestamp::from_micros(9)).unwrap();
    assert!(ada.observe().is_quiet(), "what nobody wanted is not a new edit before it is written over");
    assert_eq!(ada.write_back(), 198);
    assert_eq!(ada.native, before);
}

#[test]
fn consent_takes_blanked_entries_in() {
    let (mut ada, mut ben, mut server) = in_step(40);
    for fields in ada.native.values_mut() {
        *fields = card([("name", "nobody")]);
    }
    let hold = ada.observe().hold.unwrap();
    ada.device.consent(&people(), hold, "Ada", Timestamp::from_micros(9)).unwrap();
    assert_eq!(ada.write_back(), 0);
    assert!(ada.observe().is_quiet());
    ada.sync(&mut server);
    ben.sync(&mut server);
    ben.write_back();
    assert_eq!(ben.native, ada.native);
}

/// 20 edits and 3 deletes, then the native store of an hour ago.
fn old_backup(edits: usize, deletes: usize) -> (Phone, BTreeMap<RecordId, Fields>, BTreeMap<RecordId, Fields>) {
    let mut ada = Phone::with_people(1, 200);
    let backup = ada.native.clone();
    for (n, fields) in ada.native.values_mut().enumerate().skip(10).take(edits) {
        fields.extend(card([("tel/a", &format!("+1 {n}"))]));
    }
    for n in 0..deletes {
        ada.remove(n * 40..n * 40 + 1);
        ada.observe();
    }
    ada.observe();
    let current = ada.native.clone();
    (ada, backup, current)
}

#[test]
fn an_old_backup_is_recognised_and_held() {
    let (mut ada, backup, current) = old_backup(20, 5);
    ada.native = backup;
    let receipt = ada.observe();
    assert_eq!(receipt.held.len(), 25);
    assert!(receipt.breaches.iter().any(|breach| matches!(breach.rule, Rule::UnauthoredRound)));
    assert_eq!((ada.pending(), ada.living().len()), (200, 195));
    ada.device.keep(&people(), receipt.hold.unwrap(), "Ada", Timestamp::from_micros(9)).unwrap();
    assert_eq!(ada.write_back(), 25);
    assert_eq!(ada.native, current);
}

#[test]
fn one_value_put_back_by_hand_is_an_edit() {
    let (mut ada, backup, _) = old_backup(20, 0);
    ada.native.insert(id("p010"), backup[&id("p010")].clone());
    assert_eq!(ada.observe().count(Effect::Changed), 1);
    assert_eq!(ada.shows(&id("p010")), backup[&id("p010")]);
}

#[test]
fn one_file_put_back_by_hand_is_an_undelete() {
    let (mut ada, backup, _) = old_backup(0, 2);
    ada.native.insert(id("p000"), backup[&id("p000")].clone());
    assert_eq!(ada.observe().count(Effect::Added), 1);
    assert_eq!((ada.write_back(), ada.living().len()), (0, 199));
}

#[test]
fn without_bookkeeping_what_is_known_is_that_version() {
    let (mut ada, ben, mut server) = in_step(30);
    // Since Ben's last sync: one edited, one deleted.
    ada.native.get_mut(&id("p005")).unwrap().extend(card([("tel/a", "+1 555")]));
    ada.remove(0..1);
    ada.observe();
    ada.sync(&mut server);

    let mut ben = ben.without_bookkeeping();
    ben.sync(&mut server);
    let receipt = ben.observe();
    assert_eq!((ben.pending(), receipt.held.len()), (0, 0), "nothing was authored");
    assert_eq!(ben.write_back(), 2);
    assert_eq!(ben.native, ada.native, "nothing twice, and nobody is back from the dead");
}

#[test]
fn without_bookkeeping_an_edit_that_was_not_synced_stands_beside() {
    let (_, mut ben, mut server) = in_step(30);
    ben.native.get_mut(&id("p005")).unwrap().extend(card([("tel/a", "+1 555")]));
    ben.remove(1..2);
    let mut ben = ben.without_bookkeeping();
    ben.sync(&mut server);
    ben.observe();
    ben.write_back();
    let record = ben.device.row(&people(), &id("p005")).unwrap().unwrap().version.record();
    assert_eq!(record.fields()[&FieldName::new("tel/a").unwrap()].siblings().len(), 2);
    assert_eq!(record.conflicts().count(), 1);
    assert_eq!(ben.native.len(), 30, "a delete that was not synced is undone");
}
