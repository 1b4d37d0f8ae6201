//! What a run did, for a person and for a program.

use std::{collections::BTreeSet, fmt};

use holdfast::{
    CollectionId, Receipt,
    act::receipt::Effect,
    decide::{
        breach::{Scope, Why},
        continuity::Continuity,
        line::{Hold, LineKind},
    },
};
use serde::Serialize;

use super::{
    continuity::{self, Named},
    folder::EntryError,
    names::label,
    question::{Question, questions},
    session::Stop,
    side::{Side, Which},
    unreadable::{Unreadable, unreadable},
    way::Way,
};

/// Names shown of a hold.
const SAMPLES: usize = 5;
/// Errors shown to a person.
const ERRORS: usize = 40;
/// Notes shown to a person.
const NOTES: usize = 20;

/// What was written to one folder, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Counts {
    added: usize,
    changed: usize,
    removed: usize,
}

/// Files that had to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Read {
    left: usize,
    right: usize,
}

/// What was done to one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrote {
    Added,
    Changed,
    Removed,
}

/// A question that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Held {
    digest: String,
    /// The side that would lose.
    side: String,
    collection: String,
    /// Records that would be lost.
    removals: usize,
    of: u64,
    /// What has become of them: `missing`, `changed` or `mixed` in the other folder, `received` from the other side, or
    /// `returned` after they had been deleted.
    kind: &'static str,
    reason: String,
    samples: Vec<String>,
    /// The safe one first.
    ways_out: Vec<Way>,
}

/// Fields in which two people wrote different things. Both are kept, and one is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Conflict {
    collection: String,
    record: String,
    fields: Vec<String>,
}

/// What could not be dealt with, and was left as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Trouble {
    /// `None`: of the run as a whole.
    side: Option<String>,
    collection: Option<String>,
    file: Option<String>,
    message: String,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    left: Counts,
    right: Counts,
    conflicts: BTreeSet<Conflict>,
    held: Vec<Held>,
    errors: BTreeSet<Trouble>,
    unreadable: Vec<Unreadable>,
    /// What each side is, compared with what the other remembers of it.
    continuity: Vec<Named>,
    /// Of a run that could not be made.
    ways_out: Vec<Way>,
    notes: Vec<String>,
    pub(crate) receipt: Option<String>,
    is_dry_run: bool,
    files_read: Read,
    /// How the command was called, for the commands that it shows.
    #[serde(skip)]
    call: String,
}

impl Report {
    pub(crate) const fn new(is_dry_run: bool, call: String) -> Self {
        let nothing = Counts { added: 0, changed: 0, removed: 0 };
        Self {
            left: nothing,
            right: nothing,
            conflicts: BTreeSet::new(),
            held: Vec::new(),
            errors: BTreeSet::new(),
            unreadable: Vec::new(),
            continuity: Vec::new(),
            ways_out: Vec::new(),
            notes: Vec::new(),
            receipt: None,
            is_dry_run,
            files_read: Read { left: 0, right: 0 },
            call,
        }
    }

    /// Whether both sides are equal, and nothing waits.
    pub(crate) fn is_in_step(&self) -> bool {
        self.held.is_empty() && self.errors.is_empty()
    }

