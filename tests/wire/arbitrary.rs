//! Frames that can be, without regard to how likely they are.

use std::sync::LazyLock;

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
        compare::{AskedRange, Comparison, Found, FoundPart, FoundRange},
        extra::Extra,
        frame::{ReplyFrame, RequestFrame},
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
use proptest::{collection::vec, option, prelude::*, sample::select};

use crate::{
    examples::Frame,
    size::edited,
    support::{PATCHES, decode, decode_patch, golden, golden_records},
};

static VERSIONS: LazyLock<Vec<Version>> =
    LazyLock::new(|| golden_records().iter().map(|(_, bytes, _)| decode(bytes).unwrap()).collect());

/// The golden ones, edits of one field, and all that leads from one golden record to another.
static PATCHED: LazyLock<Vec<Patch>> = LazyLock::new(|| {
    let golden = PATCHES.map(|name| decode_patch(&golden(name).1).unwrap());
    let edits = edited(16).into_iter().map(|(offer, base)| Patch::between(&base, &offer.version).unwrap());
    let joined = VERSIONS.iter().flat_map(|base| VERSIONS.iter().map(move |other| (base, base.join(other))));
    golden.into_iter().chain(edits).chain(joined.filter_map(|(base, next)| Patch::between(base, &next))).collect()
});

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..30_u64, any::<u64>(), Just(u64::MAX)]
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 16]>().prop_map(Digest::from_bytes)
}

fn lineage() -> impl Strategy<Value = Lineage> {
    (1..u128::MAX).prop_map(|bits| Lineage::from_entropy(bits).unwrap())
}

fn replica() -> impl Strategy<Value = ReplicaId> {
    (1..u128::MAX).prop_map(|bits| ReplicaId::from_entropy(bits).unwrap())
}

fn record() -> impl Strategy<Value = RecordId> {
    let uuid = any::<u128>().prop_map(|bits| uuid::Uuid::from_u128(bits).to_string());
    let text = prop_oneof![
        uuid.clone(),
        uuid.clone().prop_map(|text| text.to_uppercase()),
        uuid.prop_map(|text| text.replace('-', "")),
        ".{1,40}",
        Just("x".repeat(255)),
    ];
    text.prop_map(|text| RecordId::new(text).unwrap())
}

fn collection_id() -> impl Strategy<Value = CollectionId> {
    prop_oneof![Just("contacts".to_owned()), ".{1,30}"].prop_map(|text| CollectionId::new(text).unwrap())
}

fn position() -> impl Strategy<Value = Position> {
    (lineage(), number(), digest()).prop_map(|(lineage, revision, chain)| Position {
        lineage,
        revision: Revision(revision),
        chain,
    })
}

fn link() -> impl Strategy<Value = Link> {
    (number(), digest()).prop_map(|(counter, hash)| Link { counter, hash })
}

fn issued() -> impl Strategy<Value = Issued> {
    (position(), digest()).prop_map(|(position, tag)| Issued { position, tag: Tag(tag) })
}

fn cursor() -> impl Strategy<Value = FeedCursor> {
    let within = (number(), number(), option::of(record())).prop_map(|(revision, place, record)| Within {
        revision: Revision(revision),
        place: FirstSeen(place),
        record,
    });
    (number(), option::of(within)).prop_map(|(revision, within)| FeedCursor { revision: Revision(revision), within })
}

fn version() -> impl Strategy<Value = Version> {
    (0..VERSIONS.len()).prop_map(|at| VERSIONS[at].clone())
}

pub fn offer() -> impl Strategy<Value = SentOffer> {
    let sent = prop_oneof![
        version().prop_map(Sent::Whole),
        (0..PATCHED.len()).prop_map(|at| Sent::Patch(PATCHED[at].clone())),
    ];
    let held = (version(), any::<bool>()).prop_map(|(hidden, mass)| HeldVersion { hidden, mass });
    let verdict = select(vec![Verdict::Consent, Verdict::Keep]);
    let excuse = (verdict, digest(), digest(), ".{0,20}", any::<i64>()).prop_map(|(verdict, held, hidden, by, at)| {
        Excuse { verdict, held, hidden, by, at: Timestamp::from_micros(at) }
    });
    let rare = || prop::bool::weighted(0.2);
    let (held, excuse) = ((held, rare()), (excuse, rare()));
    let some = |(thing, is_there): (HeldVersion, bool)| is_there.then_some(thing);
    (record(), sent, held, excuse, option::weighted(0.2, digest())).prop_map(
        move |(record, version, held, excuse, tag)| {
            let excuse = excuse.1.then_some(excuse.0);
            SentOffer { record, version, held: some(held), excuse, delete_tag: tag.map(Tag) }
        },
    )
}

