//! A server's side of the conversation: one pure function for each request, and nothing is kept between them.

mod audit;
mod deletes;
mod greet;
mod page;
mod push;
mod reconcile;

pub(super) use push::round;
pub(super) use reconcile::RANGES;

use alloc::vec::Vec;

use crate::act::{
    plan::{Batch, Plan},
    receipt::Receipt,
};
use crate::decide::{
    authorship::Link,
    consent::Trust,
    continuity::Stop,
    draft::{Draft, Heading, Origin},
    guard::Guard,
    history::{Beginning, History},
    position::{Issued, PositionKey},
    slice::{Query, ReadSet, Slice},
};
use crate::talk::{
    limits::WireLimits,
    message::{Refused, Reply, Request},
};
use crate::values::{
    digest::Digest,
    entropy::{Entropy, EntropyError},
    id::{AccountId, CollectionId, ReplicaId},
};

/// What the host knows of the account that it has authenticated. Four different answers: a store that can not be reached is
/// none of them, and is never an empty one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Access {
    /// The account is open, and this device may use it.
    #[default]
    Open,
    /// There is no such account here. Only the host opens one; nothing is created in silence.
    Forgotten,
    /// This device's access was withdrawn: *revoke*, which deletes nothing anywhere.
    Forbidden,
    /// Not now.
    Unavailable {
        /// Seconds to wait.
        retry_after_seconds: u32,
    },
}

/// What kind of server this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Role {
    /// It writes.
    #[default]
    Home,
    /// It follows another one, or its store is read-only: it answers reads, and can not begin a lineage.
    Follower,
}

/// What the host says with each request. What it does not say has the value of [`Call::new`].
///
/// ```
/// use holdfast::{Access, AccountId, Call, Entropy, PositionKey, ReplicaId, Role};
/// # let ada = AccountId::new("ada")?;
/// # let key = PositionKey::new([7; 32]);
/// # let phone = ReplicaId::from_entropy(1)?;
/// # let random = |n: u8| Entropy::new(core::array::from_fn(|place| n ^ place as u8));
///
/// let call = Call { device: Some(phone), ..Call::new(&ada, &key, random(1)?) };
/// let revoked = Call { access: Access::Forbidden, ..Call::new(&ada, &key, random(2)?) };
/// let follower = Call { role: Role::Follower, ..Call::new(&ada, &key, random(3)?) };
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Call<'c> {
    /// The account that the peer was authenticated for.
    pub account: &'c AccountId,
    /// The host's key for positions.
    pub key: &'c PositionKey,
    /// Drawn for this call: what a new lineage is made of.
    pub entropy: Entropy,
    /// Whether the peer may come in.
    pub access: Access,
    /// The device, where the host has authenticated that, too: a frame from another one is forbidden. With `None`, whoever
    /// holds the account's credentials speaks as any device of it.
    pub device: Option<ReplicaId>,
    /// What kind of server this is.
    pub role: Role,
    /// What answers that travelled with records are worth.
    pub trust: Trust,
    /// What may cross: no less than the account's devices take.
    pub limits: WireLimits,
}

impl<'c> Call<'c> {
    /// A peer that was authenticated for an account which is open, on whichever of its devices, at a server that writes, with trust
    /// in the account and the standard limits.
    #[must_use]
    pub fn new(account: &'c AccountId, key: &'c PositionKey, entropy: Entropy) -> Self {
        Self {
            account,
            key,
            entropy,
            access: Access::Open,
            device: None,
            role: Role::Home,
            trust: Trust::Account,
            limits: WireLimits::default(),
        }
    }
}

/// A call, and who serves it: what a [`Server`](super::server::Server) puts together over its own replica and guard, and a
/// host with an asynchronous database by itself.
#[derive(Debug, Clone, Copy)]
pub struct Serving<'s> {
    /// This server's replica.
    pub server: ReplicaId,
    /// The guard.
    pub guard: &'s Guard,
    /// What the host says with the request.
    pub call: &'s Call<'s>,
}

