//! What we hold: the part of a replica that one decision needs.

use alloc::{collections::BTreeMap, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{
    authorship::Authorship,
    consent::Answer,
    history::{History, KnownServer},
    ledger::{FirstSeen, Ledger, Tally},
    line::{HoldHead, Line, Revision},
    offer::Offer,
    position::FeedCursor,
    reconcile::{Outline, Span},
    row::{Former, Row, destinations},
};
use crate::values::{
    digest::Digest,
    id::{CollectionId, RecordId, ReplicaId},
    time::{Day, DayTick},
};

/// Which records a store is asked for, beside those named.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Query {
    /// None.
    #[default]
    Nothing,
    /// Changed after a revision, oldest change first: whole commits, until there are `limit` records or more.
    Since {
        /// Exclusive.
        after: Revision,
        /// Records that are enough.
        limit: usize,
    },
    /// Not yet named by the peer as its own, by id, at most `limit`.
    Pending {
        /// Exclusive; from the first if `None`.
        after: Option<RecordId>,
        /// Records, at most.
        limit: usize,
    },
    /// Not taken by the peer, by id, at most `limit`.
    Failed {
        /// Records, at most.
        limit: usize,
    },
    /// By id, at most `limit`.
    Range {
        /// Exclusive; from the first if `None`.
        after: Option<RecordId>,
        /// Records, at most.
        limit: usize,
    },
    /// Dead since a tick or earlier, with fields still here: the trash, oldest first.
    Dead {
        /// Inclusive.
        until: DayTick,
        /// Records, at most.
        limit: usize,
    },
    /// Of which the native store shows something else, see [`Row::is_unshown`]; at most `limit`.
    Unshown {
        /// Records, at most.
        limit: usize,
    },
    /// With an unanswered loss from a revision or earlier.
    Lost {
        /// Inclusive.
        until: Revision,
    },
    /// Changed after a cursor, oldest change first, at most `limit`: a commit may be cut anywhere.
    Feed {
        /// Exclusive.
        after: FeedCursor,
        /// Records, at most.
        limit: usize,
    },
    /// By id, within bounds, at most `limit`.
    Window {
        /// Exclusive; from the first if `None`.
        after: Option<RecordId>,
        /// Inclusive; to the last if `None`.
        until: Option<RecordId>,
        /// Records, at most.
        limit: usize,
    },
}

impl Query {
    /// Every record with an unanswered loss.
    pub(crate) const ALL_LOST: Self = Self::Lost { until: Revision(u64::MAX) };
    /// Every record.
    pub(crate) const ALL: Self = Self::Range { after: None, limit: usize::MAX };
    /// The whole trash.
    pub(crate) const ALL_DEAD: Self = Self::Dead { until: DayTick(u64::MAX), limit: usize::MAX };
}

/// What a decision needs to see. A store answers with a [`Slice`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ReadSet {
    /// The collection.
    pub collection: CollectionId,
    /// Records by id.
    pub records: Vec<RecordId>,
    /// Records by another way.
    pub query: Query,
    /// Records of other collections, to see whether a move has arrived.
    pub moved: Vec<(CollectionId, RecordId)>,
    /// All lines of the current hold, and the rows that the open ones name.
    pub lines: bool,
    /// What the commit that led to this revision replaced.
    pub formers: Option<Revision>,
    /// The chain of these commits, where it is kept.
    pub chains: Vec<Revision>,
    /// What a device's round has staged.
    pub staged: Option<ReplicaId>,
    /// For the rows that the query finds: what the commit that last changed them replaced.
    pub bases: bool,
    /// Ranges of which the fingerprints are told, computed from rows.
    pub spans: Vec<Span>,
}

impl ReadSet {
    /// Asks for the head and the ledger of a collection, and no record.
    #[must_use]
    pub const fn head(collection: CollectionId) -> Self {
        Self {
            collection,
            records: Vec::new(),
            query: Query::Nothing,
            moved: Vec::new(),
            lines: false,
            formers: None,
            chains: Vec::new(),
            staged: None,
            bases: false,
            spans: Vec::new(),
        }
    }

    /// Asks for these records, too.
    #[must_use]
    pub fn with_records(mut self, records: impl IntoIterator<Item = RecordId>) -> Self {
        self.records.extend(records);
        self
    }

    /// Asks for the records of a query, too.
    #[must_use]
    pub fn with_query(mut self, query: Query) -> Self {
        self.query = query;
        self
    }

    /// Asks for the lines of the current hold, too.
    #[must_use]
    pub const fn with_lines(mut self) -> Self {
        self.lines = true;
        self
    }

    /// Asks for what a commit replaced, and for the rows that it wrote, too.
    #[must_use]
    pub const fn with_formers(mut self, of: Revision) -> Self {
        self.formers = Some(of);
        self
    }

    /// Asks for the chain of these commits, too.
    #[must_use]
    pub fn with_chains(mut self, of: impl IntoIterator<Item = Revision>) -> Self {
        self.chains.extend(of);
        self
    }

    /// Asks for what the round of a device has staged, too.
    #[must_use]
    pub const fn with_staged(mut self, round_of: ReplicaId) -> Self {
        self.staged = Some(round_of);
        self
    }

    /// Asks for what the last change of each row found by the query replaced, too.
    #[must_use]
    pub const fn with_bases(mut self) -> Self {
        self.bases = true;
        self
    }

    /// Asks for the fingerprints of ranges, too.
    #[must_use]
    pub fn with_spans(mut self, spans: impl IntoIterator<Item = Span>) -> Self {
        self.spans.extend(spans);
        self
    }

