//! One side while a run lasts: its folder, its replica, and the right to write, if there is one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
};

use holdfast::{
    CollectionId, Device, Guard, Limits, MemoryStore, Receipt, RecordId, ReplicaId, Server, Store as _,
    decide::slice::{Query, ReadSet},
};

use super::{
    book::{self, Lock, format::BOOK},
    folder::{Collection, Contents, Item, Listing, Root, Walk},
    memory::{Body, Identity, Index, Noted, Peer, Step},
    session::{Stop, random},
};

/// What damaged bookkeeping is called when it is set aside.
pub(crate) const DAMAGED: &str = "book.damaged";

/// Which side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Which {
    Left,
    Right,
}

impl Which {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Left => "left",
            Self::Right => "right",
        })
    }
}

/// What a side's bookkeeping is worth in this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is the only copy, and as new as it can be: a file that is missing was removed.
    Trusted,
    /// There is none, as is to be expected: this side is new.
    New,
    /// It is missing, a copy, or older than it should be. It says what is known, and nothing is removed on its word.
    Evidence(String),
}

/// One side, open.
#[derive(Debug)]
pub(crate) struct Side {
    pub(crate) which: Which,
    pub(crate) root: Root,
    pub(crate) walk: Walk,
    /// `None` on a dry run: then nothing can be written.
    pub(crate) hands: Option<Lock>,
    pub(crate) standing: Standing,
    /// The other side remembers and this one does not: where both have something, the other's is shown.
    pub(crate) is_newcomer: bool,
    pub(crate) index: Index,
    pub(crate) body: Body,
    /// Bookkeeping that can not be used stands where this one will be.
    pub(crate) is_damaged: bool,
    /// What the disk holds of both.
    saved: Option<Index>,
    is_changed: bool,
    pub(crate) steps: Vec<Step>,
    guard: Guard,
    /// Collections whose folders could not be listed: nothing is known of their files.
    pub(crate) unlisted: BTreeSet<CollectionId>,
    /// Records whose files show what was not taken in, and that nothing may be written over.
    pub(crate) contested: BTreeSet<(CollectionId, RecordId)>,
}

impl Side {
    pub(crate) fn new(
        (which, root, walk, hands): (Which, Root, Walk, Option<Lock>),
        standing: Standing,
        (saved, index): (Option<Index>, Index),
        body: Body,
    ) -> Self {
        let (is_changed, steps, contested) = (saved.is_none(), Vec::new(), BTreeSet::new());
        let (is_newcomer, is_damaged, unlisted) = (false, false, BTreeSet::new());
        let guard = Self::guard_of(&walk);
        Self {
            which,
            root,
            walk,
            hands,
            standing,
            is_newcomer,
            index,
            body,
            is_damaged,
            saved,
            is_changed,
            steps,
            guard,
            unlisted,
            contested,
        }
    }

    /// This side as a device: it lists, and a person answers here.
    pub(crate) fn device(&mut self) -> Device<&mut MemoryStore> {
        Device::new(&mut self.body.store, self.index.me.replica, self.guard.clone())
    }

    /// This side as a server.
    pub(crate) fn server(&mut self) -> Server<&mut MemoryStore> {
        Server::new(&mut self.body.store, self.index.me.replica, self.guard.clone())
    }

    /// People are recognised by their name, appointments by what they are called.
    fn guard_of(walk: &Walk) -> Guard {
        let identifying = |name| Limits { identifying: Some(String::from(name)), ..Limits::STANDARD };
        let (people, events) = (identifying("FN"), identifying("SUMMARY"));
        // A single file of the other kind changes nothing.
        let is_calendar = |collection: &&Collection| match &collection.contents {
            Contents::Listed(listing) => {
                let calendars = listing.items.iter().filter(|item| is_calendar(&item.file)).count();
                calendars > listing.items.len() / 2
            }
            Contents::Unreadable(_) => false,
        };
        let calendars = walk.collections.iter().filter(is_calendar);
        let calendars = calendars.filter_map(|collection| CollectionId::new(&collection.name).ok());
        calendars.fold(Guard::new(&people), |guard, calendar| guard.with_collection(calendar, &events))
    }

    pub(crate) fn is_trusted(&self) -> bool {
        self.standing == Standing::Trusted
    }

    /// The collections of its folder and of its replica.
    pub(crate) fn collections(&self) -> BTreeSet<CollectionId> {
        let walked = self.walk.collections.iter().filter_map(|held| CollectionId::new(&held.name).ok());
        walked.chain(self.body.store.collections().cloned()).collect()
    }

    /// What the walk found in a collection; `None` if there is none of this name.
    pub(crate) fn walked(&self, collection: &str) -> Option<&Contents> {
        let at = self.walk.collections.binary_search_by(|held| held.name.as_str().cmp(collection)).ok()?;
        self.walk.collections.get(at).map(|held| &held.contents)
    }

