//! What a receipt says of a commit.

use alloc::vec::Vec;

use crate::act::receipt::{Changed, Effect, Receipt};
use crate::decide::{draft::Origin, harm::Harm, limits::Limits, slice::Slice};
use crate::values::{
    id::{FieldName, RecordId},
    register::Stamp,
    version::{FieldHead, Version},
};

/// What a screen has to draw again; `None` if it shows the same.
pub(super) fn changed(record: &RecordId, old: Option<&Version>, new: &Version) -> Option<Changed> {
    let was_alive = old.is_some_and(Version::is_alive);
    let effect = match (was_alive, new.is_alive()) {
        (false, false) => return None,
        (false, true) => Effect::Added,
        (true, true) => Effect::Changed,
        (true, false) => Effect::Hidden,
    };
    let heads = old.map(Version::field_heads).unwrap_or_default();
    let now = new.field_heads();
    let stood = now.iter().filter(|head| stamps_of(heads, head.name()) != Some(head.stamps()));
    let gone = heads.iter().filter(|head| stamps_of(now, head.name()).is_none());
    let mut fields: Vec<FieldName> = stood.chain(gone).map(|head| head.name().clone()).collect();
    fields.sort_unstable();
    if effect == Effect::Changed && fields.is_empty() {
        return None;
    }
    let conflicts = if new.field_heads().iter().any(|head| head.stamps().len() > 1) {
        new.record().conflicts().cloned().collect()
    } else {
        Vec::new()
    };
    let harm = Harm::default();
    Some(Changed { record: record.clone(), effect, fields, conflicts, harm })
}

/// What survives in a field; `None` if nothing does.
fn stamps_of<'a>(heads: &'a [FieldHead], name: &FieldName) -> Option<&'a [Stamp]> {
    let at = heads.binary_search_by(|head| head.name().cmp(name)).ok()?;
    heads.get(at).map(FieldHead::stamps)
}

pub(super) fn empty_receipt(slice: &Slice, origin: &Origin, limits: Limits) -> Receipt {
    let answer = match origin {
        Origin::Answer(answer) => Some(answer.clone()),
        Origin::Peer { .. } | Origin::Own | Origin::Listing | Origin::Day { .. } => None,
    };
    let named = answer.as_ref().and_then(|a| slice.lines.iter().find(|line| line.running == a.digest));
    let lapsed = named.map_or_else(Vec::new, |last| {
        let before = slice.lines.iter().filter(|line| line.number <= last.number && !line.is_open());
        before.map(|line| (line.record.clone(), line.status)).collect()
    });
    Receipt {
        id: None,
        collection: slice.collection.clone(),
        changes: Vec::new(),
        held: Vec::new(),
        hold: None,
        closed: Vec::new(),
        lapsed,
        refused: Vec::new(),
        staged: Vec::new(),
        known: Vec::new(),
        breaches: Vec::new(),
        limits,
        answer,
    }
}
