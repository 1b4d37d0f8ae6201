//! Native stores that can only be listed: what a listing says, what it can not say, and what it may take away.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![allow(clippy::panic, reason = "a test may stop")]

use std::collections::{BTreeMap, BTreeSet};

use holdfast::{
    act::receipt::{Effect, Receipt},
    decide::{
        breach::Rule,
        consent::{Answer, Verdict},
        diff::Refusal,
        draft::Draft,
        line::LineKind,
        listing::{Listing, Partial},
        slice::{Query, ReadSet},
    },
    values::{id::FieldName, value::Value},
    *,
};
use proptest::prelude::*;

type Fields = BTreeMap<FieldName, Value>;

fn people() -> CollectionId {
    CollectionId::new("people").unwrap()
}

fn id(name: impl AsRef<str>) -> RecordId {
    RecordId::new(name).unwrap()
}

fn card<const N: usize>(fields: [(&str, &str); N]) -> Fields {
    fields.into_iter().map(|(name, value)| (FieldName::new(name).unwrap(), Value::from(value))).collect()
}

fn person(n: usize) -> Fields {
    card([("name", &format!("Person {n}")), ("tel/a", &format!("+49 {n}")), ("email/a", &format!("p{n}@example.org"))])
}

fn inputs(round: u128) -> Inputs<'static> {
    Inputs::new(RoundId(round), Trust::Account)
}

/// Every row, every line, the head and the ledgers.
fn everything() -> ReadSet {
    let all = Query::Range { after: None, limit: usize::MAX };
    ReadSet::head(people()).with_lines().with_query(all)
}

/// A device with a native store beside it, as a phone has.
struct Phone {
    device: Device<MemoryStore>,
    native: BTreeMap<RecordId, Fields>,
    round: u128,
    number: u128,
}

impl Phone {
    fn new(number: u128) -> Self {
        let replica = ReplicaId::from_entropy(number).unwrap();
        let device = Device::new(MemoryStore::device(), replica, Guard::default());
        Self { device, native: BTreeMap::new(), round: number << 64, number }
    }

    fn with_people(number: u128, count: usize) -> Self {
        let mut phone = Self::new(number);
        phone.native = (0..count).map(|n| (id(format!("p{n:03}")), person(n))).collect();
        phone.observe();
        phone
    }

    fn next_round(&mut self) -> RoundId {
        self.round += 1;
        RoundId(self.round)
    }

    fn listing(&self) -> Partial {
        let mut listing = Partial::new(people());
        for (record, fields) in &self.native {
            listing.entry(record.clone(), fields.clone(), Timestamp::from_micros(1));
        }
        listing
    }

    fn observe(&mut self) -> Receipt {
        let listing = self.listing().complete(self.native.len()).unwrap().into();
        self.see(&listing)
    }

    fn see(&mut self, listing: &Listing) -> Receipt {
        let round = self.next_round();
        self.device.observe(listing.clone(), round, Timestamp::from_micros(2)).unwrap()
    }

    /// Writes to the native store what it should show, and notes it.
    fn write_back(&mut self) -> usize {
        let rows = self.device.unshown(&people(), usize::MAX).unwrap();
        for row in &rows {
            if row.version.is_alive() {
                let record = row.version.record();
                let shown = record.shown(values::register::Show::Latest);
                self.native.insert(row.record.clone(), shown.map(|(n, v)| (n.clone(), v.clone())).collect());
            } else {
                self.native.remove(&row.record);
            }
        }
        let count = rows.len();
        let shown = rows.into_iter().map(|row| (row.record, row.version)).collect();
        self.device.shown(&people(), shown).unwrap();
        count
    }

    fn sync(&mut self, server: &mut Server<MemoryStore>) {
        let round = self.next_round();
        exchange(&mut self.device, server, &people(), &inputs(round.0)).unwrap();
    }

    fn remove(&mut self, range: std::ops::Range<usize>) {
        range.for_each(|n| drop(self.native.remove(&id(format!("p{n:03}")))));
    }

    fn living(&self) -> BTreeSet<RecordId> {
        self.device.records(&people(), None, usize::MAX).unwrap().into_iter().collect()
    }

    fn shows(&self, record: &RecordId) -> Fields {
        let version = self.device.row(&people(), record).unwrap().unwrap().version;
        let record = version.record();
        record.shown(values::register::Show::Latest).map(|(n, v)| (n.clone(), v.clone())).collect()
    }

    fn open_lines(&self) -> usize {
        self.device.hold(&people()).unwrap().map_or(0, |hold| hold.open().count())
    }

    fn pending(&self) -> usize {
        self.device.pending(&people(), usize::MAX).unwrap().offers.len()
    }

