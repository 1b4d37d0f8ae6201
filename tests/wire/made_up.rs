//! Whatever valid messages a peer makes up, in whatever order.

use holdfast::{
    decide::{
        line::Revision,
        position::{FeedCursor, Issued, Position},
    },
    talk::{
        message::{Greeting, Refused, Reply, Request},
        offer::SentOffer,
    },
    *,
};
use proptest::prelude::*;

use crate::{arbitrary, peer::*, world::*};

fn shown(phone: &Phone) -> Vec<RecordId> {
    phone.records(&people(), None, usize::MAX).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// A device loses none of the records that its person sees, or it holds the question.
    #[test]
    fn whatever_a_server_replies(mut made_up in arbitrary::replies(), is_consistent in any::<bool>()) {
        let (mut cloud, mut ada, mut ben) = synced();
        edit(&mut ada, 3, "phone", "2", 7);
        let before = shown(&ada);
        let last = head(ada.store()).server.unwrap().witness.unwrap().last;
        lied_to(&mut ada, |step, request| {
            let mut pick = |request: &Request| {
                let at = made_up.iter().position(|reply| fits(request, reply));
                let reply = at.map_or(Reply::Refused(Refused::Malformed), |at| made_up.remove(at));
                if is_consistent { in_step(reply, last, step) } else { reply }
            };
            request.requests.iter().map(&mut pick).collect()
        });
        let after = shown(&ada);
        prop_assert!(before.iter().all(|record| after.contains(record)), "{:?}", after);
        // Back at the honest server, all is well within two rounds.
        let mut told = String::new();
        for _ in 0..2 {
            told += &format!("ada {}\nben {}\n", cloud.sync(&mut ada), cloud.sync(&mut ben));
        }
        prop_assert!(living(&ben) >= 12);
        // Where it said that her id is in use elsewhere, she writes and sends nothing more under it.
        if head(ada.store()).server.unwrap().conflict.is_some() {
            return Ok(());
        }
        // What the liar named as its own was never there, and is now.
        let edited = |phone: &Phone| {
            let seen = phone.read::<Loose>(&people(), &rec(3), &Shape::new()).unwrap().unwrap();
            seen.get("phone").cloned()
        };
        let all = |phone: &Phone| phone.row(&people(), &rec(3)).unwrap().unwrap().known().digest();
        prop_assert_eq!(all(&ada), all(&ben), "{}", told);
        prop_assert!(edited(&ada).is_some() && edited(&ada) == edited(&ben));
    }

    /// A server loses nothing that it had, and goes on with the honest.
    #[test]
    fn whatever_a_device_asks(made_up in arbitrary::requests()) {
        let (mut cloud, mut ada, mut ben) = synced();
        let before = rows_of(&cloud.store);
        for request in made_up {
            let request = about_people(request, known(&ben));
            ask(&mut cloud, ReplicaId::from_entropy(66).unwrap(), request);
        }
        let after = rows_of(&cloud.store);
        prop_assert!(before.iter().all(|row| after.contains(row)));
        edit(&mut ada, 3, "phone", "2", 7);
        for _ in 0..2 {
            cloud.sync(&mut ada);
            cloud.sync(&mut ben);
        }
        let row = |phone: &Phone| phone.row(&people(), &rec(3)).unwrap().unwrap().known().digest();
        prop_assert_eq!(row(&ada), row(&ben));
    }
}

const fn fits(request: &Request, reply: &Reply) -> bool {
    matches!(
        (request, reply),
        (Request::Greet { .. }, Reply::Welcome { .. })
            | (Request::Prove { .. }, Reply::Judged { .. })
            | (Request::Pull { .. }, Reply::Page { .. })
            | (Request::Push { .. }, Reply::Taken { .. })
            | (Request::Fetch { .. }, Reply::Whole { .. })
            | (Request::Audit { .. }, Reply::Audited(_))
            | (Request::Reconcile { .. }, Reply::Reconciled { .. })
    )
}

/// The same about a collection that is there, by one who knows where it stands.
fn about_people(request: Request, known: Option<Greeting>) -> Request {
    let collection = people();
    match request {
        Request::Greet { accepted, at, .. } => Request::Greet { collection, accepted, at },
        Request::Prove { claim, .. } => Request::Prove { collection, claim },
        Request::Pull { after, page_bytes, record_bytes, accepted, .. } => {
            Request::Pull { collection, at: known, after, page_bytes, record_bytes, accepted }
        }
        Request::Push { links, is_first, is_last, offers, .. } => {
            Request::Push { collection, at: known, links, is_first, is_last, offers }
        }
        Request::Fetch { records, record_bytes, accepted, .. } => {
            Request::Fetch { collection, at: known, records, record_bytes, accepted }
        }
        Request::Audit { window, fingerprint, .. } => Request::Audit { collection, window, fingerprint },
        Request::Reconcile { holds, .. } => Request::Reconcile { collection, at: known, holds },
        other => other,
    }
}

/// The same reply from a server that keeps up the history that the device knows, about records that it has.
fn in_step(reply: Reply, last: Issued, step: usize) -> Reply {
    let revision = Revision(last.position.revision.0 + u64::try_from(step).unwrap());
    let now = Issued { position: Position { revision, ..last.position }, ..last };
    let known = |place: usize, offer: SentOffer| SentOffer { record: rec(place % 12), ..offer };
    let next = FeedCursor { revision, within: None };
    match reply {
        Reply::Page { offers, is_more, accepted, hold, .. } => {
            let offers = offers.into_iter().enumerate().map(|(place, offer)| known(place, offer)).collect();
            Reply::Page { offers, next, is_more, now: Some(now), accepted, hold }
        }
        Reply::Taken { except, staged, hold, .. } => {
            Reply::Taken { before: last.position.revision, now, except, staged, hold }
        }
        Reply::Whole { offers, accepted, .. } => {
            let offers = offers.into_iter().enumerate().map(|(place, offer)| known(place, offer)).collect();
            Reply::Whole { offers, now: Some(now), accepted }
        }
        Reply::Reconciled { found, .. } => Reply::Reconciled { found, now: Some(now) },
        Reply::Judged { mut judgement, .. } => {
            judgement.found = Some(now.position);
            Reply::Judged { judgement, now: Some(now) }
        }
        other => other,
    }
}
