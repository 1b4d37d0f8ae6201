//! Every kind of loss, and every order in which three devices come back: what comes of it is the join of what all had, whoever
//! was first, and the server says who brought what.

use std::collections::BTreeMap;

use holdfast::{
    Guard, MemoryStore, RecordId, ReplicaId, Server,
    compose::rebuild::RebuildReport,
    decide::continuity::{Continuity, ServerLoss},
    values::version::Version,
};

use crate::{peer::head, world::*};

const RECORDS: usize = 40;
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    Wiped,
    SetBackMarked,
    SetBackQuietly,
    SetBackTwice,
    InPart,
}

const LOSSES: [Loss; 5] = [Loss::Wiped, Loss::SetBackMarked, Loss::SetBackQuietly, Loss::SetBackTwice, Loss::InPart];

struct Incident {
    cloud: Cloud,
    phones: Vec<Phone>,
    older: MemoryStore,
}

impl Incident {
    /// Three devices that have written since the backups, the server's question that is open, and edits that nobody has sent.
    fn before(loss: Loss, has_hold: bool) -> Self {
        let (mut cloud, mut phones) = (Cloud::new(), vec![phone(1), phone(2), phone(3)]);
        for n in 0..RECORDS {
            create(&mut phones[0], n, &[("name", &format!("n{n}")), ("phone", "1"), ("town", "Kiel")]);
        }
        let all = |cloud: &mut Cloud, phones: &mut [Phone]| {
            (0..2).for_each(|_| phones.iter_mut().for_each(|phone| drop(cloud.sync(phone))));
        };
        all(&mut cloud, &mut phones);
        let older = cloud.store.clone();
        edit(&mut phones[0], 1, "phone", "2", 3);
        edit(&mut phones[1], 2, "phone", "2", 3);
        create(&mut phones[1], 50, &[("name", "since")]);
        [33, 34, 35].into_iter().for_each(|n| delete(&mut phones[0], n));
        all(&mut cloud, &mut phones);
        let backup = cloud.store.clone();
        edit(&mut phones[2], 3, "town", "Rom", 4);
        edit(&mut phones[0], 1, "phone", "3", 5);
        create(&mut phones[2], 51, &[("name", "later")]);
        delete(&mut phones[1], 36);
        [37, 38].into_iter().for_each(|n| delete(&mut phones[2], n));
        all(&mut cloud, &mut phones);
        if has_hold {
            (10..24).for_each(|n| delete(&mut phones[0], n));
            all(&mut cloud, &mut phones);
            assert_eq!(head(&cloud.store).hold.open, 14);
        }
        edit(&mut phones[0], 5, "phone", "unsent", 6);
        edit(&mut phones[1], 6, "phone", "unsent", 6);
        delete(&mut phones[2], 39);
        match loss {
            Loss::Wiped => cloud.store = MemoryStore::server(),
            Loss::SetBackMarked => {
                cloud.store = backup;
                cloud.store.restored();
            }
            Loss::SetBackQuietly | Loss::SetBackTwice => cloud.store = backup,
            Loss::InPart => cloud.store.damage_rows(&people(), [rec(1), rec(3), rec(36), rec(50)].iter()),
        }
        Self { cloud, phones, older }
    }

    fn sync(&mut self, phone: usize) {
        let audited = |opening| holdfast::Opening { grants_audit: true, ..opening };
        let report = self.cloud.sync_as(&mut self.phones[phone], audited).unwrap();
        assert!(report.is_complete(), "{report}");
    }

    /// What all of them know together, record by record.
    fn join(&self) -> BTreeMap<RecordId, Version> {
        let mut all: BTreeMap<RecordId, Version> = BTreeMap::new();
        let stores = self.phones.iter().map(Phone::store).chain([&self.cloud.store]);
        for row in stores.flat_map(rows) {
            let known = row.known().clone();
            let joined = all.get(&row.record).map_or_else(|| known.clone(), |other| other.join(&known));
            all.insert(row.record, joined);
        }
        all
    }

    fn report(&self) -> RebuildReport {
        let server = Server::new(self.cloud.store.clone(), ReplicaId::from_entropy(99).unwrap(), Guard::default());
        server.rebuild(&people()).unwrap().expect("something was lost")
    }
}

fn digests(store: &MemoryStore) -> BTreeMap<RecordId, holdfast::values::digest::Digest> {
    rows(store).into_iter().map(|row| (row.record.clone(), row.known().digest())).collect()
}