    /// As after a restart: the store is written to a file and read back, and is what it was.
    fn restart(&mut self) {
        let bytes = postcard::to_stdvec(self.device.store()).unwrap();
        let store: MemoryStore = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(postcard::to_stdvec(&store).unwrap(), bytes);
        let read = |store: &MemoryStore| format!("{:?}", store.read(&everything()).unwrap());
        assert_eq!(read(&store), read(self.device.store()));
        self.device = Device::new(store, self.device.replica(), Guard::default());
    }

    /// As after the app's data was lost: another installation over the same native store.
    fn without_bookkeeping(self) -> Self {
        Self { native: self.native, ..Self::new(self.number + 1000) }
    }
}

fn server() -> Server<MemoryStore> {
    Server::new(MemoryStore::server(), ReplicaId::from_entropy(99).unwrap(), Guard::default())
}

/// Two phones and a server, in step over `count` people.
fn in_step(count: usize) -> (Phone, Phone, Server<MemoryStore>) {
    let (mut ada, mut ben, mut server) = (Phone::with_people(1, count), Phone::new(2), server());
    ada.sync(&mut server);
    ben.observe();
    ben.sync(&mut server);
    assert_eq!(ben.write_back(), count);
    assert_eq!(ada.native, ben.native);
    (ada, ben, server)
}

#[test]
fn what_did_not_change_authors_nothing() {
    let mut ada = Phone::with_people(1, 20);
    assert_eq!(ada.living().len(), 20);
    assert!(ada.observe().is_quiet());
    let mut listing = Partial::new(people());
    ada.native.keys().for_each(|record| listing.unchanged(record.clone()));
    assert!(ada.see(&listing.complete(20).unwrap().into()).is_quiet());
    assert_eq!(ada.write_back(), 0);
}

#[test]
fn an_edit_covers_what_was_shown_and_nothing_else() {
    let (mut ada, mut ben, mut server) = in_step(3);
    let grace = id("p000");
    ben.native.get_mut(&grace).unwrap().extend(card([("email/a", "new@example.org")]));
    ben.observe();
    ben.sync(&mut server);
    // Ada's native store has not been written yet: what she types is an edit of what she saw.
    ada.sync(&mut server);
    ada.native.get_mut(&grace).unwrap().extend(card([("tel/a", "+1 555")]));
    let receipt = ada.observe();
    assert_eq!(receipt.changes[0].fields, [FieldName::new("tel/a").unwrap()]);
    assert_eq!(ada.write_back(), 1);
    let both = card([("name", "Person 0"), ("tel/a", "+1 555"), ("email/a", "new@example.org")]);
    assert_eq!(ada.native[&grace], both);
    ada.sync(&mut server);
    ben.sync(&mut server);
    ben.write_back();
    assert_eq!(ben.native[&grace], both);
}

#[test]
fn two_edits_of_one_field_are_both_kept() {
    let (mut ada, mut ben, mut server) = in_step(3);
    let grace = id("p000");
    ben.native.get_mut(&grace).unwrap().extend(card([("tel/a", "+1 Ben")]));
    ben.observe();
    ben.sync(&mut server);
    ada.sync(&mut server); // and what Ben wrote is not in Ada's native store yet
    ada.native.get_mut(&grace).unwrap().extend(card([("tel/a", "+1 Ada")]));
    ada.observe();
    let record = ada.device.row(&people(), &grace).unwrap().unwrap().version.record();
    assert_eq!(record.fields()[&FieldName::new("tel/a").unwrap()].siblings().len(), 2);
}

#[test]
fn who_removes_an_old_version_does_not_remove_the_new_one() {
    let (mut ada, mut ben, mut server) = in_step(3);
    let grace = id("p000");
    ben.native.get_mut(&grace).unwrap().extend(card([("tel/a", "+1 Ben")]));
    ben.observe();
    ben.sync(&mut server);
    ada.sync(&mut server);
    ada.native.remove(&grace); // she has not seen what Ben wrote
    assert_eq!(ada.observe().count(Effect::Hidden), 0);
    assert_eq!(ada.write_back(), 1);
    assert_eq!(ada.native, ben.native);
}

#[test]
fn three_removed_by_hand_ask_nothing() {
    let (mut ada, mut ben, mut server) = in_step(200);
    ada.remove(0..3);
    assert_eq!(ada.observe().count(Effect::Hidden), 3);
    ada.sync(&mut server);
    ben.sync(&mut server);
    assert_eq!(ben.write_back(), 3);
    assert_eq!(ben.native.len(), 197);
    assert_eq!((ada.open_lines(), ben.open_lines()), (0, 0));
    assert!(server.hold(&people()).unwrap().is_none());
}

