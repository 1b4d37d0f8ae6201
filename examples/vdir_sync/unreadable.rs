//! Files that are no items any more: no bytes, half of them, or something else. They say nothing of their records, so nothing
//! is taken from them; a person can have them set aside, and the records written anew.

use holdfast::{CollectionId, values::digest::Digest};
use serde::Serialize;

use super::{args::Said, folder::shown, past::digest, side::Side, way::Way};

/// Names shown.
const SAMPLES: usize = 5;

/// The files of one collection on one side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Unreadable {
    pub(crate) digest: String,
    pub(crate) side: String,
    pub(crate) collection: String,
    pub(crate) files: usize,
    pub(crate) samples: Vec<String>,
    pub(crate) ways_out: Vec<Way>,
}

/// All of a side, without those that were set aside.
pub(crate) fn unreadable(side: &Side, call: &str) -> Vec<Unreadable> {
    let open =
        side.unreadable.iter().filter(|(collection, files)| !files.is_empty() && !side.rewritten.contains(*collection));
    let one = |(collection, files): (&CollectionId, &Vec<_>)| {
        let digest = digest_of(side, collection);
        let what = format!("to have these {} set aside, and what is known of them written anew", files.len());
        Unreadable {
            digest: digest.to_string(),
            side: side.which.to_string(),
            collection: collection.to_string(),
            files: files.len(),
            samples: samples(side, collection),
            ways_out: vec![Way::new(what, [format!("{call} --keep {digest}")])],
        }
    };
    open.map(one).collect()
}

fn samples(side: &Side, collection: &CollectionId) -> Vec<String> {
    let files = side.unreadable.get(collection).into_iter().flatten();
    files.take(SAMPLES).map(|(item, _)| shown(&item.file)).collect()
}

/// Names exactly these files, as they are.
fn digest_of(side: &Side, collection: &CollectionId) -> Digest {
    let files = side.unreadable.get(collection).into_iter().flatten();
    let files: Vec<String> = files.map(|(item, _)| format!("{} {:?}", item.file, item.print)).collect();
    let (which, files) = (side.which.to_string(), files.join("\n"));
    digest("vdir_sync unreadable", &[which.as_bytes(), collection.as_str().as_bytes(), files.as_bytes()])
}

/// Notes an answer, if it is one to this; else it is one to a hold.
pub(crate) fn take(said: Said, side: &mut Side) -> bool {
    let Said::Keep(digest) = said else { return false };
    let collections: Vec<CollectionId> = side.unreadable.keys().cloned().collect();
    let answered = collections.into_iter().find(|collection| digest_of(side, collection) == digest);
    let is_answered = answered.is_some();
    side.rewritten.extend(answered);
    is_answered
}