fn value(phone: &Phone, n: usize, name: &str) -> Option<String> {
    let seen = phone.read::<Loose>(&people(), &rec(n), &holdfast::Shape::new()).unwrap()?;
    seen.get(name).map(|value| format!("{value:?}"))
}

#[track_caller]
fn check(incident: &Incident, expected: &BTreeMap<RecordId, Version>, case: &str, has_hold: bool) {
    let expected: BTreeMap<_, _> =
        expected.iter().map(|(record, version)| (record.clone(), version.digest())).collect();
    assert_eq!(digests(&incident.cloud.store), expected, "{case}: the server");
    for phone in &incident.phones {
        assert_eq!(digests(phone.store()), expected, "{case}: {}", phone.replica());
        for (n, name, said) in [(1, "phone", "3"), (2, "phone", "2"), (3, "town", "Rom"), (5, "phone", "unsent")] {
            assert!(value(phone, n, name).unwrap().contains(said), "{case}: {n}");
        }
        for n in 33..40 {
            assert_eq!(value(phone, n, "name"), None, "{case}: {n} was deleted");
        }
    }
    let asked = if has_hold { 14 } else { 0 };
    assert_eq!(head(&incident.cloud.store).hold.open, asked, "{case}: {}", incident.report());
    // What was held is held again: nobody has agreed to it.
    assert!(rows(&incident.cloud.store)[10..24].iter().all(|row| row.version.is_alive()), "{case}");
}

#[test]
fn whoever_comes_first_the_server_is_the_join_of_what_all_had() {
    for loss in LOSSES {
        for order in ORDERS {
            for has_hold in [false, true] {
                let case = format!("{loss:?} {order:?} hold {has_hold}");
                let mut incident = Incident::before(loss, has_hold);
                // Somebody joins and writes before anybody else is back.
                let mut late = phone(4);
                incident.cloud.sync(&mut late);
                create(&mut late, 60, &[("name", "between")]);
                if loss != Loss::Wiped {
                    edit(&mut late, 7, "phone", "between", 7);
                }
                incident.cloud.sync(&mut late);
                if loss == Loss::SetBackTwice {
                    incident.sync(order[0]);
                    edit(&mut incident.phones[order[0]], 8, "phone", "between", 8);
                    incident.sync(order[0]);
                    incident.cloud.store = incident.older.clone();
                }
                incident.phones.push(late);
                let expected = incident.join();
                let order = [order[0], order[1], order[2], 3];
                order.into_iter().chain(order).for_each(|index| incident.sync(index));
                check(&incident, &expected, &case, has_hold);
                let report = incident.report();
                assert!(report.unheard.is_empty(), "{case}: {report}");
                for phone in &incident.phones[..3] {
                    let brought = report.brought.iter().find(|(replica, _)| *replica == phone.replica()).unwrap().1;
                    assert!(brought.is_settled, "{case}: {report}");
                }
                // Nothing is left to do.
                for index in order {
                    assert_eq!(incident.cloud.sync(&mut incident.phones[index]).requests, 1, "{case}");
                }
                if has_hold {
                    released(&mut incident, order, &case);
                }
            }
        }
    }
}

/// The question that was open before the loss is answered once, on another device than the one that caused it.
#[track_caller]
fn released(incident: &mut Incident, order: [usize; 4], case: &str) {
    for phone in &incident.phones[..3] {
        assert_eq!(phone.hold(&people()).unwrap().map(|hold| hold.open().count()), Some(14), "{case}");
    }
    let hold = incident.phones[1].hold(&people()).unwrap().unwrap();
    incident.phones[1].consent(&people(), hold.digest, "Ben", at(20)).unwrap();
    incident.sync(1);
    order.into_iter().for_each(|index| incident.sync(index));
    assert_eq!(head(&incident.cloud.store).hold.open, 0, "{case}");
    for phone in &incident.phones {
        assert!(phone.hold(&people()).unwrap().is_none(), "{case}: {}", phone.replica());
        assert!((10..24).all(|n| value(phone, n, "name").is_none()), "{case}");
    }
}

