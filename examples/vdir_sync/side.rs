//! One side while a run lasts: its folder, its replica, and the right to write, if there is one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::Path,
};

use holdfast::{
    CollectionId, Device, Guard, Limits, MemoryStore, Receipt, RecordId, ReplicaId, Server, Store as _,
    decide::{
        line::Revision,
        row::Row,
        slice::{Query, ReadSet},
    },
};

use super::{
    book::{self, Lock, format::BOOK},
    continuity::{Standing, Trust},
    folder::{Collection, Contents, Item, Listing, Root, Walk},
    memory::{Body, Index, Noted, Step},
    observe::Had,
    session::{Stop, lineage, random, replica},
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
    /// Files that are no items, by collection, and which records they were.
    pub(crate) unreadable: BTreeMap<CollectionId, Vec<(Item, Option<RecordId>)>>,
    /// Files that show what is known to be old, where bookkeeping is lost.
    pub(crate) stale: usize,
    /// Of these collections, such files are set aside in this run.
    pub(crate) rewritten: BTreeSet<CollectionId>,
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
        let (is_newcomer, is_damaged, unlisted, unreadable) = (false, false, BTreeSet::new(), BTreeMap::new());
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
            unreadable,
            stale: 0,
            rewritten: BTreeSet::new(),
            contested,
        }
    }

    /// This side as a device: it lists, and a person answers here.
    pub(crate) fn device(&mut self) -> Device<&mut MemoryStore> {
        Device::new(&mut self.body.store, self.index.replica, self.guard.clone())
    }

    /// This side as a server.
    pub(crate) fn server(&mut self) -> Server<&mut MemoryStore> {
        Server::new(&mut self.body.store, self.index.replica, self.guard.clone())
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
        self.standing.trust == Trust::Whole
    }

    /// The collections of its folder and of its replica.
    pub(crate) fn collections(&self) -> BTreeSet<CollectionId> {
        let walked = self.walk.collections.iter().filter_map(|held| CollectionId::new(&held.name).ok());
        walked.chain(self.body.store.collections().cloned()).collect()
    }

    /// How many living records there are in a collection.
    pub(crate) fn living(&self, collection: &CollectionId) -> usize {
        self.rows(collection).filter(|row| row.version.is_alive()).count()
    }

    /// All that is held of a collection.
    pub(crate) fn rows(&self, collection: &CollectionId) -> impl Iterator<Item = Row> + use<> {
        let all = ReadSet::head(collection.clone()).with_query(Query::Range { after: None, limit: usize::MAX });
        let Ok(slice) = self.body.store.read(&all);
        slice.rows.into_values()
    }

    /// Files that are not as their records are, and that no question and no error is about.
    pub(crate) fn differ(&self, collection: &CollectionId) -> usize {
        let files = self.index.files_by_record(collection.as_str());
        let is_right = |row: &Row| {
            let is_asked =
                row.quarantine.is_some() || self.contested.contains(&(collection.clone(), row.record.clone()));
            is_asked || (!row.is_unshown() && row.version.is_alive() == files.contains_key(&row.record))
        };
        self.rows(collection).filter(|row| !is_right(row)).count()
    }

    /// What is known to have been in the other side's folder when both were last in step, and has not changed since.
    pub(crate) fn had_by(&self, other: &Self) -> Had {
        let Some(peer) = self.index.peer_at(&other.index.root) else { return Had::new() };
        let had = peer.had.iter().map(|(collection, upto)| {
            let rows = self.rows(collection).filter(|row| row.version.is_alive() && row.changed_at <= *upto);
            (collection.clone(), rows.map(|row| (row.record, row.version)).collect())
        });
        had.collect()
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

    /// Starts anew under another identity, with nothing known of the folder, and nothing known to be anywhere else.
    /// Gives back what the old bookkeeping held, as a peer's word for [`believe`](Self::believe).
    pub(crate) fn start_anew(&mut self, fresh: MemoryStore) -> Result<Word, Stop> {
        let old = std::mem::replace(&mut self.body, Body::new(fresh));
        let (from, past) = (self.index.replica, self.index.past.clone().begun_anew(lineage()?));
        self.index = Index::new(self.index.root.clone(), self.index.account.clone(), replica()?, past);
        self.is_changed = true;
        Ok(Word { from, store: old.store })
    }

    /// Takes in what the old bookkeeping held, as changes from a stranger. What it knew is known then, and what the
    /// other side knows beyond that has come first.
    pub(crate) fn believe(&mut self, word: &Word) -> Result<(), Stop> {
        for collection in word.store.collections() {
            let changes = everything(&word.store, word.from, collection);
            let inputs = holdfast::Inputs::new(holdfast::RoundId(random()?), holdfast::Trust::Account);
            self.device().take_in(changes, &inputs).map_err(|error| Stop::Bug(error.to_string()))?;
        }
        Ok(())
    }

    /// Makes what was done so far durable, if anything was: after a crash, there is something left to do.
    pub(crate) fn save_on_the_way(&mut self, other: &Index) -> Result<(), Stop> {
        let is_settled = self.saved.as_ref().is_some_and(|saved| saved.is_settled);
        self.index.is_settled = is_settled; // a run that changes nothing writes nothing
        if self.is_changed || self.saved.as_ref() != Some(&self.index) {
            self.index.is_settled = false;
            self.is_changed = true;
        }
        self.save(other, false)
    }

    /// Makes what was done durable, if anything was. Nothing is written on a dry run.
    pub(crate) fn save(&mut self, other: &Index, is_in_step: bool) -> Result<(), Stop> {
        if !self.is_changed && self.saved.as_ref() == Some(&self.index) {
            return Ok(());
        }
        let Some(hands) = &self.hands else { return Ok(()) };
        let had = if is_in_step { revisions(&self.body.store) } else { BTreeMap::new() };
        self.index.meet(other, is_in_step, had);
        self.index.past.save(random()?);
        if std::mem::take(&mut self.is_damaged) {
            set_aside(hands.state().path())?;
        }
        book::write(hands, &self.index, &self.body).map_err(Stop::Save)?;
        (self.saved, self.is_changed) = (Some(self.index.clone()), false);
        Ok(())
    }
}

/// What bookkeeping held that is not used as it is any more.
#[derive(Debug)]
pub(crate) struct Word {
    from: ReplicaId,
    store: MemoryStore,
}

/// Where each collection of a store stands.
fn revisions(store: &MemoryStore) -> BTreeMap<CollectionId, Revision> {
    let head = |collection: &CollectionId| {
        let Ok(slice) = store.read(&ReadSet::head(collection.clone()));
        (collection.clone(), slice.head.revision)
    };
    store.collections().map(head).collect()
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