    pub(crate) fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
    }

    /// Notes what a commit brought to light.
    pub(crate) fn saw(&mut self, receipt: &Receipt) {
        for change in receipt.changes.iter().filter(|change| !change.conflicts.is_empty()) {
            if change.effect == Effect::Hidden {
                continue;
            }
            let fields = change.conflicts.iter().map(|field| field.as_str().to_owned()).collect();
            let (collection, record) = (receipt.collection.to_string(), change.record.to_string());
            self.conflicts.insert(Conflict { collection, record, fields });
        }
    }

    pub(crate) const fn read(&mut self, which: Which) {
        match which {
            Which::Left => self.files_read.left += 1,
            Which::Right => self.files_read.right += 1,
        }
    }

    pub(crate) fn wrote(&mut self, which: Which, wrote: Wrote) {
        let counts = match which {
            Which::Left => &mut self.left,
            Which::Right => &mut self.right,
        };
        match wrote {
            Wrote::Added => counts.added += 1,
            Wrote::Changed => counts.changed += 1,
            Wrote::Removed => counts.removed += 1,
        }
    }

    pub(crate) fn trouble(&mut self, which: Which, error: &EntryError) {
        self.errors.insert(Trouble {
            side: Some(which.to_string()),
            collection: error.collection.clone(),
            file: error.file.clone(),
            message: error.to_string(),
        });
    }

    pub(crate) fn file_trouble(&mut self, which: Which, collection: &CollectionId, file: &str, what: &str) {
        let shown = super::folder::shown(&format!("{collection}/{file}"));
        self.errors.insert(Trouble {
            side: Some(which.to_string()),
            collection: Some(collection.as_str().to_owned()),
            file: Some(file.to_owned()),
            message: format!("'{shown}': {what}"),
        });
    }

    /// Why this run was a careful one.
    pub(crate) fn reason(&mut self, which: Which, message: String) {
        self.errors.insert(Trouble { side: Some(which.to_string()), collection: None, file: None, message });
    }

    /// Says what a side is. What its files say is said of a side whose bookkeeping is as it was.
    pub(crate) fn named(&mut self, named: Named) {
        match self.continuity.iter_mut().find(|known| known.side == named.side) {
            None => self.continuity.push(named),
            Some(known) if known.continuity.may_remove() || known.continuity == Continuity::Unproven => {
                *known = Named { remembered: known.remembered, found: known.found, ..named };
            }
            Some(_) => {}
        }
    }

    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// A file that could not be dealt with was.
    pub(crate) fn mended(&mut self, which: Which, collection: &CollectionId, file: &str) {
        let which = which.to_string();
        self.errors.retain(|error| {
            let at = (error.side.as_deref(), error.collection.as_deref(), error.file.as_deref());
            at != (Some(which.as_str()), Some(collection.as_str()), Some(file))
        });
    }

    /// Says what the files of a side say of it, where its bookkeeping is as it was.
    pub(crate) fn files(&mut self, side: &Side) {
        self.unreadable.extend(unreadable(side, &self.call));
        if let Some((continuity, evidence)) = continuity::of_files(side) {
            let (side, remembered, found) = (side.which.to_string(), None, None);
            self.named(Named { side, continuity, evidence, remembered, found });
        }
    }

    /// Lists every question that is open on a side.
    pub(crate) fn holds(&mut self, side: &mut Side) -> Result<(), Stop> {
        for collection in side.collections() {
            let hold = side.device().hold(&collection).map_err(|error| Stop::Bug(error.to_string()))?;
            if let Some(hold) = hold {
                let asked = questions(side.which, &hold);
                self.held.extend(asked.iter().map(|question| held(side, &hold, question, &self.call)));
            }
        }
        Ok(())
    }
}

fn held(side: &Side, hold: &Hold, question: &Question<'_>, call: &str) -> Held {
    let Question { digest, loser, is_return, lines } = question;
    use holdfast::{Store as _, decide::slice::ReadSet};
    let first = lines.iter().take(SAMPLES).map(|line| line.record.clone());
    let Ok(slice) = side.body.store.read(&ReadSet::head(hold.collection.clone()).with_records(first));
    let samples = lines.iter().filter_map(|line| slice.rows.get(&line.record));
    let why =
        lines.iter().map(|line| &line.why).find(|why| matches!(why, Why::Limit(_))).or(lines.first().map(|l| &l.why));
    let of = match why {
        // Not what came new in the same round, and not what has been answered since.
        Some(Why::Limit(breach)) if breach.scope == Scope::Collection => breach.of.min(hold.of),
        Some(_) | None => hold.of,
    };
    let count_of = |kind| lines.iter().filter(|line| line.kind == kind).count();
    let there = loser.other();
    let (kind, what) = match (count_of(LineKind::Proposal), count_of(LineKind::Contents)) {
        (0, 0) if *is_return => ("returned", format!("deleted before, and back on the {loser}; ")),
        (0, 0) => ("received", String::new()),
        (_, 0) => ("missing", format!("missing on the {there}, and nobody is known to have removed them; ")),
        (0, _) => ("changed", format!("changed on the {there}; ")),
        (missing, changed) => ("mixed", format!("{missing} missing and {changed} changed on the {there}; ")),
    };
    let why = why.map(ToString::to_string).unwrap_or_default();
    let count = lines.len();
    let (keep, lose) = if *is_return {
        ("to keep them deleted, with their files set aside".into(), "to have them back on both sides")
    } else {
        let (all, them) = if count == 1 { ("it".into(), "it") } else { (format!("all {count}"), "them") };
        (format!("to keep {all} on the {loser}, and have {them} on the {there} as well"), "to lose them there, too")
    };
    let ways_out = vec![
        Way::new(keep, [format!("{call} --keep {digest}")]),
        Way::new(lose, [format!("{call} --approve {digest} --by NAME")]),
    ];
    Held {
        digest: digest.to_string(),
        side: loser.to_string(),
        collection: hold.collection.as_str().to_owned(),
        removals: count,
        of,
        kind,
        reason: format!("{what}{why}"),
        samples: samples.take(SAMPLES).map(|row| label(&row.record, &row.version)).collect(),
        ways_out,
    }
}

