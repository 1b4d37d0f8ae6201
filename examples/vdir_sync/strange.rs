//! Is this somebody else's folder? Bookkeeping that is missing, or that stands beside other files than its own, can not
//! tell; the items can: those that are known are somewhere else, and those that are here are not known.

use std::collections::BTreeMap;

use holdfast::{
    RecordId,
    decide::continuity::{Continuity, ServerLoss},
    values::digest::Digest,
};

use super::{
    args::Args,
    item,
    names::{label, record_of, shortened},
    past::digest,
    session::Stop,
    side::Side,
    way::Way,
};

/// With fewer items, nobody can tell.
const MIN_KNOWN: usize = 3;
/// A folder is somebody else's if not even one in so many of its items is there.
const ONE_IN: usize = 10;

/// What is found of the items that should be here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Found {
    known: usize,
    recognised: usize,
    others: usize,
    digest: Digest,
}

/// Stops before anything crosses if one side holds other items than the ones that were synced.
pub(crate) fn check([left, right]: [&Side; 2], args: &Args) -> Result<(), Stop> {
    for (side, other, at) in [(left, right, &args.left), (right, left, &args.right)] {
        let Some(found) = found(side, other).filter(|found| args.meet != Some(found.digest)) else { continue };
        let Found { known, recognised, others, digest } = found;
        let evidence = format!(
            "the {} is not the folder that was synced: of {known} items that are known, {recognised} are there, and {others} \
             are there that nobody knows; nothing was written",
            side.which
        );
        let meet = Way::new(
            "if they do belong together, to bring both in step, item by item",
            [format!("{} --meet {digest}", args.call())],
        );
        let (continuity, ways) = (Continuity::Lost(ServerLoss::Replaced), vec![Way::put_aside(args, at), meet]);
        return Err(Stop::Severed { which: side.which, continuity, evidence, ways });
    }
    Ok(())
}

/// `None` if nothing is strange.
fn found(side: &Side, other: &Side) -> Option<Found> {
    let has_own_memory = side.body.store.collections().next().is_some();
    // Who has lost its bookkeeping is held against what the other side remembers of it, if they were in step once: a first run
    // that was cut off says nothing of what was here.
    let was_in_step = other.index.peer_at(&side.index.root).is_some_and(|peer| !peer.had.is_empty());
    let memory = if has_own_memory || !was_in_step { side } else { other };
    let count: usize = memory.index.files.values().map(BTreeMap::len).sum();
    let is_untouched = |(collection, item): &(&str, &super::folder::Item)| {
        side.noted(collection, &item.file).is_some_and(|noted| noted.print == item.print)
    };
    let items = || {
        let collections = side.walk.collections.iter().map(|held| held.name.as_str());
        collections.flat_map(|name| side.items(name).iter().map(move |item| (name, item)))
    };
    let untouched = items().filter(is_untouched).count();
    if count < MIN_KNOWN || untouched * ONE_IN > count {
        return None;
    }
    let known = labels(memory);
    let (mut recognised, mut others, mut seen) = (0, 0, Vec::new());
    for (collection, item) in items() {
        let noted = side.noted(collection, &item.file).map(|noted| &noted.record);
        let bytes = side.root.read(collection, &item.file, &item.print);
        let parsed = bytes.ok().and_then(|bytes| item::parse(&item.file, bytes).ok());
        let Some(parsed) = parsed else {
            // What is no item any more may have been one of ours.
            recognised += usize::from(memory.noted(collection, &item.file).is_some());
            continue;
        };
        let Some(record) = record_of(parsed.uid.as_deref(), noted, &item.file) else { continue };
        let labels = known.get(&record);
        let name = parsed.name.as_deref().map(shortened);
        // So may what has no name any more.
        let is_known = labels.is_some_and(|labels| name.as_ref().is_none_or(|name| labels.contains(name)));
        let name = name.unwrap_or_default();
        *(if is_known { &mut recognised } else { &mut others }) += 1;
        seen.extend_from_slice(digest("vdir_sync item", &[record.as_str().as_bytes(), name.as_bytes()]).as_bytes());
    }
    // A few new items in a folder that has its own bookkeeping are new items.
    let few = if has_own_memory { count / ONE_IN } else { 0 };
    let is_strange = recognised * ONE_IN <= count && others > recognised.max(few);
    let digest = digest("vdir_sync strange", &[side.which.to_string().as_bytes(), &count.to_le_bytes(), &seen]);
    is_strange.then_some(Found { known: count, recognised, others, digest })
}

/// What each living record of a side is called, by its id: there may be one of an id in several collections.
fn labels(side: &Side) -> BTreeMap<RecordId, Vec<String>> {
    let mut labels: BTreeMap<RecordId, Vec<String>> = BTreeMap::new();
    for collection in side.body.store.collections() {
        for row in side.rows(collection).filter(|row| row.version.is_alive()) {
            labels.entry(row.record.clone()).or_default().push(label(&row.record, &row.version));
        }
    }
    labels
}
