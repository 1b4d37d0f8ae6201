//! The first look at both sides: what stands there, and what each side's bookkeeping is worth. Nothing is changed.

use std::path::Path;

use super::{
    book::{self, BodyRef, BookError, Place, RootId, StateDir},
    folder::{Contents, Root, Walk},
    memory::Index,
    session::Stop,
    side::{Standing, Which},
};

/// Where a side keeps its bookkeeping, below its root.
pub(crate) const STATE: &str = ".holdfast";

/// One side, as it is found.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) which: Which,
    pub(crate) root: Root,
    pub(crate) id: RootId,
    pub(crate) found: Found,
}

/// What is found of a side's bookkeeping.
#[derive(Debug)]
pub(crate) enum Found {
    Nothing,
    Damaged(BookError),
    Here(Box<Index>, BodyRef),
}

impl Looked {
    pub(crate) fn at(which: Which, path: &Path, state: &StateDir) -> Result<Self, Stop> {
        let root = Root::open(path)?;
        let is_inside = state.path() == path.join(STATE);
        if is_inside && std::fs::symlink_metadata(state.path()).is_ok_and(|found| found.is_symlink()) {
            return Err(Stop::Linked { at: state.path().to_owned() });
        }
        let id = RootId::of(path).map_err(|source| Stop::Root { at: path.to_owned(), source })?;
        let found = match book::read_index::<Index>(state) {
            Ok(None) => Found::Nothing,
            Ok(Some((index, body))) => Found::Here(Box::new(index), body),
            Err(error @ BookError::Damaged { .. }) => Found::Damaged(error),
            Err(error) => return Err(Stop::Book(error)),
        };
        Ok(Self { which, root, id, found })
    }

    pub(crate) const fn index(&self) -> Option<&Index> {
        match &self.found {
            Found::Here(index, _) => Some(index),
            Found::Nothing | Found::Damaged(_) => None,
        }
    }

    /// Every file is as it was noted, there is no other, and nothing was left to do.
    fn is_as_noted(&self, walk: &Walk) -> bool {
        let Some(index) = self.index().filter(|index| index.is_settled && walk.errors.is_empty()) else {
            return false;
        };
        let held = walk.collections.iter().map(|collection| match &collection.contents {
            Contents::Listed(listing) if listing.errors.is_empty() => Some((&collection.name, &listing.items)),
            Contents::Listed(_) | Contents::Unreadable(_) => None,
        });
        let Some(held) = held.collect::<Option<Vec<_>>>() else { return false };
        let mut held = held.into_iter().filter(|(_, items)| !items.is_empty());
        let mut noted = index.files.iter().filter(|(_, files)| !files.is_empty());
        let is_same = |(name, items): (&String, &Vec<super::folder::Item>), (noted, files): (&String, &_)| {
            let files: &std::collections::BTreeMap<String, super::memory::Noted> = files;
            let pairs = items.iter().zip(files);
            name == noted
                && items.len() == files.len()
                && pairs
                    .into_iter()
                    .all(|(item, (file, noted))| item.file == *file && item.print == noted.print && noted.is_trusted)
        };
        loop {
            match (held.next(), noted.next()) {
                (None, None) => return true,
                (Some(held), Some(noted)) if is_same(held, noted) => {}
                _ => return false,
            }
        }
    }
}

/// Whether nothing has happened since both sides were last in step with each other: then there is nothing to do, and
/// no need to read what they hold.
pub(crate) fn is_quiet([left, right]: &[Looked; 2], [left_walk, right_walk]: [&Walk; 2]) -> bool {
    let (Some(ours), Some(theirs)) = (left.index(), right.index()) else { return false };
    let knows = ours.peer(theirs.me).is_some_and(|peer| Some(peer.save) == theirs.last_save());
    let is_known = theirs.peer(ours.me).is_some_and(|peer| ours.has_saved(peer.save));
    let is_here = |index: &Index, side: &Looked| {
        index.root.same_place(&side.id) == Place::Same
            && matches!(&side.found, Found::Here(_, body) if body.is_original)
    };
    knows
        && is_known
        && is_here(ours, left)
        && is_here(theirs, right)
        && (ours.holds, theirs.holds) == (0, 0)
        && left.is_as_noted(left_walk)
        && right.is_as_noted(right_walk)
}

/// What each side's bookkeeping is worth, by its own word and the other's.
pub(crate) fn standings(left: &Looked, right: &Looked) -> Result<[Standing; 2], Stop> {
    if let Some(ours) = left.index() {
        let is_met =
            |theirs: &Index| [&[theirs.me], &theirs.formers[..]].concat().iter().any(|me| ours.peer(*me).is_some());
        let is_here = ours.peers.iter().any(|peer| peer.root.path() == right.id.path());
        if !ours.peers.is_empty() && !right.index().is_some_and(is_met) && !is_here {
            let known = ours.peers.iter().map(|peer| peer.root.path().into_owned()).collect::<Vec<_>>().join("', '");
            return Err(Stop::OtherFolder { known, found: right.id.path().into_owned() });
        }
    }
    Ok([standing(left, right), standing(right, left)])
}

fn standing(side: &Looked, other: &Looked) -> Standing {
    let is_remembered = || {
        let peers = other.index().map(|index| index.peers.as_slice()).unwrap_or_default();
        peers.iter().any(|peer| peer.root.path() == side.id.path() && peer.save != 0)
    };
    let evidence = |what: &str| {
        Standing::Evidence(format!("{what}; what is there was matched by its contents, and nothing was removed"))
    };
    match &side.found {
        Found::Nothing if is_remembered() => evidence("its bookkeeping is missing"),
        Found::Nothing => Standing::New,
        Found::Damaged(error) => evidence(&error.to_string()),
        Found::Here(_, body) if !body.is_original => evidence("its bookkeeping is a copy, as after a restore"),
        Found::Here(index, _) => match index.root.same_place(&side.id) {
            Place::Moved => evidence("its folder was moved since it was synced"),
            Place::Copied => evidence("its bookkeeping is a copy of another folder's"),
            Place::Replaced => evidence("its folder is another one than it was, such as a restored one"),
            Place::Same => {
                let met = other.index().and_then(|theirs| theirs.peer(index.me));
                match met {
                    Some(met) if !index.has_saved(met.save) => {
                        evidence("its bookkeeping is older than it was, as in a restored backup")
                    }
                    Some(_) | None => Standing::Trusted,
                }
            }
        },
    }
}
