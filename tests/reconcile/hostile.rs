//! A server that answers a comparison as it likes: the session ends, and nothing is lost and nothing counts as sent.

use holdfast::{
    decide::{
        continuity::{Continuity, Judgement, ServerLoss},
        line::Revision,
        position::{Issued, Position, Tag},
    },
    talk::{
        compare::{AskedRange, Comparison, Found, FoundPart, FoundRange},
        message::{Recognition, Refused, Reply, Request},
    },
    values::{digest::Digest, id::Lineage},
    *,
};

use crate::{crossed::make, peer::*, workload::Chance, world::*};

fn digest(n: u8) -> Digest {
    Digest::from_bytes([n; 16])
}

fn id(text: &str) -> RecordId {
    RecordId::new(text).unwrap()
}

fn issued(revision: u64) -> Issued {
    let lineage = Lineage::from_entropy(0x1234_5678).unwrap();
    Issued { position: Position { lineage, revision: Revision(revision), chain: digest(1) }, tag: Tag(digest(2)) }
}

fn part(until: Option<&str>, n: u8) -> FoundPart {
    FoundPart { until: until.map(id), fingerprint: digest(n) }
}

type Lie = fn(usize, &[AskedRange]) -> Vec<FoundRange>;

const LIES: [(&str, Lie); 12] = [
    ("nothing", |_, _| vec![]),
    ("more ranges than were asked for", |_, asked| vec![FoundRange::Listed(vec![]); asked.len() + 1]),
    ("no parts", |_, _| vec![FoundRange::Parts(vec![])]),
    ("one part", |_, _| vec![FoundRange::Parts(vec![part(None, 3)])]),
    ("parts without an end", |_, _| vec![FoundRange::Parts(vec![part(Some("1"), 3), part(Some("2"), 4)])]),
    ("parts out of order", |_, _| {
        vec![FoundRange::Parts(vec![part(Some("0b"), 3), part(Some("0a"), 4), part(None, 5)])]
    }),
    ("parts that overlap", |_, _| {
        vec![FoundRange::Parts(vec![part(Some("0b"), 3), part(Some("0b"), 4), part(None, 5)])]
    }),
    ("parts outside of the range", |_, asked| {
        vec![FoundRange::Parts(vec![part(Some("zzz"), 3), part(None, 4)]); asked.len()]
    }),
    ("records out of order", |_, _| vec![FoundRange::Listed(vec![(id("0b"), digest(3)), (id("0a"), digest(4))])]),
    ("a record twice", |_, _| vec![FoundRange::Listed(vec![(id("0a"), digest(3)), (id("0a"), digest(4))])]),
    ("records outside of the range", |_, _| vec![FoundRange::Listed(vec![(id("zzz"), digest(3))])]),
    ("ever finer parts", |step, _| {
        // The first range, split in front of all that it holds, again and again.
        let end = format!("{}!", " ".repeat(step));
        vec![FoundRange::Parts(vec![part(Some(&end), 3), part(None, 4)])]
    }),
];

fn lied(lie: Lie) -> (usize, String, Phone) {
    let mut chance = Chance(21);
    let (mut cloud, mut ada) = (Cloud::new(), phone(1));
    (0..300).for_each(|_| drop(make(&mut ada, &mut chance)));
    cloud.sync(&mut ada);
    let mut compared = 0;
    let (asked, outcome) = lied_to(&mut ada, |step, request| {
        let now = Some(issued(u64::try_from(step).unwrap() + 5));
        let say = |request: &Request| match request {
            Request::Greet { .. } => Reply::Welcome { recognition: Recognition::Prove, accepted: None, hold: None },
            Request::Prove { claim, .. } => Reply::Judged {
                judgement: Judgement {
                    continuity: Continuity::Lost(ServerLoss::Emptied),
                    common: Revision(0),
                    claimed: claim.last.position,
                    found: None,
                    missing: vec![],
                },
                now,
            },
            Request::Reconcile { holds: Comparison::Ranges(ranges), .. } => {
                compared += 1;
                Reply::Reconciled { found: Found::Ranges(lie(compared, ranges)), now }
            }
            _ => Reply::Refused(Refused::Renewed),
        };
        request.requests.iter().map(say).collect()
    });
    assert!(compared > 0, "{outcome}");
    (asked, outcome, ada)
}

#[test]
fn lies_end_the_session_and_nothing_is_lost() {
    for (what, lie) in LIES {
        let (asked, outcome, ada) = lied(lie);
        // A greeting, a proof, and one comparison; a range can be split twelve times.
        let most = if what.starts_with("ever") { 16 } else { 3 };
        assert!(asked <= most, "{what}: {asked} requests");
        assert!(outcome.contains("Renewed"), "{what}: {outcome}");
        assert_eq!(living(&ada), 300, "{what}");
        let rows = ada.pending(&people(), usize::MAX).unwrap().offers.len();
        assert_eq!(rows, 300, "{what}: something counts as sent");
    }
}

#[test]
fn the_honest_server_after_it_finds_all_as_it_was() {
    for (what, lie) in LIES {
        let (.., mut ada) = lied(lie);
        let mut cloud = Cloud::new();
        let report = cloud.sync(&mut ada);
        assert!(report.is_complete(), "{what}: {report}");
        assert_eq!(rows_of(ada.store()), rows_of(&cloud.store), "{what}");
    }
}

#[test]
fn a_comparison_that_can_not_be_is_malformed() {
    let (mut cloud, ada, _) = synced();
    let at = known(&ada);
    let range = |after: Option<&str>, until: Option<&str>| AskedRange {
        after: after.map(id),
        until: until.map(id),
        fingerprint: digest(0),
    };
    let mut ask_for = |ranges: Vec<AskedRange>| {
        let holds = Comparison::Ranges(ranges);
        ask(&mut cloud, ada.replica(), Request::Reconcile { collection: people(), at, holds })
    };
    let many: Vec<_> = (0..257).map(|n| range(None, (n < 256).then(|| format!("r{n:03}")).as_deref())).collect();
    let malformed = [
        vec![],
        vec![range(Some("r5"), Some("r5"))],
        vec![range(Some("r5"), Some("r4"))],
        vec![range(None, Some("r5")), range(Some("r4"), None)],
        vec![range(None, Some("r5")), range(None, Some("r5"))],
        vec![range(None, None), range(None, Some("r5"))],
        many.clone(),
    ];
    for ranges in malformed {
        let reply = ask_for(ranges.clone());
        assert_eq!(reply, Reply::Refused(Refused::Malformed), "{ranges:?}");
    }
    for ranges in
        [vec![range(None, None)], vec![range(None, Some("r1")), range(Some("r3"), None)], many[..256].to_vec()]
    {
        assert!(matches!(ask_for(ranges.clone()), Reply::Reconciled { .. }), "{ranges:?}");
    }
}

#[test]
fn a_comparison_upon_another_history_is_refused() {
    let (mut cloud, ada, _) = synced();
    let at = known(&ada);
    cloud.store = MemoryStore::server();
    cloud.sync(&mut phone(5));
    create(&mut phone(5), 1, &[("name", "x")]);
    let holds = Comparison::Ranges(vec![AskedRange { after: None, until: None, fingerprint: digest(0) }]);
    let reply = ask(&mut cloud, ada.replica(), Request::Reconcile { collection: people(), at, holds });
    assert_eq!(reply, Reply::Refused(Refused::Renewed));
}