/// One request, with what its frame says of it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The session.
    pub session: u64,
    /// Digest of the account that the device belongs to, see [`account_digest`].
    pub account: Digest,
    /// The device.
    pub from: ReplicaId,
    /// What it asks.
    pub request: &'a Request,
    /// What was asked for more has been read: the slice is all that there will be.
    pub is_again: bool,
}

/// What a server does about a request.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly every decision is one that is done")]
pub enum Decision {
    /// Read this instead, and decide again. It comes at most once for a request.
    More(ReadSet),
    /// Commit the batch, if there is one, and then send the reply.
    Done {
        /// What to commit. If the store has moved, read and decide again.
        batch: Option<Batch>,
        /// What to send.
        reply: Reply,
        /// What a push did.
        receipt: Option<Receipt>,
    },
}

impl Decision {
    const fn reply(reply: Reply) -> Self {
        Self::Done { batch: None, reply, receipt: None }
    }

    const fn refused(refused: Refused) -> Self {
        Self::reply(Reply::Refused(refused))
    }
}

/// Names an account in frames: a digest, so that its name does not travel with every request.
#[must_use]
pub fn account_digest(account: &AccountId) -> Digest {
    Digest::of("holdfast account", &[account.as_str().as_bytes()])
}

/// What must be read to decide a request.
#[must_use]
pub fn read_set(asked: &Asked<'_>, limits: &WireLimits) -> ReadSet {
    let head = ReadSet::head(asked.request.collection().clone());
    match asked.request {
        Request::Greet { at, .. } => head.with_chains(at.map(|at| at.revision)),
        Request::Prove { claim, .. } => {
            let older = claim.older.iter().map(|(revision, _)| *revision);
            let head = head.with_chains(older.chain([claim.last.position.revision]));
            // Of what is missing, questions may be left.
            if claim.missing.is_empty() { head } else { head.with_lines() }
        }
        Request::Pull { at, after, page_bytes, .. } => {
            let limit = page::records_in(*page_bytes, limits);
            let head = head.with_chains(at.map(|at| at.revision));
            head.with_query(Query::Feed { after: after.clone(), limit }).with_bases()
        }
        Request::Push { at, offers, .. } => {
            let records = offers.iter().map(|offer| offer.record.clone());
            head.with_records(records).with_staged(asked.from).with_chains(at.map(|at| at.revision))
        }
        Request::Fetch { at, records, .. } => {
            head.with_records(records.iter().cloned()).with_chains(at.map(|at| at.revision))
        }
        Request::Audit { window, .. } => {
            let (after, until) = (window.after.clone(), window.until.clone());
            head.with_query(Query::Window { after, until, limit: limits.max_items.saturating_add(1) })
        }
        Request::Reconcile { at, holds, .. } => {
            head.with_chains(at.map(|at| at.revision)).with_spans(reconcile::spans(holds, limits).unwrap_or_default())
        }
    }
}

/// Decides a request over the slice that [`read_set`] names, or that [`Decision::More`] named. Pure, and the same for the
/// same inputs.
///
/// # Errors
/// [`EntropyError`] where a lineage has to begin and the call's entropy is none; nothing was changed.
pub fn decide(asked: &Asked<'_>, slice: Slice, serving: &Serving<'_>) -> Result<Decision, EntropyError> {
    let call = serving.call;
    if let Some(refused) = barred(asked, call) {
        return Ok(Decision::refused(refused));
    }
    let (renewal, slice) = renewed(slice, serving)?;
    match asked.request {
        Request::Greet { accepted, at, .. } => Ok(greet::welcome(asked, *accepted, *at, renewal, &slice, call)),
        Request::Prove { claim, .. } => greet::judged(asked, claim, renewal, slice, serving),
        // All others go on from what was known of the history before.
        _ if renewal.is_some() => {
            Ok(Decision::Done { batch: renewal, reply: Reply::Refused(Refused::Renewed), receipt: None })
        }
        Request::Pull { at, after, page_bytes, record_bytes, accepted, .. } => {
            let accepted = accepted_beside(asked, *accepted, &slice);
            Ok(page::page(*at, after, (*page_bytes, *record_bytes), accepted, &slice, call))
        }
        Request::Push { .. } => push::taken(asked, slice, serving),
        Request::Fetch { at, record_bytes, accepted, .. } => {
            Ok(page::whole(*at, *record_bytes, accepted_beside(asked, *accepted, &slice), &slice, call))
        }
        Request::Audit { fingerprint, .. } => Ok(audit::audited(*fingerprint, &slice, call)),
        Request::Reconcile { at, holds, .. } => Ok(reconcile::reconciled(*at, holds, slice, call)),
    }
}