/// The object of a run that could not be made: that of one which did nothing, with the reason among its errors.
pub(crate) fn stopped(stop: &Stop, is_dry_run: bool) -> String {
    let mut report = Report::new(is_dry_run, String::new());
    report.errors.insert(Trouble { side: None, collection: None, file: None, message: stop.to_string() });
    if let Stop::Severed { which, continuity, evidence, ways } = stop {
        let (side, evidence) = (which.to_string(), evidence.clone());
        report.named(Named { side, continuity: *continuity, evidence, remembered: None, found: None });
        report.ways_out.clone_from(ways);
    }
    report.to_json()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let would = if self.is_dry_run { "would be " } else { "" };
        for (which, counts) in [(Which::Left, self.left), (Which::Right, self.right)] {
            let Counts { added, changed, removed } = counts;
            if counts != Counts::default() {
                writeln!(f, "{which}: {would}{added} added, {changed} changed, {removed} removed")?;
            }
        }
        for Conflict { collection, record, fields } in &self.conflicts {
            writeln!(f, "conflict: {collection}/{record}: both values of {} are kept", fields.join(", "))?;
        }
        let is_said = |named: &&Named| {
            !named.continuity.may_remove() && !self.errors.iter().any(|error| error.message.contains(&named.evidence))
        };
        for Named { side, evidence, .. } in self.continuity.iter().filter(is_said) {
            writeln!(f, "{side}: {evidence}")?;
        }
        for held in &self.held {
            let Held { side, collection, removals, of, kind, reason, samples, ways_out, .. } = held;
            let more = removals.saturating_sub(samples.len());
            let names = samples.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
            let is_return = *kind == "returned";
            if is_return {
                writeln!(f, "held: {removals} deleted records are back on the {side} in '{collection}'")?;
            } else {
                writeln!(f, "held: {side} would lose {removals} of {of} in '{collection}'")?;
            }
            writeln!(f, "  why:     {reason}")?;
            let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
            writeln!(f, "  which:   {names}{and_more}")?;
            ways_out.iter().try_for_each(|way| write!(f, "{way}"))?;
        }
        for Unreadable { side, collection, files, samples, ways_out, .. } in &self.unreadable {
            writeln!(f, "unreadable: {files} files on the {side} in '{collection}'")?;
            let names = samples.iter().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
            let more = files.saturating_sub(samples.len());
            let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
            writeln!(f, "  which:   {names}{and_more}")?;
            ways_out.iter().try_for_each(|way| write!(f, "{way}"))?;
        }
        for Trouble { side, message, .. } in self.errors.iter().take(ERRORS) {
            let side = side.as_deref().map(|side| format!("{side}: ")).unwrap_or_default();
            writeln!(f, "error: {side}{message}")?;
        }
        if self.errors.len() > ERRORS {
            writeln!(f, "error: and {} more; --json lists all", self.errors.len() - ERRORS)?;
        }
        for note in self.notes.iter().take(NOTES) {
            writeln!(f, "note: {note}")?;
        }
        if self.notes.len() > NOTES {
            writeln!(f, "note: and {} more; --json lists all", self.notes.len() - NOTES)?;
        }
        if let Some(receipt) = &self.receipt {
            writeln!(f, "undo with: {} --undo {receipt}", self.call)?;
        }
        let is_written = (self.left, self.right) != (Counts::default(), Counts::default());
        match (self.is_dry_run, self.is_in_step()) {
            (false, true) => writeln!(f, "both sides are equal")?,
            (true, true) if is_written => writeln!(f, "both sides would be equal; nothing was written")?,
            (true, true) => writeln!(f, "both sides are equal; there is nothing to write")?,
            (true, false) => writeln!(f, "nothing was written")?,
            (false, false) => {}
        }
        Ok(())
    }
}