#[test]
fn the_only_record_of_a_list_may_be_removed() {
    let (mut ada, _, _) = in_step(1);
    ada.remove(0..1);
    assert_eq!(ada.observe().count(Effect::Hidden), 1);
}

#[test]
fn what_a_listing_lacks_is_removed_all_or_none() {
    let (mut ada, _, mut server) = in_step(200);
    ada.remove(0..4);
    let receipt = ada.observe();
    assert_eq!((receipt.held.len(), receipt.count(Effect::Hidden)), (4, 0));
    assert!(receipt.breaches.iter().any(|breach| breach.rule == Rule::UnauthoredRound && breach.found == 4));
    assert_eq!((ada.living().len(), ada.pending()), (200, 0)); // to everybody else the records are as they were
    ada.sync(&mut server);
    let hold = ada.device.hold(&people()).unwrap().unwrap();
    assert!(hold.lines.iter().all(|line| line.kind == LineKind::Proposal));
    assert_eq!(ada.write_back(), 0); // nobody writes them back behind the person's back, either
}

#[test]
fn all_or_none_holds_where_only_a_part_breaks_a_limit() {
    // Of the 8 oldest, 4 were lost before: a fifth breaks the floor of that prefix, two others break nothing.
    let (mut ada, _, _) = in_step(200);
    for n in 0..4 {
        ada.remove(n..n + 1);
        assert_eq!(ada.observe().count(Effect::Hidden), 1);
    }
    ada.remove(4..5);
    ada.remove(100..102);
    let receipt = ada.observe();
    assert_eq!((receipt.held.len(), receipt.count(Effect::Hidden)), (3, 0));
}

#[test]
fn a_listing_and_what_comes_are_counted_apart_on_one_base() {
    // Three removed here and three there, in one round, ask nothing; and what is new here makes no room for what comes.
    let (mut ada, mut ben, mut server) = in_step(100);
    ben.remove(50..53);
    ben.observe();
    ben.sync(&mut server);
    ada.remove(0..3);
    ada.native.extend((0..400).map(|n| (id(format!("new{n}")), person(n))));
    let round = ada.next_round();
    let listing = ada.listing().complete(ada.native.len()).unwrap();
    assert_eq!(ada.device.observe(listing, round, Timestamp::from_micros(2)).unwrap().count(Effect::Hidden), 3);
    exchange(&mut ada.device, &mut server, &people(), &inputs(round.0)).unwrap();
    assert_eq!((ada.open_lines(), ada.living().len()), (0, 494));

    let (mut ada, mut ben, _) = in_step(100);
    for n in 0..12 {
        let write = Write::delete(people(), id(format!("p{:03}", n * 8)), Cause::User);
        ben.device.write(&write, Timestamp::from_micros(5)).unwrap();
    }
    let mut deaf = Server::new(MemoryStore::server(), ReplicaId::from_entropy(97).unwrap(), Guard::default());
    ben.device.unacknowledge(&people()).unwrap();
    ben.sync(&mut deaf); // an empty server has nothing to lose, and passes all of it on
    ada.native.extend((0..400).map(|n| (id(format!("new{n}")), person(n))));
    let round = ada.next_round();
    let listing = ada.listing().complete(ada.native.len()).unwrap();
    ada.device.observe(listing, round, Timestamp::from_micros(2)).unwrap();
    exchange(&mut ada.device, &mut deaf, &people(), &inputs(round.0)).unwrap();
    assert_eq!(ada.open_lines(), 12, "12 of 100 are too many, and 400 new ones do not make it 12 of 500");
}

#[test]
fn every_round_has_its_limits_whatever_its_id() {
    let mut ben = Phone::with_people(1, 100);
    let mut source = server();
    ben.sync(&mut source);
    for (device, round) in [(2, 7), (3, u128::MAX - 5)] {
        let mut ada = Phone::new(device);
        ada.sync(&mut source);
        let mut deleter = Phone::new(device + 50);
        deleter.sync(&mut source);
        for n in 0..45 {
            let write = Write::delete(people(), id(format!("p{:03}", 99 - n)), Cause::User);
            deleter.device.write(&write, Timestamp::from_micros(5)).unwrap();
        }
        let all = deleter.device.pending(&people(), usize::MAX).unwrap();
        for part in all.offers.chunks(9) {
            let changes = decide::changes::Changes { offers: part.to_vec(), ..all.clone() };
            ada.device.take_in(changes, &inputs(round)).unwrap();
        }
        assert_eq!(100 - ada.living().len(), 9, "five messages of one round, nine deletes each, of 100");
    }
}

