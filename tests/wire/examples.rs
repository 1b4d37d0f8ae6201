//! One frame for each kind of message and each variant of it, under the name of its golden file.

use holdfast::{
    CollectionId, RecordId, ReplicaId, Timestamp,
    decide::{
        authorship::Link,
        consent::{Excuse, Verdict},
        continuity::{Claim, Continuity, Judgement, ServerLoss, Stop},
        ledger::FirstSeen,
        line::{OpenHold, Revision},
        offer::HeldVersion,
        position::{FeedCursor, Issued, Position, Tag, Within},
        refusal::Refusal,
    },
    talk::{
        codec::FrameError,
        compare::{AskedRange, Comparison, Found, FoundPart, FoundRange},
        extra::Extra,
        frame::{ReplyFrame, RequestFrame},
        limits::WireLimits,
        message::{Audited, Greeting, Recognition, Refused, Reply, Request, Taken, Window},
        offer::{Sent, SentOffer},
    },
    values::{
        digest::Digest,
        id::{FieldName, Lineage},
        patch::Patch,
        version::Version,
    },
};

use crate::support;

pub const UUID: &str = "6fa459ea-ee8a-4ca4-894e-db77e160355e";

#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    Request(RequestFrame),
    Reply(ReplyFrame),
}

impl Frame {
    pub fn encode(&self, limits: &WireLimits) -> Result<Vec<u8>, FrameError> {
        match self {
            Self::Request(frame) => frame.encode(limits),
            Self::Reply(frame) => frame.encode(limits),
        }
    }

    /// Decodes a frame of the same role.
    pub fn decode_alike(&self, bytes: &[u8], limits: &WireLimits) -> Result<Self, FrameError> {
        match self {
            Self::Request(_) => RequestFrame::decode(bytes, limits).map(Self::Request),
            Self::Reply(_) => ReplyFrame::decode(bytes, limits).map(Self::Reply),
        }
    }

    pub const fn extra(&mut self) -> &mut Extra {
        match self {
            Self::Request(frame) => &mut frame.extra,
            Self::Reply(frame) => &mut frame.extra,
        }
    }

    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Request(frame) => serde_json::to_value(frame).unwrap(),
            Self::Reply(frame) => serde_json::to_value(frame).unwrap(),
        }
    }
}

pub fn digest(seed: u8) -> Digest {
    Digest::from_bytes([seed; 16])
}

pub fn record(text: &str) -> RecordId {
    RecordId::new(text).unwrap()
}

pub fn contacts() -> CollectionId {
    CollectionId::new("contacts").unwrap()
}

pub fn version(name: &str) -> Version {
    support::decode(&support::golden(name).1).unwrap()
}

pub fn patch(name: &str) -> Patch {
    support::decode_patch(&support::golden(name).1).unwrap()
}

pub fn lineage(seed: u8) -> Lineage {
    Lineage::from_entropy(u128::from_be_bytes([seed; 16])).unwrap()
}

pub fn position(seed: u8, revision: u64) -> Position {
    Position { lineage: lineage(seed), revision: Revision(revision), chain: digest(seed + 1) }
}

pub fn link(counter: u64) -> Link {
    Link { counter, hash: digest(u8::try_from(counter).unwrap()) }
}

pub fn issued(seed: u8, revision: u64) -> Issued {
    Issued { position: position(seed, revision), tag: Tag(digest(seed + 2)) }
}

pub fn request(requests: Vec<Request>) -> Frame {
    let from = ReplicaId::from_entropy(u128::from_be_bytes([1; 16])).unwrap();
    let session = 0x5e55_1011_0000_0001;
    Frame::Request(RequestFrame { session, step: 0, account: digest(0xac), from, requests, extra: Extra::default() })
}

pub fn reply(replies: Vec<Reply>) -> Frame {
    let from = ReplicaId::from_entropy(u128::from_be_bytes([9; 16])).unwrap();
    let session = 0x5e55_1011_0000_0001;
    Frame::Reply(ReplyFrame { session, step: 0, from, replies, extra: Extra::default() })
}

pub fn whole(id: &str, name: &str) -> SentOffer {
    SentOffer { record: record(id), version: Sent::Whole(version(name)), held: None, excuse: None, delete_tag: None }
}

pub fn patched(id: &str, name: &str) -> SentOffer {
    SentOffer { record: record(id), version: Sent::Patch(patch(name)), held: None, excuse: None, delete_tag: None }
}

pub fn held() -> SentOffer {
    let hidden = version("deleted");
    SentOffer { held: Some(HeldVersion { hidden, mass: true }), ..whole("ada", "new_contact") }
}

pub fn excused() -> SentOffer {
    let (held, hidden) = (version("new_contact").digest(), version("deleted").digest());
    let at = Timestamp::from_micros(1_774_353_605_000_000);
    let excuse = Excuse { verdict: Verdict::Consent, held, hidden, by: "Ada".into(), at };
    SentOffer { excuse: Some(excuse), ..patched(UUID, "patch") }
}

