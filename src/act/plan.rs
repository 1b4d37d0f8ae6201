//! Approved → Plan → Batch: what one commit must write, and the receipt that it earns.

mod brought;
mod build;
mod head;
mod report;

use alloc::vec::Vec;

use super::{journal, receipt::Receipt};
use crate::decide::{
    guard::Approved,
    line::{Line, LineStatus, Revision},
    offer::Offer,
    row::Row,
    slice::{AccountHead, Head},
};
use crate::values::{
    id::{CollectionId, ReplicaId},
    time::DayTick,
};

/// What one commit must write: all of it, or nothing, and only at the revisions that it expects.
///
/// A store reads it; nobody else can make one.
///
/// ```compile_fail
/// use holdfast::act::plan::Batch;
/// fn forge(batch: Batch) -> Batch { Batch { rows: Vec::new(), ..batch } } // `#[non_exhaustive]`
/// ```
///
/// ```
/// use holdfast::act::plan::Batch;
/// fn rows(batch: &Batch) -> usize { batch.rows.len() }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Batch {
    /// The collection.
    pub collection: CollectionId,
    /// The revision that the collection must be at.
    pub expects: Revision,
    /// The collection's numbers after the commit.
    pub head: Head,
    /// The account's numbers after the commit, on a device, and the revision that it must be at.
    pub account: Option<(Revision, AccountHead)>,
    /// Rows to insert or replace.
    pub rows: Vec<Row>,
    /// Lines of the current hold that are closed, and how.
    pub closed: Vec<(u64, LineStatus)>,
    /// Lines to append to the current hold.
    pub lines: Vec<Line>,
    /// After the above, the hold has no open line: its lines may be dropped.
    pub ends_hold: bool,
    /// What to keep for undo.
    pub journal: Option<journal::Entry>,
    /// The journal's commits of this day and before are dropped.
    pub forget: Option<DayTick>,
    /// What a device's round has staged is dropped; before what follows is added.
    pub unstaged: Option<ReplicaId>,
    /// Offers to stage for a device's round, one a record: a later one takes the place of an earlier one.
    pub staged: Option<(ReplicaId, Vec<Offer>)>,
    /// All rows, lines, receipts and staged offers of the collection are dropped; the head stays, as it is in this batch. Only
    /// a device leaves a collection.
    pub leaves: bool,
}

/// What the guard let through, in the order of doing. It is spent by [`begin`](Self::begin).
///
/// ```compile_fail
/// use holdfast::{act::plan::Plan, decide::draft::Draft};
/// fn skip_the_guard(draft: Draft) -> Plan { Plan::new(draft) } // it takes `Approved`
/// ```
///
/// ```compile_fail
/// use holdfast::{act::{apply::apply, memory::MemoryStore, plan::Plan}};
/// fn twice(plan: Plan, store: &mut MemoryStore) { let _ = (apply(plan, store), apply(plan, store)); } // it is moved
/// ```
///
/// ```compile_fail
/// use holdfast::act::plan::Plan;
/// fn copy(plan: &Plan) -> Plan { plan.clone() } // not `Clone`
/// ```
///
/// ```compile_fail
/// use holdfast::act::plan::Plan;
/// fn from_outside<T: serde::de::DeserializeOwned>() {}
/// from_outside::<Plan>(); // not `Deserialize`
/// ```
///
/// ```
/// use holdfast::{act::{apply::apply, memory::MemoryStore, plan::Plan, receipt::Receipt}, decide::guard::Approved};
/// fn after_the_guard(approved: Approved) -> Plan { Plan::new(approved) }
/// fn once(plan: Plan, store: &mut MemoryStore) { let _ = apply(plan, store); }
/// fn copy(receipt: &Receipt) -> Receipt { receipt.clone() }
/// fn from_outside<T: serde::de::DeserializeOwned>() {}
/// from_outside::<Receipt>(); // a receipt only reports
/// ```
#[derive(Debug)]
#[must_use = "nothing has been done yet: apply it"]
pub struct Plan {
    /// `None` if nothing has to be written.
    batch: Option<Batch>,
    receipt: Receipt,
}

/// A batch has been handed out, and is not known to be durable. Call [`committed`](Self::committed) when it is.
#[derive(Debug)]
#[must_use = "call `committed` when the batch is durable"]
pub struct Applying(Receipt);

impl Plan {
    /// Orders what was approved.
    pub fn new(approved: Approved) -> Self {
        let (batch, receipt) = build::build(approved);
        Self { batch, receipt }
    }

    /// Hands out the batch, for hosts that commit by themselves. `None`: there is nothing to write.
    pub fn begin(self) -> (Option<Batch>, Applying) {
        (self.batch, Applying(self.receipt))
    }
}

impl Applying {
    /// The batch is durable.
    #[must_use]
    pub fn committed(self) -> Receipt {
        self.0
    }
}