#[test]
fn an_acknowledgement_in_the_middle_of_a_round_does_not_begin_it_anew() {
    let lists: Vec<CollectionId> = (0..20).map(|n| CollectionId::new(format!("list{n}")).unwrap()).collect();
    let write = |device: &mut Device<MemoryStore>, write: &Write| {
        device.write(write, Timestamp::from_micros(5)).unwrap();
    };
    let (mut ada, mut ben, mut server) = (Phone::new(1).device, Phone::new(2).device, server());
    for list in &lists {
        for n in 0..5 {
            let create =
                Write::create_fields(list.clone(), id(format!("{n}")), person(n).into_iter().collect(), Cause::User);
            write(&mut ben, &create);
        }
        exchange(&mut ben, &mut server, list, &inputs(1)).unwrap();
        exchange(&mut ada, &mut server, list, &inputs(2)).unwrap();
        write(&mut ben, &Write::delete(list.clone(), id("0"), Cause::User));
        exchange(&mut ben, &mut server, list, &inputs(3)).unwrap();
        // Something to push in each list, so that an acknowledgement comes between what the round takes.
        write(&mut ada, &Write::create_fields(list.clone(), id("own"), Vec::new(), Cause::User));
    }
    let held: usize =
        lists.iter().map(|list| exchange(&mut ada, &mut server, list, &inputs(4)).unwrap().pulled.held.len()).sum();
    assert_eq!(held, 8, "of 120 in the account, 12 may go in a round");
}

#[test]
fn a_repeated_listing_is_the_same_question() {
    let (mut ada, _, _) = in_step(50);
    ada.native.clear();
    let first = ada.observe();
    assert_eq!(first.held.len(), 50);
    let second = ada.observe();
    assert!(second.is_quiet());
    assert_eq!(second.hold, first.hold);
}

#[test]
fn an_entry_that_is_back_strikes_its_line() {
    let (mut ada, _, _) = in_step(50);
    let before = ada.native.clone();
    ada.native.clear();
    ada.observe();
    ada.native = before;
    ada.remove(0..1);
    ada.observe();
    assert_eq!(ada.open_lines(), 1); // the one that is still missing was asked about, and still is
    assert_eq!(ada.living().len(), 50);
}

#[test]
fn keep_writes_back_what_was_missing() {
    let (mut ada, mut ben, mut server) = in_step(50);
    let before = ada.native.clone();
    ada.native.clear();
    let hold = ada.observe().hold.unwrap();
    ada.device.keep(&people(), hold, "Ada", Timestamp::from_micros(9)).unwrap();
    assert_eq!(ada.write_back(), 50);
    assert_eq!(ada.native, before);
    assert_eq!(ada.pending(), 0); // nobody has heard of it
    assert!(ada.observe().is_quiet());
    ada.sync(&mut server);
    ben.sync(&mut server);
    assert_eq!((ben.write_back(), ben.native), (0, before));
}

#[test]
fn consent_removes_everywhere_and_nobody_is_asked_again() {
    let (mut ada, mut ben, mut server) = in_step(50);
    ada.remove(0..30);
    let hold = ada.observe().hold.unwrap();
    let receipt = ada.device.consent(&people(), hold, "Ada", Timestamp::from_micros(9)).unwrap();
    assert_eq!(receipt.count(Effect::Hidden), 30);
    ada.sync(&mut server);
    ben.sync(&mut server);
    ben.write_back();
    assert_eq!(ben.native, ada.native);
    assert_eq!((ben.open_lines(), ada.open_lines()), (0, 0));
    assert!(server.hold(&people()).unwrap().is_none());
    assert_eq!(ada.write_back(), 0);
}

#[test]
fn a_consent_does_not_remove_what_has_moved_on() {
    let (mut ada, mut ben, mut server) = in_step(50);
    ada.remove(0..30);
    let hold = ada.observe().hold.unwrap();
    ben.native.get_mut(&id("p000")).unwrap().extend(card([("tel/a", "+1 555")]));
    ben.observe();
    ben.sync(&mut server);
    ada.sync(&mut server);
    assert_eq!(ada.open_lines(), 29);
    let receipt = ada.device.consent(&people(), hold, "Ada", Timestamp::from_micros(9)).unwrap();
    assert_eq!(receipt.count(Effect::Hidden), 29);
    assert_eq!(ada.write_back(), 1); // and it is shown again, with the edit
    assert_eq!(ada.native[&id("p000")], ben.native[&id("p000")]);
}

#[test]
fn a_drip_stops_at_ten() {
    let (mut ada, _, _) = in_step(200);
    for n in 0..40 {
        ada.remove(n * 5..n * 5 + 1);
        ada.observe();
    }
    assert_eq!(200 - ada.living().len(), 10);
    assert_eq!(ada.open_lines(), 30);
}

