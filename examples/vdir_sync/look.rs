//! The first look at both sides: what stands there, and whether there is anything to do. Nothing is changed.

use std::path::Path;

use holdfast::decide::{
    continuity::{Claim, Continuity},
    position::Witness,
};

use super::{
    book::{self, BodyRef, BookError, Place, RootId, StateDir},
    folder::{Contents, Root, Walk},
    memory::Index,
    past::Past,
    session::Stop,
    side::Which,
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
    let is_intact = |witness: &Witness, past: &Past| {
        let judged = past.judge(&Claim::of(witness, Vec::new())).continuity;
        judged == Continuity::Intact && witness.last.position.lineage == past.position().lineage
    };
    let knows = ours.peer(&theirs.past).is_some_and(|peer| peer.witness.last.position == theirs.past.position());
    let is_known = theirs.peer(&ours.past).is_some_and(|peer| is_intact(&peer.witness, &ours.past));
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