#[test]
fn the_report_names_the_loss_and_who_brought_what_and_who_is_missing() {
    let mut incident = Incident::before(Loss::SetBackQuietly, false);
    incident.sync(2);
    let report = incident.report();
    assert!(
        matches!(report.evidence.as_ref().unwrap().continuity, Continuity::Lost(ServerLoss::RolledBack)),
        "{report}"
    );
    let ids = [1, 2, 3].map(|n| ReplicaId::from_entropy(n).unwrap());
    assert_eq!(report.unheard, [ids[0], ids[1]], "{report}");
    let [(by, brought)] = report.brought[..] else { panic!("{report}") };
    // The edits of 1 and 3, and record 51; the deletes of 36 to 38, and 39 that nobody had seen.
    assert_eq!((by, brought.records, brought.deletes, brought.holds, brought.is_settled), (ids[2], 3, 4, 0, true));
    assert_eq!((report.records, report.is_open), (35, true), "{report}");
    incident.sync(0);
    incident.sync(1);
    let report = incident.report();
    assert!(report.unheard.is_empty(), "{report}");
    let brought: BTreeMap<_, _> = report.brought.iter().copied().collect();
    // Only what was news: their own unsent edits.
    assert_eq!((brought[&ids[0]].records, brought[&ids[0]].deletes), (1, 0), "{report}");
    assert_eq!((brought[&ids[1]].records, brought[&ids[1]].deletes), (1, 0), "{report}");
    assert!(report.brought.iter().all(|(_, brought)| brought.is_settled), "{report}");
    let text = report.to_string();
    assert!(
        text.contains("the server was set back")
            && text.contains("has brought 3 records, 4 deletes and 0 questions; that is all"),
        "{text}"
    );
    // It is a value, and another loss begins another one.
    let saved = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<RebuildReport>(&saved).unwrap(), report);
    incident.cloud.store = incident.older.clone();
    incident.sync(1);
    let again = incident.report();
    assert_eq!(again.brought.len(), 1, "{again}");
    assert_eq!(again.unheard, [ids[0]], "{again}");
}

#[test]
fn a_restore_that_the_host_names_is_told_so_until_a_device_shows_what_it_cost() {
    let mut incident = Incident::before(Loss::SetBackMarked, false);
    incident.cloud.sync(&mut phone(9));
    let report = incident.report();
    assert!(report.evidence.is_none() && report.to_string().contains("restored, as its host says"), "{report}");
    incident.sync(0);
    let report = incident.report();
    assert!(matches!(report.evidence.unwrap().continuity, Continuity::Lost(_)));
}

#[test]
fn a_device_says_how_much_went_up_because_of_the_loss() {
    let mut incident = Incident::before(Loss::SetBackQuietly, false);
    let report = incident.cloud.sync(&mut incident.phones[1]);
    let found = &report.collections[0];
    // The edits of 1 and 3, record 51, the deletes of 36 to 38; and its own edit that was never sent.
    assert_eq!((found.sent, found.resent), (7, 6), "{report}");
    assert!(report.to_string().contains("7 sent (6 of them because the server lost them)"), "{report}");
    let report = incident.cloud.sync(&mut incident.phones[1]);
    assert_eq!(report.collections[0].resent, 0);
}

/// Who has nothing to bring says so, too.
#[test]
fn a_device_that_has_nothing_to_bring_is_settled_all_the_same() {
    let (mut cloud, mut ada, mut ben) = (Cloud::new(), phone(1), phone(2));
    let server =
        |cloud: &Cloud| Server::new(cloud.store.clone(), ReplicaId::from_entropy(99).unwrap(), Guard::default());
    create(&mut ada, 0, &[("name", "a")]);
    cloud.sync(&mut ada);
    cloud.sync(&mut ben);
    // What is lost is a day: no record, but a commit that both have been told of.
    let backup = cloud.store.clone();
    let mut day = server(&cloud);
    day.pass_day(&people(), holdfast::values::time::Day(1), 30).unwrap();
    cloud.store = day.store().clone();
    cloud.sync(&mut ada);
    cloud.sync(&mut ben);
    cloud.store = backup;
    cloud.sync(&mut ada);
    cloud.sync(&mut ben);
    let report = server(&cloud).rebuild(&people()).unwrap().unwrap();
    let settled: Vec<bool> = report.brought.iter().map(|(_, brought)| brought.is_settled).collect();
    assert_eq!(settled, [true, true], "{report}");
    assert_eq!(report.brought.iter().map(|(_, brought)| brought.records).sum::<u64>(), 0, "{report}");
}

/// A server on which nothing was ever lost has nothing to tell.
#[test]
fn no_loss_no_report() {
    let mut cloud = Cloud::new();
    let mut ada = phone(1);
    create(&mut ada, 0, &[("name", "a")]);
    cloud.sync(&mut ada);
    let server = Server::new(cloud.store.clone(), ReplicaId::from_entropy(99).unwrap(), Guard::default());
    assert_eq!(server.rebuild(&people()).unwrap(), None);
}