/// A dead record with its server's tag, and one with an answer beside.
pub fn deleted() -> [SentOffer; 2] {
    let of = |offer| SentOffer { delete_tag: Some(Tag(digest(0x7a))), ..offer };
    [of(whole("ada", "deleted")), of(excused())]
}

fn requests() -> Vec<(&'static str, Frame)> {
    let (collection, at) = (contacts(), Some(Greeting { revision: Revision(4711), tag: Tag(digest(0x7a)) }));
    let greet = |accepted, at| Request::Greet { collection: contacts(), accepted, at };
    let older = vec![(Revision(40), digest(4)), (Revision(32), digest(5))];
    let claim = Claim { last: issued(0x11, 41), older, missing: vec![record(UUID), record("ada")] };
    let within = Some(Within { revision: Revision(41), place: FirstSeen(7), record: None });
    let pull = |at, after| Request::Pull {
        collection: contacts(),
        at,
        after,
        page_bytes: 262_144,
        record_bytes: 16_777_216,
        accepted: 12,
    };
    let push = |is_first, is_last, offers| {
        let collection = contacts();
        Request::Push { collection, at, links: vec![link(9), link(12)], is_first, is_last, offers }
    };
    let asked = |after, until| AskedRange { after, until, fingerprint: digest(0xf2) };
    let split = vec![
        asked(None, Some(record("6fa4"))),
        asked(None, Some(record(UUID))),
        asked(Some(record("a")), Some(record("m"))),
        asked(None, None),
    ];
    let reconcile = |at, ranges| {
        let collection = contacts();
        Request::Reconcile { collection, at, holds: Comparison::Ranges(ranges) }
    };
    let window = Window { after: None, until: Some(record("m")) };
    vec![
        ("greet", request(vec![greet(12, at)])),
        ("greet_first", request(vec![greet(0, None)])),
        ("prove", request(vec![Request::Prove { collection: collection.clone(), claim }])),
        ("pull_first", request(vec![pull(None, FeedCursor::default())])),
        ("pull", request(vec![pull(at, FeedCursor { revision: Revision(40), within })])),
        ("push", request(vec![push(true, true, vec![whole("ada", "new_contact"), patched(UUID, "patch")])])),
        ("push_deleted", request(vec![push(true, true, deleted().into())])),
        ("push_nothing", request(vec![push(false, true, vec![])])),
        (
            "fetch",
            request(vec![Request::Fetch {
                collection: collection.clone(),
                at: None,
                records: vec![record(UUID)],
                record_bytes: 16_777_216,
                accepted: 7,
            }]),
        ),
        ("audit", request(vec![Request::Audit { collection, window, fingerprint: digest(0xf1) }])),
        ("reconcile", request(vec![reconcile(None, vec![asked(None, None)]), reconcile(at, split)])),
        ("no_requests", request(vec![])),
    ]
}

