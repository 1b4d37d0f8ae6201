//! What it costs: bytes of a quiet greeting, and of one edit.

use std::collections::BTreeMap;

use holdfast::{
    Cause, CollectionId, Device, Guard, MemoryStore, RecordId, ReplicaId, Shape, Timestamp, Write,
    decide::{
        authorship::Link,
        line::Revision,
        offer::Offer,
        position::{FeedCursor, Tag},
    },
    talk::{
        limits::WireLimits,
        message::{Greeting, Recognition, Reply, Request},
        offer::{Sent, SentOffer},
    },
    values::version::Version,
};

use crate::{
    examples::{contacts, digest, issued, reply, request},
    workload::{Chance, FIELDS},
};

/// A device with that many contacts, each edited once in one field, at moments 3 ms apart in no order.
pub fn edited(count: usize) -> Vec<(Offer, Version)> {
    let (people, shape, mut chance) = (contacts(), Shape::new(), Chance(1));
    let from = ReplicaId::from_entropy(u128::from(chance.next()) << 64 | u128::from(chance.next())).unwrap();
    let mut device = Device::new(MemoryStore::device(), from, Guard::default());
    let at = |millis: usize| Timestamp::from_micros(i64::try_from(millis).unwrap() * 1_000);
    let ids: Vec<_> = (0..count).map(|_| chance.id()).collect();
    for (nth, id) in ids.iter().enumerate() {
        let fields: BTreeMap<_, _> = (0..10).map(|field| (FIELDS[field], chance.value(field))).collect();
        let create = Write::create(people.clone(), id.clone(), &fields, &shape, Cause::User).unwrap();
        device.write(&create, at(1_700_000_000_000 + nth * 7)).unwrap();
    }
    let bases: Vec<_> = ids.iter().map(|id| device.row(&people, id).unwrap().unwrap().version).collect();
    for (nth, id) in ids.iter().enumerate() {
        let seen = device.read::<BTreeMap<String, String>>(&people, id, &shape).unwrap().unwrap();
        let (mut new, field) = (seen.clone().into_inner(), chance.below(10));
        new.insert(FIELDS[field].into(), chance.value(field));
        let millis = 1_800_000_000_000 + nth * 7_919 % count * 3;
        device.write(&seen.save(&new, Cause::User).unwrap(), at(millis)).unwrap();
    }
    let offers = ids.iter().map(|id| Offer::of(&device.row(&people, id).unwrap().unwrap()));
    offers.zip(bases).collect()
}

#[test]
fn an_edit_of_one_field_costs_at_most_64_bytes() {
    for count in [100, 1_000] {
        let edits = edited(count);
        let offers: Vec<_> = edits.iter().map(|(offer, base)| SentOffer::of(offer.clone(), Some(base))).collect();
        for (sent, (offer, base)) in offers.iter().zip(&edits) {
            assert!(matches!(sent.version, Sent::Patch(_)));
            assert_eq!(sent.clone().open(&[base]).as_ref(), Some(offer));
        }
        let values = edits.iter().zip(&offers).map(|(_, sent)| value_bytes(sent)).sum::<usize>();
        let (collection, at) = (contacts(), Some(Greeting { revision: Revision(4711), tag: Tag(digest(0x7a)) }));
        let counter = u64::try_from(2 * count).unwrap();
        let push = Request::Push {
            collection,
            at,
            links: vec![Link { counter, hash: digest(7) }],
            is_first: true,
            is_last: true,
            offers: offers.clone(),
        };
        let next = FeedCursor { revision: Revision(counter), within: None };
        let page =
            Reply::Page { offers, next, is_more: false, now: Some(issued(1, counter)), accepted: None, hold: None };
        for (what, frame) in [("push", request(vec![push])), ("page", reply(vec![page]))] {
            let bytes = frame.encode(&WireLimits::default()).unwrap();
            assert_eq!(frame.decode_alike(&bytes, &WireLimits::default()).as_ref(), Ok(&frame));
            let (all, each) = (bytes.len(), bytes.len() * 100 / count);
            println!(
                "a {what} of {count} edits: {all} bytes, {}.{:02} for each, of which values {}",
                each / 100,
                each % 100,
                values / count
            );
            assert!(all <= 64 * count, "a {what} of {count} edits takes {all} bytes");
        }
    }
}

fn value_bytes(sent: &SentOffer) -> usize {
    let Sent::Patch(patch) = &sent.version else { return 0 };
    let values = patch.fields().values().flat_map(|register| register.siblings()).map(|sibling| &sibling.value);
    values.map(|value| if let holdfast::values::value::Value::Text(text) = value { text.len() + 1 } else { 0 }).sum()
}

#[test]
fn a_quiet_greeting_costs_at_most_200_bytes_and_40_for_each_further_collection() {
    let greet = |name: &str| Request::Greet {
        collection: CollectionId::new(name).unwrap(),
        accepted: 1_000_000,
        at: Some(Greeting { revision: Revision(1_000_000), tag: Tag(digest(7)) }),
    };
    let welcome = |_| Reply::Welcome { recognition: Recognition::Same, accepted: None, hold: None };
    let names = ["contacts", "calendar", "reminder", "pictures"];
    let sizes = |count: usize| {
        let requests = request(names[..count].iter().map(|name| greet(name)).collect());
        let replies = reply((0..count).map(welcome).collect());
        [requests, replies].map(|frame| frame.encode(&WireLimits::default()).unwrap().len())
    };
    for (what, one, four) in [("greeting", sizes(1)[0], sizes(4)[0]), ("welcome", sizes(1)[1], sizes(4)[1])] {
        println!("a quiet {what}: {one} bytes, {} for each further collection", (four - one) / 3);
        assert!(one <= 200 && four - one <= 3 * 40, "a {what} takes {one} bytes, and {four} for four collections");
    }
}

#[test]
fn what_is_shorter_whole_travels_whole() {
    let (offer, base) = edited(1).remove(0);
    assert!(matches!(SentOffer::of(offer.clone(), Some(&base)).version, Sent::Patch(_)));
    assert!(matches!(SentOffer::of(offer.clone(), None).version, Sent::Whole(_)));
    let (people, id, shape) = (contacts(), RecordId::new("ada").unwrap(), Shape::new());
    let mut device = Device::new(MemoryStore::device(), ReplicaId::from_entropy(5).unwrap(), Guard::default());
    let fields = BTreeMap::from([("name", "Ada")]);
    device
        .write(
            &Write::create(people.clone(), id.clone(), &fields, &shape, Cause::User).unwrap(),
            Timestamp::from_micros(1),
        )
        .unwrap();
    let base = device.row(&people, &id).unwrap().unwrap().version;
    let seen = device.read::<BTreeMap<String, String>>(&people, &id, &shape).unwrap().unwrap();
    let all: BTreeMap<String, String> = (0..100).map(|n| (format!("name{n}"), "x".into())).collect();
    device.write(&seen.save(&all, Cause::User).unwrap(), Timestamp::from_micros(2)).unwrap();
    let next = Offer::of(&device.row(&people, &id).unwrap().unwrap());
    let sent = SentOffer::of(next.clone(), Some(&base));
    assert!(matches!(sent.version, Sent::Whole(_)), "the patch repeats all of the record");
    assert_eq!(sent.open(&[]), Some(next));
}
