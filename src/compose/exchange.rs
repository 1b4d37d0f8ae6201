//! A device and a server in one process: one whole sync.

use core::fmt;

use super::{device::Device, round::RoundError, server::Server};
use crate::act::{receipt::Receipt, store::Store};
use crate::decide::guard::Inputs;
use crate::values::id::CollectionId;

/// What one sync of one collection did on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exchanged {
    /// What the server took in; `None` if the device had nothing to push.
    pub pushed: Option<Receipt>,
    /// What the device took in.
    pub pulled: Receipt,
}

impl Exchanged {
    /// Whether nothing was written on either side.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.pushed.as_ref().is_none_or(Receipt::is_quiet) && self.pulled.is_quiet()
    }
}

impl fmt::Display for Exchanged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(pushed) = &self.pushed {
            writeln!(f, "to the server: {pushed}")?;
        }
        write!(f, "from the server: {}", self.pulled)
    }
}

/// Why a sync stopped. The side named is as it was; the other may have taken in what came before, and the next sync
/// goes on from there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError<D, S> {
    /// The device's part.
    #[error("on the device: {0}")]
    Device(#[source] RoundError<D>),
    /// The server's part.
    #[error("on the server: {0}")]
    Server(#[source] RoundError<S>),
}

/// Pushes what the server has not, pulls what the device has not, and notes what is known where.
///
/// ```
/// use holdfast::*;
/// # use std::collections::BTreeMap;
/// # let people = CollectionId::new("people")?;
/// # let id = RecordId::new("grace")?;
/// # let grace = |phone| BTreeMap::from([("name", "Grace"), ("phone", phone)]);
/// # let create = Write::create(people.clone(), id.clone(), &grace("1"), &Shape::new(), Cause::User)?;
/// # let at = Timestamp::from_micros;
/// # let mut ada = Device::new(MemoryStore::device(), ReplicaId::from_entropy(1)?, Guard::default());
/// # let mut ben = Device::new(MemoryStore::device(), ReplicaId::from_entropy(2)?, Guard::default());
/// # let mut server = Server::new(MemoryStore::server(), ReplicaId::from_entropy(9)?, Guard::default());
/// # let round = |n| Inputs::new(RoundId(n), Trust::Account);
/// # ada.write(&create, at(1))?;
/// let up = exchange(&mut ada, &mut server, &people, &round(1))?;
/// assert_eq!(up.pushed.expect("she had something").to_string(), "people: 1 added");
/// let down = exchange(&mut ben, &mut server, &people, &round(2))?;
/// assert_eq!(down.pulled.to_string(), "people: 1 added");
/// let idle = exchange(&mut ben, &mut server, &people, &round(3))?;
/// assert!(idle.pushed.is_none() && idle.pulled.is_quiet());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Errors
/// [`ExchangeError`].
pub fn exchange<D: Store, S: Store>(
    device: &mut Device<D>,
    server: &mut Server<S>,
    collection: &CollectionId,
    inputs: &Inputs<'_>,
) -> Result<Exchanged, ExchangeError<D::Error, S::Error>> {
    let on_device = |error| ExchangeError::Device(RoundError::Read(error));
    let changes = device.pending(collection, usize::MAX).map_err(on_device)?;
    let pushed = if changes.offers.is_empty() {
        None
    } else {
        let (receipt, known) = server.take_in(changes, inputs).map_err(ExchangeError::Server)?;
        device.acknowledged(&known).map_err(ExchangeError::Device)?;
        Some(receipt)
    };
    let taken = device.taken(collection, server.replica()).map_err(on_device)?;
    let changes = server.since(collection, taken, usize::MAX);
    let changes = changes.map_err(|error| ExchangeError::Server(RoundError::Read(error)))?;
    let pulled = device.take_in(changes, inputs).map_err(ExchangeError::Device)?;
    Ok(Exchanged { pushed, pulled })
}