#[test]
fn while_a_question_is_open_no_more_goes_unasked() {
    let (mut ada, _, _) = in_step(200);
    ada.remove(100..130);
    ada.observe();
    ada.remove(150..151);
    assert_eq!(ada.observe().count(Effect::Hidden), 0);
    assert_eq!(ada.open_lines(), 31);
}

#[test]
fn what_comes_back_from_the_dead_is_what_it_shows() {
    let (mut ada, _, _) = in_step(10);
    ada.remove(0..1);
    ada.observe();
    ada.native.insert(id("p000"), card([("name", "Somebody else")]));
    ada.observe();
    assert_eq!(ada.shows(&id("p000")), card([("name", "Somebody else")]));
}

#[test]
fn an_answer_about_earlier_losses_is_given_once_for_all_replicas() {
    let (mut ada, mut ben, mut server) = in_step(200);
    let sync = |ada: &mut Phone, ben: &mut Phone, server: &mut Server<MemoryStore>| {
        for phone in [ada, ben] {
            phone.observe();
            phone.sync(server);
            phone.write_back();
        }
    };
    // One by one, until somebody is asked.
    for n in 0..11 {
        ada.remove(n * 8..n * 8 + 1);
        sync(&mut ada, &mut ben, &mut server);
    }
    let hold = ada.device.hold(&people()).unwrap().unwrap();
    assert_eq!((hold.open().count(), hold.earlier.len()), (1, 10));
    ada.device.consent(&people(), hold.digest, "Ada", Timestamp::from_micros(9)).unwrap();
    sync(&mut ada, &mut ben, &mut server);
    // The next one asks nobody, on no replica.
    ada.remove(100..101);
    sync(&mut ada, &mut ben, &mut server);
    sync(&mut ada, &mut ben, &mut server);
    assert_eq!((ada.open_lines(), ben.open_lines()), (0, 0));
    assert!(server.hold(&people()).unwrap().is_none());
    assert_eq!((ben.native.len(), ada.native), (188, ben.native.clone()));
}

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

#[test]
fn a_record_that_was_never_shown_is_not_missing() {
    let (mut ada, mut ben, mut server) = in_step(10);
    ada.native.insert(id("new"), person(77));
    ada.observe();
    ada.sync(&mut server);
    ben.sync(&mut server);
    // The app stops before it writes to the native store.
    assert_eq!(ben.observe().count(Effect::Hidden), 0);
    assert_eq!(ben.write_back(), 1);
}

#[test]
fn a_listing_after_a_crash_between_writing_and_noting_authors_nothing() {
    let (mut ada, mut ben, mut server) = in_step(10);
    ada.native.insert(id("new"), person(77));
    ada.native.get_mut(&id("p001")).unwrap().extend(card([("tel/a", "+1 555")]));
    ada.remove(0..1);
    ada.observe();
    ada.sync(&mut server);
    ben.sync(&mut server);
    ben.native = ada.native.clone(); // written, and not noted
    ben.observe();
    assert_eq!((ben.pending(), ben.write_back()), (0, 0));
}

#[test]
fn what_is_changed_in_an_entry_before_it_is_noted_is_an_edit_of_what_was_written() {
    let (mut ada, mut ben, mut server) = in_step(1);
    ada.native.insert(id("new"), person(77));
    ada.observe();
    ada.sync(&mut server);
    ben.sync(&mut server);
    let rows = ben.device.unshown(&people(), 10).unwrap();
    let versions = rows.iter().map(|row| (row.record.clone(), row.version.clone())).collect();
    ben.device.showing(&people(), versions).unwrap();
    assert_eq!(ben.observe().count(Effect::Hidden), 0, "that it is not there yet means nothing");
    // Written, not noted, and changed by hand: one number for another.
    let mut changed = person(77);
    changed.remove(&FieldName::new("tel/a").unwrap());
    changed.extend(card([("tel/b", "+1 555")]));
    ben.native.insert(id("new"), changed.clone());
    ben.observe();
    assert_eq!(ben.shows(&id("new")), changed);
}

#[test]
fn an_incomplete_listing_proposes_no_removal() {
    let (mut ada, _, _) = in_step(10);
    ada.remove(0..9);
    let partial = ada.listing().into();
    assert_eq!(ada.see(&partial).changes.len(), 0);
    let cut = ada.listing().complete(10).unwrap_err();
    assert_eq!((cut.expected, cut.found), (10, 1));
    ada.see(&cut.listing.into());
    assert_eq!((ada.living().len(), ada.open_lines()), (10, 0));
}