fn request() -> impl Strategy<Value = Request> {
    let greeting = || (number(), digest()).prop_map(|(at, tag)| Greeting { revision: Revision(at), tag: Tag(tag) });
    let older = vec((number().prop_map(Revision), digest()), 0..4);
    let claim =
        (issued(), older, vec(record(), 0..4)).prop_map(|(last, older, missing)| Claim { last, older, missing });
    let push =
        (collection_id(), option::of(greeting()), vec(link(), 0..4), any::<bool>(), any::<bool>(), vec(offer(), 0..6));
    let asked = (option::weighted(0.2, record()), option::of(record()), digest())
        .prop_map(|(after, until, fingerprint)| AskedRange { after, until, fingerprint });
    let window = (option::of(record()), option::of(record())).prop_map(|(after, until)| Window { after, until });
    prop_oneof![
        (collection_id(), number(), option::of(greeting())).prop_map(|(collection, accepted, at)| Request::Greet {
            collection,
            accepted,
            at
        }),
        (collection_id(), claim).prop_map(|(collection, claim)| Request::Prove { collection, claim }),
        (collection_id(), option::of(greeting()), cursor(), number(), number(), number()).prop_map(
            |(collection, at, after, page_bytes, record_bytes, accepted)| Request::Pull {
                collection,
                at,
                after,
                page_bytes,
                record_bytes,
                accepted
            }
        ),
        push.prop_map(|(collection, at, links, is_first, is_last, offers)| {
            Request::Push { collection, at, links, is_first, is_last, offers }
        }),
        (collection_id(), option::of(greeting()), vec(record(), 0..5), number(), number()).prop_map(
            |(collection, at, records, record_bytes, accepted)| Request::Fetch {
                collection,
                at,
                records,
                record_bytes,
                accepted
            }
        ),
        (collection_id(), window, digest()).prop_map(|(collection, window, fingerprint)| Request::Audit {
            collection,
            window,
            fingerprint
        }),
        (collection_id(), option::of(greeting()), vec(asked, 0..6)).prop_map(|(collection, at, ranges)| {
            Request::Reconcile { collection, at, holds: Comparison::Ranges(ranges) }
        }),
    ]
}

fn hold() -> impl Strategy<Value = Option<OpenHold>> {
    option::of((digest(), number()).prop_map(|(digest, open)| OpenHold { digest, open }))
}

fn continuity() -> impl Strategy<Value = Continuity> {
    select(vec![
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
    ])
}

fn taken() -> impl Strategy<Value = Taken> {
    let field = || ".{1,20}".prop_map(|text| FieldName::new(text).unwrap());
    let plain = vec![
        Taken::Stored,
        Taken::Merged,
        Taken::Held,
        Taken::Staged,
        Taken::NeedWhole,
        Taken::Refused(Refusal::Unreadable),
        Taken::Refused(Refusal::ListedTwice),
        Taken::Refused(Refusal::NeverShown),
        Taken::Refused(Refusal::Held),
    ];
    prop_oneof![
        select(plain),
        digest().prop_map(|digest| Taken::Deleted(Tag(digest))),
        (digest(), digest()).prop_map(|(ours, theirs)| Taken::Refused(Refusal::Equivocation { ours, theirs })),
        (digest(), digest()).prop_map(|(expected, found)| Taken::Refused(Refusal::ChangedSince { expected, found })),
        field().prop_map(|field| Taken::Refused(Refusal::TooDeep { field })),
        (replica(), number(), number())
            .prop_map(|(replica, found, held)| { Taken::Refused(Refusal::ForeignDots { replica, found, held }) }),
        (replica(), number(), number())
            .prop_map(|(replica, limit, found)| { Taken::Refused(Refusal::CounterAhead { replica, limit, found }) }),
        (replica(), number()).prop_map(|(replica, counter)| Taken::Refused(Refusal::Forged { replica, counter })),
        (number(), number()).prop_map(|(limit, found)| Taken::Refused(Refusal::TooLarge { limit, found })),
    ]
}