    /// Asks for records of other collections, too.
    #[must_use]
    pub fn with_moved(mut self, moved: impl IntoIterator<Item = (CollectionId, RecordId)>) -> Self {
        self.moved.extend(moved);
        self
    }
}

/// The durable numbers of one collection on one replica.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Head {
    /// Raised by each commit.
    pub revision: Revision,
    /// The last counter this replica has used here.
    pub counter: u64,
    /// The counter when this replica last left the collection: up to there, it may have written to records that it does not
    /// hold any more.
    pub left_at: u64,
    /// Under which id that counter counts; `None` if nothing was written here.
    pub author: Option<Authorship>,
    /// The end of the hold.
    pub hold: HoldHead,
    /// What the last round has taken.
    pub tally: Option<Tally>,
    /// Days lived through.
    pub tick: DayTick,
    /// The greatest day that the host has named.
    pub day: Option<Day>,
    /// How far each peer's changes have been taken in.
    pub taken: BTreeMap<ReplicaId, Revision>,
    /// The ledger was missing once, and no person has answered since.
    pub is_ledger_lost: bool,
    /// The collection has been listed: its rows say what the native store shows.
    pub is_listed: bool,
    /// On a server: the history that devices' positions are in; `None` before the first.
    pub history: Option<History>,
    /// On a device: its server, as it knows it; `None` before the first session.
    pub server: Option<KnownServer>,
}

/// The durable numbers of one account on a device.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccountHead {
    /// Raised by each commit to any collection.
    pub revision: Revision,
    /// What the last round has taken.
    pub tally: Option<Tally>,
    /// The ledger was missing once, and no person has answered since.
    pub is_ledger_lost: bool,
}

/// The account's part of a slice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Account {
    /// The account's numbers.
    pub head: AccountHead,
    /// The account's ledger. `None`: missing or damaged, which counts as spent.
    pub ledger: Option<Ledger>,
}

/// What a replica holds, as far as one [`ReadSet`] asked. Absence of a record that was asked for is a fact.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Slice {
    /// The collection.
    pub collection: CollectionId,
    /// Its numbers.
    pub head: Head,
    /// Its ledger. `None`: missing or damaged, which counts as spent.
    pub ledger: Option<Ledger>,
    /// The account's part, on a device.
    pub account: Option<Account>,
    /// The place that the next new record will take.
    pub next_place: FirstSeen,
    /// The rows asked for by id or by query.
    pub rows: BTreeMap<RecordId, Row>,
    /// The ids found by the query, in its order.
    pub found: Vec<RecordId>,
    /// The rows asked for in other collections.
    pub moved: BTreeMap<(CollectionId, RecordId), Row>,
    /// The lines of the current hold, if asked for.
    pub lines: Vec<Line>,
    /// What a commit replaced, if asked for; `None` if that is not kept, or no longer.
    pub formers: Option<Vec<Former>>,
    /// The chain of the commits asked for, where it is kept.
    pub chains: BTreeMap<Revision, Digest>,
    /// What a device's round has staged, if asked for.
    pub staged: Vec<Offer>,
    /// What the last change of rows found by the query replaced, if asked for and still kept.
    pub bases: BTreeMap<RecordId, Former>,
    /// What is held of the ranges asked for, in their order, see [`Outline::of`].
    pub spans: Vec<Outline>,
    /// How often the store was restored: the host raises it at each restore, see
    /// [`Store`](crate::act::store::Store).
    pub generation: u64,
}

impl Slice {
    /// What must be read, too, to see whether what is held back here has only moved away.
    #[must_use]
    pub fn destinations(&self) -> Vec<(CollectionId, RecordId)> {
        self.rows.values().filter(|row| row.quarantine.is_some()).flat_map(|row| destinations(row.known())).collect()
    }

    /// Open lines of which the rows are gone from under the log, or are back at what they were before. Nobody is asked by them.
    pub(crate) fn vanished(&self) -> impl Iterator<Item = &Line> {
        let asks = |line: &&Line| {
            let waiting = self.rows.get(&line.record).and_then(|row| row.quarantine.as_ref());
            waiting.is_some_and(|waiting| waiting.line() == line.number)
        };
        self.lines.iter().filter(|line| line.is_open()).filter(move |line| !asks(line))
    }

    /// An answer under the digest that the server has reported of its own hold, as one under the digest of this device's
    /// hold: of that, only the lines that are held there are meant. Nothing else is answered with it, so what was lost here
    /// before, and what else waits here, is taken out of this slice.
    pub(crate) fn answered_there(&mut self, answer: Answer) -> Answer {
        let there = self.head.server.as_ref().and_then(|server| server.hold);
        let is_own = self.lines.iter().any(|line| line.running == answer.digest);
        let Some(own) = self.head.hold.running.filter(|_| !is_own && there.is_some_and(|t| t.digest == answer.digest))
        else {
            return answer;
        };
        let is_meant = |record: &RecordId| {
            self.lines.iter().any(|line| line.record == *record && line.is_open() && line.is_held_there())
        };
        self.rows.retain(|record, _| is_meant(record));
        Answer { digest: own, ..answer }
    }

    /// An empty collection.
    #[must_use]
    pub fn empty(collection: CollectionId) -> Self {
        Self {
            collection,
            head: Head::default(),
            ledger: Some(Ledger::default()),
            account: None,
            next_place: FirstSeen::default(),
            rows: BTreeMap::new(),
            found: Vec::new(),
            moved: BTreeMap::new(),
            lines: Vec::new(),
            formers: None,
            chains: BTreeMap::new(),
            staged: Vec::new(),
            bases: BTreeMap::new(),
            spans: Vec::new(),
            generation: 0,
        }
    }
}