#[test]
fn a_draft_of_an_incomplete_listing_removes_nothing_whatever_the_slice_holds() {
    let (mut ada, _, _) = in_step(10);
    ada.remove(0..9);
    let slice = ada.device.store().read(&everything()).unwrap();
    let (partial, complete) = (ada.listing(), ada.listing().complete(1).unwrap());
    let losses = |listing: &Listing| {
        let label = (values::register::Show::Latest, Timestamp::from_micros(9));
        Draft::of_listing(slice.clone(), ada.device.replica(), listing, None, label).unwrap().losses().count()
    };
    assert_eq!((losses(&partial.into()), losses(&complete.into())), (0, 9));
}

#[test]
fn an_entry_that_can_not_be_read_is_no_absence() {
    let (mut ada, _, _) = in_step(10);
    let mut listing = Partial::new(people());
    ada.native.keys().for_each(|record| listing.unreadable(record.clone()));
    let receipt = ada.see(&listing.complete(10).unwrap().into());
    assert_eq!(receipt.refused.len(), 10);
    assert!(receipt.refused.iter().all(|(_, refusal)| *refusal == Refusal::Unreadable));
    assert_eq!((ada.living().len(), ada.open_lines()), (10, 0));
}

#[test]
fn two_entries_of_one_record_are_an_error_for_it_alone() {
    let (mut ada, _, _) = in_step(2);
    let mut listing = Partial::new(people());
    listing.entry(id("p000"), card([("name", "One")]), Timestamp::from_micros(1));
    listing.entry(id("p000"), card([("name", "Another")]), Timestamp::from_micros(1));
    listing.entry(id("p001"), card([("name", "Changed")]), Timestamp::from_micros(1));
    let receipt = ada.see(&listing.complete(3).unwrap().into());
    assert_eq!(receipt.refused, [(id("p000"), Refusal::ListedTwice)]);
    assert_eq!((receipt.count(Effect::Changed), ada.shows(&id("p000"))), (1, person(0)));
}

#[test]
fn what_the_native_store_has_no_place_for_stays() {
    let mut ada = Phone::new(1);
    ada.native.insert(id("grace"), card([("name", "Grace"), ("pronoun", "she")]));
    ada.observe();
    let mut listing = Partial::new(people()).with_place_for(["name"]);
    listing.entry(id("grace"), card([("name", "Grace H.")]), Timestamp::from_micros(3));
    ada.see(&listing.complete(1).unwrap().into());
    assert_eq!(ada.shows(&id("grace")), card([("name", "Grace H."), ("pronoun", "she")]));
}

#[test]
fn a_hold_can_be_answered_in_part() {
    // One question about what came, and one about what the native store lacks; the answer to one is none to the other.
    let (mut ada, mut ben, _) = in_step(60);
    for n in 0..40 {
        let write = Write::delete(people(), id(format!("p{n:03}")), Cause::User);
        ben.device.write(&write, Timestamp::from_micros(5)).unwrap();
    }
    let mut deaf = Server::new(MemoryStore::server(), ReplicaId::from_entropy(97).unwrap(), Guard::default());
    ben.device.unacknowledge(&people()).unwrap();
    ben.sync(&mut deaf);
    ada.sync(&mut deaf);
    ada.remove(50..60);
    ada.observe();
    let hold = ada.device.hold(&people()).unwrap().unwrap();
    let count = |kind| hold.open().filter(|line| line.kind == kind).count();
    assert_eq!((count(LineKind::Loss), count(LineKind::Proposal)), (40, 10));
    let answer = Answer {
        verdict: Verdict::Consent,
        collection: people(),
        digest: hold.digest,
        by: "Ada".into(),
        at: Timestamp::from_micros(9),
    };
    let receipt = ada.device.answer(answer, |line| line.kind == LineKind::Proposal).unwrap();
    assert_eq!((receipt.count(Effect::Hidden), ada.open_lines(), ada.living().len()), (10, 40, 50));
}

