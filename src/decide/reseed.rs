//! "The server lost it, this device is right": nothing that the server shows takes anything from here.

use alloc::vec::Vec;

use super::{
    draft::{By, Draft, Entry, Heading, Origin, Proposal},
    history::KnownServer,
    slice::Slice,
};
use crate::values::{value::Value, version::Version};

impl Draft {
    /// Proposes to know nothing of the server any more but its account: every record is pending again, and until a round is
    /// over, whatever would take something away becomes a question.
    ///
    /// The slice holds all rows, and what is staged here.
    pub(crate) fn of_reseed(slice: Slice) -> Self {
        let server = slice.head.server.as_ref().map(|known| KnownServer {
            account: known.account,
            is_recovering: true,
            is_reseeding: true,
            owes_staged: known.owes_staged || !slice.staged.is_empty(),
            accepted_once: known.ever_accepted(),
            conflict: known.conflict,
            ..KnownServer::default()
        });
        if server.is_none() {
            // No server has named anything as its own.
            return Self::new(slice, Origin::Own, Vec::new());
        }
        let heading = Heading { server, ..Heading::default() };
        Self::of_new_peer(slice).with_heading(heading)
    }

    /// The entries of which a peer's word would take anything from here: a record, or one value of one.
    pub(super) fn takers(&self) -> Vec<usize> {
        self.entries.iter().enumerate().filter(|(_, entry)| takes(entry)).map(|(index, _)| index).collect()
    }
}

fn takes(entry: &Entry) -> bool {
    let (Proposal::Change { pass, .. }, Some(row)) = (&entry.proposal, &entry.before) else { return false };
    pass.by == By::Peer && (!pass.harm.is_none() || !keeps(&row.version, &pass.version))
}

/// Whether every value that survives before still does after, and the record with them.
fn keeps(before: &Version, after: &Version) -> bool {
    if before.digest() == after.digest() || !before.is_alive() {
        return true;
    }
    let (before, after) = (before.record(), after.record());
    let mut fields = before.fields().iter();
    after.is_alive()
        && fields.all(|(name, register)| {
            let now = after.fields().get(name);
            let has =
                |value: &Value| now.is_some_and(|now| now.siblings().iter().any(|sibling| sibling.value == *value));
            register.siblings().iter().all(|sibling| has(&sibling.value))
        })
}
