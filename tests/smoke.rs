//! The whole pipeline in memory.
use holdfast::act::memory::MemoryStore;
use holdfast::compose::{device::Device, exchange::exchange, server::Server};
use holdfast::decide::consent::Trust;
use holdfast::decide::guard::{Guard, Inputs};
use holdfast::decide::ledger::RoundId;
use holdfast::decide::write::Write;
use holdfast::values::id::*;
use holdfast::values::register::Cause;
use holdfast::values::shape::Shape;
use holdfast::values::time::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Person {
    name: String,
    phone: Option<String>,
}

fn at(n: i64) -> Timestamp {
    Timestamp::from_micros(n)
}
fn round(n: u128) -> Inputs<'static> {
    Inputs::new(RoundId(n), Trust::Account)
}

#[test]
fn two_devices_sync_and_a_flood_is_held() {
    let people = CollectionId::new("people").unwrap();
    let shape = Shape::new();
    let id = |n| ReplicaId::from_entropy(n).unwrap();
    let mut a = Device::new(MemoryStore::device(), id(1), Guard::default());
    let mut b = Device::new(MemoryStore::device(), id(2), Guard::default());
    let mut server = Server::new(MemoryStore::server(), id(9), Guard::default());
    for n in 0..200 {
        let person = Person { name: format!("P{n}"), phone: Some(format!("{n}")) };
        let rec = RecordId::new(format!("{n:03}")).unwrap();
        let write = Write::create(people.clone(), rec, &person, &shape, Cause::User).unwrap();
        a.write(&write, at(n)).unwrap();
    }
    let x = exchange(&mut a, &mut server, &people, &round(1)).unwrap();
    println!("{} / {}", x.pushed.unwrap(), x.pulled);
    let x = exchange(&mut b, &mut server, &people, &round(2)).unwrap();
    println!("{:?} / {}", x.pushed.is_none(), x.pulled);
    for round_no in 3..6 {
        for d in [&mut a, &mut b] {
            let x = exchange(d, &mut server, &people, &round(round_no)).unwrap();
            println!("round {round_no}: {:?} {}", x.pushed.as_ref().map(|r| r.is_quiet()), x.pulled.is_quiet());
        }
    }
    // 30 single deletes on b
    for n in 0..30 {
        let rec = RecordId::new(format!("{n:03}")).unwrap();
        b.write(&Write::delete(people.clone(), rec, Cause::User), at(1000 + n)).unwrap();
    }
    let x = exchange(&mut b, &mut server, &people, &round(10)).unwrap();
    println!("{}", x.pushed.unwrap());
    println!("{}", server.hold(&people).unwrap().unwrap());
    println!("b sees {:?}", b.hold(&people).unwrap().map(|h| h.to_string()));
    let x = exchange(&mut a, &mut server, &people, &round(11)).unwrap();
    println!("a pulls {}", x.pulled);
    let hold = a.hold(&people).unwrap().unwrap();
    println!("{hold}");
    assert_eq!(a.records(&people, None, 1000).unwrap().len(), 200);
    let r = a.consent(&people, hold.digest, "ada", at(5000)).unwrap();
    println!("{r}");
    assert_eq!(a.records(&people, None, 1000).unwrap().len(), 170);
    for r in 12..16 {
        for d in [&mut a, &mut b] {
            let x = exchange(d, &mut server, &people, &round(r)).unwrap();
            println!("round {r}: {:?} {} / {}", x.pushed.map(|r| r.to_string()), x.pulled.is_quiet(), x.pulled);
        }
    }
    assert!(server.hold(&people).unwrap().is_none());
    assert!(a.hold(&people).unwrap().is_none());
    assert!(b.hold(&people).unwrap().is_none());
    println!("{}", a.explain(&people, &RecordId::new("003").unwrap()).unwrap().unwrap());
}