#[test]
fn native_stores_with_ways_of_their_own_come_to_rest() {
    let (mut ada, mut ben, mut server) = (Phone::with_people(1, 12), Phone::new(2), server());
    ben.observe();
    // What each native store makes of a telephone number.
    let ways: [fn(&str) -> String; 2] = [|number| number.replace(' ', ""), |number| number.replace("+49", "0")];
    let tel = FieldName::new("tel/a").unwrap();
    let write_back = |phone: &mut Phone, way: fn(&str) -> String| {
        for row in phone.device.unshown(&people(), usize::MAX).unwrap() {
            let mut shows = phone.shows(&row.record);
            let Some(Value::Text(number)) = shows.get(&tel) else { panic!("a number") };
            let number = Value::from(way(number));
            shows.insert(tel.clone(), number);
            phone.device.shown_as(&people(), row.record.clone(), &row.version, &shows).unwrap();
            phone.native.insert(row.record, shows);
        }
    };
    let mut round = |ada: &mut Phone, ben: &mut Phone| {
        for (phone, way) in [(&mut *ada, ways[0]), (&mut *ben, ways[1])] {
            phone.observe();
            phone.sync(&mut server);
            write_back(phone, way);
        }
    };
    (0..3).for_each(|_| round(&mut ada, &mut ben));
    assert!(ada.observe().is_quiet() && ben.observe().is_quiet());
    assert_eq!((ada.pending(), ben.pending()), (0, 0));
    // A person's edit still is one, and covers what its own store has made of the rest.
    ben.native.get_mut(&id("p003")).unwrap().extend(card([("email/a", "new@example.org")]));
    assert_eq!(ben.observe().changes[0].fields, [FieldName::new("email/a").unwrap()]);
    (0..3).for_each(|_| round(&mut ada, &mut ben));
    assert!(ada.observe().is_quiet() && ben.observe().is_quiet());
    assert_eq!(ada.shows(&id("p003")), ben.shows(&id("p003")));
    // And what is missing there is missing.
    ben.remove(0..1);
    assert_eq!(ben.observe().count(Effect::Hidden), 1);
    ben.restart();
    assert_eq!(ben.native[&id("p003")][&tel], Value::from("0 3"));
}

#[test]
fn layout_is_kept_and_never_counts() {
    let (mut ada, mut ben, mut server) = in_step(60);
    for (n, fields) in ada.native.values_mut().enumerate() {
        fields.extend(card([("~order", &format!("{n}"))]));
    }
    ada.observe();
    for fields in ada.native.values_mut() {
        fields.extend(card([("~order", "name, tel, email")]));
    }
    let receipt = ada.observe();
    assert_eq!((receipt.count(Effect::Changed), receipt.held.len()), (60, 0));
    ben.native.get_mut(&id("p000")).unwrap().extend(card([("~order", "email, name, tel")]));
    ben.observe();
    ada.sync(&mut server);
    ben.sync(&mut server);
    ben.write_back();
    let record = ben.device.row(&people(), &id("p000")).unwrap().unwrap().version.record();
    assert_eq!(record.fields()[&FieldName::new("~order").unwrap()].siblings().len(), 2);
    assert_eq!(record.conflicts().count(), 0);
}

#[test]
fn a_sync_that_did_two_things_is_undone_as_one() {
    let (mut ada, mut ben, mut server) = in_step(10);
    let before = ada.native.clone();
    // Both change one phone number; Ben also removes somebody.
    ben.native.get_mut(&id("p001")).unwrap().extend(card([("tel/a", "+1 2")]));
    ben.remove(0..1);
    ben.observe();
    ben.sync(&mut server);
    ada.native.get_mut(&id("p001")).unwrap().extend(card([("tel/a", "+1 1")]));
    let observed = ada.observe().id.unwrap().revision;
    let round = ada.next_round();
    let pulled =
        exchange(&mut ada.device, &mut server, &people(), &inputs(round.0)).unwrap().pulled.id.unwrap().revision;
    ada.write_back();
    let at = Timestamp::from_micros(9);
    let receipt = ada.device.undo_all(&people(), &[pulled, observed], |_| true, "Ada", at).unwrap();
    assert!(receipt.refused.is_empty());
    ada.write_back();
    assert_eq!(ada.native, before);
    ada.sync(&mut server);
    ben.sync(&mut server);
    ben.write_back();
    assert_eq!(ben.native, before);
}

#[test]
fn a_new_server_is_given_everything() {
    let (mut ada, _, _) = in_step(10);
    let mut other = Server::new(MemoryStore::server(), ReplicaId::from_entropy(98).unwrap(), Guard::default());
    ada.sync(&mut other);
    assert_eq!(other.since(&people(), decide::line::Revision(0), 100).unwrap().offers.len(), 0);
    ada.device.unacknowledge(&people()).unwrap();
    ada.sync(&mut other);
    assert_eq!(other.since(&people(), decide::line::Revision(0), 100).unwrap().offers.len(), 10);
}

#[test]
fn an_edit_in_the_native_store_outlives_a_delete_elsewhere() {
    let (mut ada, mut ben, mut server) = in_step(10);
    ada.remove(0..1);
    ada.observe();
    ada.sync(&mut server);
    ben.native.get_mut(&id("p000")).unwrap().extend(card([("tel/a", "+1 555")]));
    ben.sync(&mut server);
    ben.observe();
    ben.sync(&mut server);
    ada.sync(&mut server);
    ada.write_back();
    assert_eq!(ada.native, ben.native);
    assert_eq!(ada.native[&id("p000")][&FieldName::new("tel/a").unwrap()], Value::from("+1 555"));
}