fn refused() -> impl Strategy<Value = Refused> {
    let plain = [Refused::Forbidden, Refused::Renewed, Refused::ReadOnly, Refused::Malformed];
    let stops = [Stop::WrongAccount, Stop::Forgotten].map(Refused::Stop);
    prop_oneof![
        select(plain.into_iter().chain(stops).collect::<Vec<_>>()),
        any::<u32>().prop_map(|retry_after_seconds| Refused::Unavailable { retry_after_seconds }),
        (number(), number()).prop_map(|(least, greatest)| Refused::Version { least, greatest }),
        number().prop_map(|kind| Refused::UnknownKind { kind }),
        link().prop_map(|accepted| Refused::ReplicaConflict { accepted }),
        number().prop_map(|method| Refused::UnknownMethod { method }),
    ]
}

fn found_range() -> impl Strategy<Value = FoundRange> {
    let part =
        (option::weighted(0.8, record()), digest()).prop_map(|(until, fingerprint)| FoundPart { until, fingerprint });
    prop_oneof![
        Just(FoundRange::Same),
        vec((record(), digest()), 0..6).prop_map(FoundRange::Listed),
        vec(part, 0..6).prop_map(FoundRange::Parts),
    ]
}

fn reply() -> impl Strategy<Value = Reply> {
    let recognition = select(vec![Recognition::Same, Recognition::News, Recognition::First, Recognition::Prove]);
    let judgement = (continuity(), number(), position(), option::of(position()), vec(record(), 0..4)).prop_map(
        |(continuity, common, claimed, found, missing)| Judgement {
            continuity,
            common: Revision(common),
            claimed,
            found,
            missing,
        },
    );
    let audited = prop_oneof![
        Just(Audited::Same),
        Just(Audited::TooMany),
        vec((record(), digest()), 0..4).prop_map(Audited::Found),
    ];
    let taken = (number(), issued(), vec((any::<u32>(), taken()), 0..4), vec((record(), taken()), 0..4));
    prop_oneof![
        (recognition, option::of(link()), hold()).prop_map(|(recognition, accepted, hold)| Reply::Welcome {
            recognition,
            accepted,
            hold
        }),
        (judgement, option::of(issued())).prop_map(|(judgement, now)| Reply::Judged { judgement, now }),
        (vec(offer(), 0..6), cursor(), any::<bool>(), option::of(issued()), option::of(link()), hold()).prop_map(
            |(offers, next, is_more, now, accepted, hold)| Reply::Page { offers, next, is_more, now, accepted, hold }
        ),
        (taken, hold()).prop_map(|((before, now, except, staged), hold)| {
            Reply::Taken { before: Revision(before), now, except, staged, hold }
        }),
        (vec(offer(), 0..6), option::of(issued()), option::of(link()))
            .prop_map(|(offers, now, accepted)| Reply::Whole { offers, now, accepted }),
        audited.prop_map(Reply::Audited),
        (vec(found_range(), 0..6), option::of(issued()))
            .prop_map(|(found, now)| Reply::Reconciled { found: Found::Ranges(found), now }),
        refused().prop_map(Reply::Refused),
    ]
}

fn extra() -> impl Strategy<Value = Extra> {
    let items: &[&[u8]] = &[&[0xf6], &[0x18, 0x18], &[0x63, b'n', b'e', b'w'], &[0xc1, 0x80], &[0xf9, 0x7e, 0x00]];
    vec((number(), select(items)), 0..3).prop_map(|items| {
        let mut extra = Extra::default();
        items.into_iter().for_each(|(number, item)| extra.insert(number, item.to_vec()).unwrap());
        extra
    })
}

pub fn requests() -> impl Strategy<Value = Vec<Request>> {
    vec(request(), 8)
}

pub fn replies() -> impl Strategy<Value = Vec<Reply>> {
    vec(reply(), 80)
}

pub fn frame() -> impl Strategy<Value = Frame> {
    let requests = (any::<u64>(), any::<u32>(), digest(), replica(), vec(request(), 0..4), extra()).prop_map(
        |(session, step, account, from, requests, extra)| {
            Frame::Request(RequestFrame { session, step, account, from, requests, extra })
        },
    );
    let replies = (any::<u64>(), any::<u32>(), replica(), vec(reply(), 0..4), extra()).prop_map(
        |(session, step, from, replies, extra)| Frame::Reply(ReplyFrame { session, step, from, replies, extra }),
    );
    prop_oneof![requests, replies]
}