fn replies() -> Vec<(&'static str, Frame)> {
    let judged = |continuity| {
        let missing = if continuity == Continuity::Intact { vec![] } else { vec![record("ada"), record(UUID)] };
        let found = (continuity != Continuity::Lost(ServerLoss::Emptied)).then(|| position(0x33, 7));
        let (claimed, now) = (position(0x11, 41), found.map(|_| issued(0x33, 8)));
        Reply::Judged { judgement: Judgement { continuity, common: Revision(32), claimed, found, missing }, now }
    };
    let within = Some(Within { revision: Revision(42), place: FirstSeen::NEVER, record: Some(record(UUID)) });
    let next = FeedCursor { revision: Revision(41), within };
    let page = |offers| Reply::Page {
        offers,
        next: next.clone(),
        is_more: true,
        now: Some(issued(0x11, 44)),
        accepted: None,
        hold: None,
    };
    let field = FieldName::new("note").unwrap();
    let refusals = [
        Refusal::Equivocation { ours: digest(0xaa), theirs: digest(0xbb) },
        Refusal::ChangedSince { expected: digest(0xaa), found: digest(0xbb) },
        Refusal::Unreadable,
        Refusal::ListedTwice,
        Refusal::NeverShown,
        Refusal::TooDeep { field },
        Refusal::Held,
        Refusal::ForeignDots { replica: ReplicaId::from_entropy(9).unwrap(), found: 12, held: 7 },
        Refusal::CounterAhead { replica: ReplicaId::from_entropy(9).unwrap(), limit: 12, found: 1 << 40 },
        Refusal::Forged { replica: ReplicaId::from_entropy(9).unwrap(), counter: 12 },
        Refusal::TooLarge { limit: 16_777_216, found: 20_000_000 },
    ];
    let plain = [Taken::Stored, Taken::Merged, Taken::Held, Taken::Staged, Taken::NeedWhole];
    let except: Vec<_> = (0..).zip(plain.into_iter().chain(refusals.map(Taken::Refused))).collect();
    let deleted = Taken::Deleted(Tag(digest(0x7a)));
    let staged = vec![(record("ada"), Taken::Held), (record(UUID), deleted)];
    let hold = Some(OpenHold { digest: digest(0x40), open: 14 });
    let taken = Reply::Taken { before: Revision(41), now: issued(0x11, 42), except, staged, hold };
    let found = Audited::Found(vec![(record("ada"), digest(0xd1)), (record(UUID), digest(0xd2))]);
    let part = |until| FoundPart { until, fingerprint: digest(0xf3) };
    let ranges = vec![
        FoundRange::Same,
        FoundRange::Listed(vec![]),
        FoundRange::Listed(vec![(record(UUID), digest(0xd1)), (record("ada"), digest(0xd2))]),
        FoundRange::Parts(vec![part(Some(record("6fa4"))), part(Some(record(UUID))), part(None)]),
    ];
    let reconciled = |found, now| Reply::Reconciled { found: Found::Ranges(found), now };
    let recognitions = [Recognition::Same, Recognition::News, Recognition::First, Recognition::Prove];
    let welcome = |recognition| Reply::Welcome { recognition, accepted: None, hold: None };
    let everything = vec![
        Continuity::First,
        Continuity::Intact,
        Continuity::Unproven,
        Continuity::Lost(ServerLoss::Emptied),
        Continuity::Lost(ServerLoss::RolledBack),
        Continuity::Lost(ServerLoss::Forked),
        Continuity::Lost(ServerLoss::Replaced),
        Continuity::Lost(ServerLoss::PartialLoss),
        Continuity::Behind,
        Continuity::Stop(Stop::WrongAccount),
        Continuity::Stop(Stop::Forgotten),
    ];
    let refused = |refused| reply(vec![Reply::Refused(refused)]);
    vec![
        ("welcome", reply(recognitions.map(welcome).into())),
        (
            "welcome_accepted",
            reply(vec![Reply::Welcome { recognition: Recognition::News, accepted: Some(link(13)), hold: None }]),
        ),
        (
            "welcome_hold",
            reply(vec![
                Reply::Welcome { recognition: Recognition::Same, accepted: None, hold },
                Reply::Welcome { recognition: Recognition::Same, accepted: Some(link(13)), hold },
            ]),
        ),
        ("judged", reply(everything.into_iter().map(judged).collect())),
        ("page", reply(vec![page(vec![whole("ada", "conflict"), whole(UUID, "unknown_kinds_of_value")])])),
        ("page_of_patches", reply(vec![page(vec![patched("ada", "patch"), patched(UUID, "long_patch")])])),
        ("page_held", reply(vec![page(vec![held()])])),
        ("page_excused", reply(vec![page(vec![excused()])])),
        (
            "page_empty",
            reply(vec![Reply::Page {
                offers: vec![],
                next: FeedCursor::default(),
                is_more: false,
                now: None,
                accepted: None,
                hold: None,
            }]),
        ),
        ("taken", reply(vec![taken])),
        (
            "whole",
            reply(vec![Reply::Whole {
                offers: vec![whole("ada", "new_contact")],
                now: Some(issued(0x11, 41)),
                accepted: Some(link(13)),
            }]),
        ),
        ("audited", reply([Audited::Same, found, Audited::TooMany].map(Reply::Audited).into())),
        ("reconciled", reply(vec![reconciled(vec![], None), reconciled(ranges, Some(issued(0x11, 41)))])),
        ("refused_wrong_account", refused(Refused::Stop(Stop::WrongAccount))),
        ("refused_forgotten", refused(Refused::Stop(Stop::Forgotten))),
        ("refused_forbidden", refused(Refused::Forbidden)),
        ("refused_unavailable", refused(Refused::Unavailable { retry_after_seconds: 30 })),
        ("refused_renewed", refused(Refused::Renewed)),
        ("refused_read_only", refused(Refused::ReadOnly)),
        ("refused_malformed", refused(Refused::Malformed)),
        ("refused_version", refused(Refused::Version { least: 1, greatest: 1 })),
        ("refused_unknown_kind", refused(Refused::UnknownKind { kind: 23 })),
        ("refused_unknown_method", refused(Refused::UnknownMethod { method: 1 })),
    ]
}

/// All of them.
pub fn frames() -> Vec<(&'static str, Frame)> {
    let mut extras = request(vec![]);
    extras.extra().insert(3, vec![0x63, b'n', b'e', b'w']).unwrap();
    extras.extra().insert(70_000, vec![0xc1, 0x82, 0x01, 0xf7]).unwrap();
    let mut answered = reply(vec![]);
    answered.extra().insert(0, vec![0xa1, 0x61, b'a', 0xf6]).unwrap();
    let more = [("extras", extras), ("extras_of_a_reply", answered)];
    requests().into_iter().chain(replies()).chain(more).collect()
}