#[test]
fn a_held_record_can_be_edited_and_not_removed() {
    // What a server holds back from Ada, she still sees, and what she changes counts.
    let (mut ada, mut ben, mut server) = in_step(20);
    let all: Vec<RecordId> = ben.native.keys().cloned().collect();
    for record in &all[..15] {
        let write = Write::delete(people(), record.clone(), Cause::User);
        ben.device.write(&write, Timestamp::from_micros(5)).unwrap();
    }
    ben.sync(&mut server);
    ada.sync(&mut server);
    assert_eq!((ada.open_lines(), ada.write_back()), (15, 0));
    ada.native.get_mut(&all[0]).unwrap().extend(card([("tel/a", "+1 555")]));
    ada.native.remove(&all[1]);
    let receipt = ada.observe();
    assert!(receipt.refused.contains(&(all[1].clone(), Refusal::Held)));
    assert_eq!(ada.shows(&all[0])[&FieldName::new("tel/a").unwrap()], Value::from("+1 555"));
    assert_eq!(ada.living().len(), 20);
}

proptest! {
    /// S4, the half about listings: removals are proposed all or none, within the budget of what nobody authored; and
    /// healthy data in the same round never turns a hold into a pass.
    #[test]
    fn s4_what_a_listing_lacks_goes_all_or_none_and_healthy_data_makes_no_room(
        count in 1_usize..60, missing in proptest::collection::btree_set(0_usize..60, 1..60), added in 0_usize..200,
    ) {
        let missing: BTreeSet<usize> = missing.into_iter().filter(|n| *n < count).collect();
        let budget = 3.min(count.div_ceil(2)).max(1);
        let removed = |with_news: usize| {
            let mut phone = Phone::with_people(1, count);
            missing.iter().for_each(|n| drop(phone.native.remove(&id(format!("p{n:03}")))));
            phone.native.extend((0..with_news).map(|n| (id(format!("new{n}")), person(n))));
            let receipt = phone.observe();
            assert_eq!(receipt.count(Effect::Added), with_news);
            receipt.count(Effect::Hidden)
        };
        let (alone, with_news) = (removed(0), removed(added));
        prop_assert!(alone == 0 || alone == missing.len());
        prop_assert!(alone <= budget);
        prop_assert_eq!(alone, with_news);
    }

    /// Whatever people do in two native stores, in whatever order the syncs come, with or without the notes of what was
    /// written: in the end both show the same, and nothing that anybody typed is lost unless it was typed over.
    #[test]
    fn native_stores_converge(steps in proptest::collection::vec((0_usize..2, 0_usize..9, 0_usize..12, 0_u8..200), 1..60)) {
        let (ada, ben, mut server) = in_step(12);
        let mut phones = [ada, ben];
        for (at, what, n, value) in steps {
            let phone = &mut phones[at];
            let record = id(format!("p{n:03}"));
            match what {
                0..=2 => {
                    let field = ["name", "tel/a", "email/a"][what];
                    if let Some(fields) = phone.native.get_mut(&record) {
                        fields.extend(card([(field, &format!("{value} by {at}"))]));
                    }
                }
                3 => drop(phone.native.remove(&record)),
                4 => drop(phone.native.insert(id(format!("x{n}")), card([("name", &format!("{value} by {at}"))]))),
                5 => drop(phone.observe()),
                6 => phone.sync(&mut server),
                7 => drop(phone.write_back()),
                _ if value % 3 == 0 => phone.restart(),
                _ => {
                    // Written to the native store, and the app stops before it has noted so.
                    let before = phone.device.clone();
                    phone.observe();
                    phone.write_back();
                    if value < 100 {
                        // Only what was noted is lost: the listing was taken in.
                        phone.device = before;
                        phone.observe();
                    }
                }
            }
        }
        for _ in 0..4 {
            for phone in &mut phones {
                phone.observe();
                if let Some(hold) = phone.device.hold(&people()).unwrap() {
                    phone.device.keep(&people(), hold.digest, "Somebody", Timestamp::from_micros(500)).unwrap();
                }
                phone.sync(&mut server);
                phone.write_back();
            }
        }
        prop_assert_eq!(&phones[0].native, &phones[1].native);
        for phone in &mut phones {
            prop_assert!(phone.observe().is_quiet());
            prop_assert_eq!(phone.write_back(), 0);
            prop_assert_eq!(phone.pending(), 0);
            let living: BTreeSet<RecordId> = phone.native.keys().cloned().collect();
            prop_assert_eq!(living, phone.living());
        }
    }
}