/// Why nothing at all is done for this peer. It is told from the call alone: a host asks before it reads, so that it can say
/// `Unavailable` of a store that can not be read. [`decide`] looks at it again.
#[must_use]
pub fn barred(asked: &Asked<'_>, call: &Call<'_>) -> Option<Refused> {
    match call.access {
        Access::Forgotten => return Some(Refused::Stop(Stop::Forgotten)),
        Access::Forbidden => return Some(Refused::Forbidden),
        Access::Unavailable { retry_after_seconds } => return Some(Refused::Unavailable { retry_after_seconds }),
        Access::Open => {}
    }
    if asked.account != account_digest(call.account) {
        return Some(Refused::Stop(Stop::WrongAccount));
    }
    let is_nobody = asked.from == ReplicaId::THIS_DEVICE;
    (is_nobody || call.device.is_some_and(|device| device != asked.from)).then_some(Refused::Forbidden)
}

/// Where the store was restored since the lineage began, it begins another one before it answers (S7).
fn renewed(slice: Slice, serving: &Serving<'_>) -> Result<(Option<Batch>, Slice), EntropyError> {
    let is_stale = |history: &History| history.generation < slice.generation;
    if serving.call.role == Role::Follower || !slice.head.history.as_ref().is_some_and(is_stale) {
        return Ok((None, slice));
    }
    let beginning = beginning(&slice, serving)?;
    Ok(written(Heading { begins: Some(beginning), ..Heading::default() }, slice, serving.guard))
}

fn beginning(slice: &Slice, serving: &Serving<'_>) -> Result<Beginning, EntropyError> {
    let Serving { server, call, .. } = serving;
    let (account, collection) = (account_digest(call.account), collection_digest(&slice.collection));
    let others = [server.as_bytes(), account.as_bytes(), collection.as_bytes()];
    Beginning::draw(&call.entropy, slice.head.history.as_ref(), &others, slice.generation, &slice.collection)
}

fn collection_digest(collection: &CollectionId) -> Digest {
    Digest::of("holdfast collection", &[collection.as_str().as_bytes()])
}

/// The commit that changes the head alone, and the slice as it is after it.
fn written(heading: Heading, mut slice: Slice, guard: &Guard) -> (Option<Batch>, Slice) {
    let draft = Draft::new(slice.clone(), Origin::Own, Vec::new()).with_heading(heading);
    let (batch, _) = Plan::new(guard.review_own(draft)).begin();
    if let Some(batch) = &batch {
        slice.head = batch.head.clone();
    }
    (batch, slice)
}

/// What was accepted of the asking replica's writes, where it named another link as the last.
fn accepted_beside(asked: &Asked<'_>, named: u64, slice: &Slice) -> Option<Link> {
    slice.head.history.as_ref()?.accepted_beside(asked.from, named)
}

/// Where the collection stands.
fn now(slice: &Slice, call: &Call<'_>) -> Option<Issued> {
    let history = slice.head.history.as_ref()?;
    Some(call.key.issue(call.account, &slice.collection, history.position(slice.head.revision)))
}