    pub(crate) fn items(&self, collection: &str) -> &[Item] {
        match self.walked(collection) {
            Some(Contents::Listed(Listing { items, .. })) => items,
            Some(Contents::Unreadable(_)) | None => &[],
        }
    }

    pub(crate) fn noted(&self, collection: &str, file: &str) -> Option<&Noted> {
        self.index.files.get(collection)?.get(file)
    }

    pub(crate) fn files(&mut self, collection: &str) -> &mut BTreeMap<String, Noted> {
        self.index.files.entry(collection.to_owned()).or_default()
    }

    /// Notes a commit for the bookkeeping, and for undoing it.
    pub(crate) fn committed(&mut self, receipt: &Receipt, is_own: bool) {
        let Some(id) = &receipt.id else { return };
        self.is_changed = true;
        if !receipt.changes.is_empty() {
            self.steps.push(Step { collection: id.collection.clone(), revision: id.revision, is_own });
        }
    }

    /// Notes a commit that only changed what is known, or a run that was kept.
    pub(crate) const fn touched(&mut self) {
        self.is_changed = true;
    }

    /// Starts anew, with what the old bookkeeping says as a peer's word: under another identity, with nothing known of
    /// the folder, and nothing known to be anywhere else.
    pub(crate) fn start_anew(&mut self, me: Identity, fresh: MemoryStore) -> Result<(), Stop> {
        let old = std::mem::replace(&mut self.body, Body::new(fresh));
        let former = self.index.me.replica;
        let formers = [std::mem::take(&mut self.index.formers), vec![self.index.me]].concat();
        self.index = Index { formers, ..Index::new(self.index.root.clone(), me) };
        self.is_changed = true;
        for collection in old.store.collections() {
            let changes = everything(&old.store, former, collection);
            let inputs = holdfast::Inputs::new(holdfast::RoundId(random()?), holdfast::Trust::Account);
            self.device().take_in(changes, &inputs).map_err(|error| Stop::Bug(error.to_string()))?;
        }
        Ok(())
    }

    /// Makes what was done so far durable, if anything was: after a crash, there is something left to do.
    pub(crate) fn save_on_the_way(&mut self, other: &Peer) -> Result<(), Stop> {
        let is_settled = self.saved.as_ref().is_some_and(|saved| saved.is_settled);
        self.index.is_settled = is_settled; // a run that changes nothing writes nothing
        if self.is_changed || self.saved.as_ref() != Some(&self.index) {
            self.index.is_settled = false;
            self.is_changed = true;
        }
        self.save(other)
    }

    /// Makes what was done durable, if anything was. Nothing is written on a dry run.
    pub(crate) fn save(&mut self, other: &Peer) -> Result<(), Stop> {
        if !self.is_changed && self.saved.as_ref() == Some(&self.index) {
            return Ok(());
        }
        let Some(hands) = &self.hands else { return Ok(()) };
        self.index.meet(other.clone());
        self.index.saved(u64::from_le_bytes(random()?.to_le_bytes().first_chunk().copied().unwrap_or_default()));
        if std::mem::take(&mut self.is_damaged) {
            set_aside(hands.state().path())?;
        }
        book::write(hands, &self.index, &self.body).map_err(Stop::Save)?;
        (self.saved, self.is_changed) = (Some(self.index.clone()), false);
        Ok(())
    }

    /// How the other side will know this one.
    pub(crate) fn as_peer(&self) -> Peer {
        let save = self.index.last_save().unwrap_or_default();
        Peer { is: self.index.me, root: self.index.root.clone(), save }
    }
}

/// Keeps damaged bookkeeping for whoever wants to look at it, and the first of several.
fn set_aside(state: &Path) -> Result<(), Stop> {
    let (at, kept) = (state.join(BOOK), state.join(DAMAGED));
    if kept.exists() {
        return Ok(());
    }
    std::fs::rename(&at, kept).map_err(|source| Stop::Root { at, source })
}

/// All that a store holds of a collection, as its replica would show it to others.
fn everything(store: &MemoryStore, from: ReplicaId, collection: &CollectionId) -> holdfast::decide::changes::Changes {
    let all = ReadSet::head(collection.clone()).with_query(Query::Range { after: None, limit: usize::MAX });
    let mut changes = holdfast::decide::changes::Changes::none(from, collection.clone());
    let Ok(slice) = store.read(&all);
    changes.offers = slice.rows.values().map(holdfast::decide::offer::Offer::of).collect();
    // What somebody agreed to in another folder is no answer here.
    changes.offers.iter_mut().for_each(|offer| offer.excuse = None);
    changes
}

pub(crate) fn is_calendar(file: &str) -> bool {
    file.rsplit_once('.').is_some_and(|(_, extension)| extension.eq_ignore_ascii_case("ics"))
}
