//! What a person said: answers to holds, and the wish to undo a run.

use std::collections::{BTreeMap, BTreeSet};

use holdfast::{
    CollectionId, Receipt, RecordId, Timestamp,
    act::receipt::Effect,
    decide::{
        consent::{Answer, Verdict},
        line::Revision,
    },
    values::digest::Digest,
};

use super::{
    args::Said,
    memory::{Run, Step},
    observe::now_nanos,
    question::asked_under,
    report::Report,
    session::Stop,
    side::Side,
};

/// Takes every answer, or none: one that answers nothing stops the run before anything was changed.
pub(crate) fn take(said: &[Said], by: Option<&str>, sides: [&mut Side; 2], report: &mut Report) -> Result<(), Stop> {
    let [left, right] = sides;
    let at = Timestamp::from_micros(now_nanos() / 1000);
    for said in said {
        let digest = said.digest();
        let by = String::from(by.unwrap_or("the person who ran it"));
        let verdict = match said {
            Said::Approve(_) => Verdict::Consent,
            Said::Keep(_) => Verdict::Keep,
        };
        let (side, receipt) = match answered(left, digest, verdict, &by, at)? {
            Some(receipt) => (&mut *left, receipt),
            None => {
                let receipt = answered(right, digest, verdict, &by, at)?.ok_or(Stop::NoHold { digest })?;
                (&mut *right, receipt)
            }
        };
        side.committed(&receipt, true);
        side.touched();
        for (record, _) in &receipt.closed {
            side.contested.remove(&(receipt.collection.clone(), record.clone()));
        }
        report.saw(&receipt);
    }
    Ok(())
}

/// Answers the question that a digest names on this side; `None` if it asked none under it.
fn answered(
    side: &mut Side,
    digest: Digest,
    verdict: Verdict,
    by: &str,
    at: Timestamp,
) -> Result<Option<Receipt>, Stop> {
    for collection in side.collections() {
        let hold = side.device().hold(&collection).map_err(|error| Stop::Bug(error.to_string()))?;
        if let Some((digest, wanted)) = hold.and_then(|hold| asked_under(&hold, digest)) {
            let answer = Answer { verdict, collection, digest, by: by.into(), at };
            let receipt = side.device().answer(answer, wanted);
            return receipt.map(Some).map_err(|error| Stop::Answer { digest, why: error.to_string() });
        }
    }
    Ok(None)
}

/// Brings back what was before a run: what it removed and overwrote on either side, and what was new on the right. What
/// was new on the left stays, and where two sides met that were not in step, so does all that was new to either: to
/// take it away here would take it away there.
pub(crate) fn undo(name: &str, left: &mut Side, report: &mut Report) -> Result<(), Stop> {
    let run = left.body.runs.iter().find(|run| run.name == name).cloned();
    let Run { steps, is_meeting, .. } = run.ok_or_else(|| Stop::NoRun { name: name.to_owned() })?;
    let mut collections: BTreeMap<CollectionId, Vec<Step>> = BTreeMap::new();
    for step in steps {
        collections.entry(step.collection.clone()).or_default().push(step);
    }
    let at = Timestamp::from_micros(now_nanos() / 1000);
    for (collection, steps) in collections {
        let added = added(left, &steps, |step| step.is_own || is_meeting);
        let revisions: Vec<Revision> = steps.iter().map(|step| step.revision).collect();
        let wanted = |record: &RecordId| !added.contains(record);
        let receipt = left.device().undo_all(&collection, &revisions, wanted, "undo", at);
        let receipt = receipt.map_err(|error| Stop::Undo { why: error.to_string() })?;
        left.committed(&receipt, true);
        for (record, refusal) in &receipt.refused {
            report.note(format!("{collection}: {record}: {refusal}"));
        }
    }
    Ok(())
}

/// What was new in some steps.
fn added(side: &Side, steps: &[Step], which: impl Fn(&Step) -> bool) -> BTreeSet<RecordId> {
    let steps = steps.iter().filter(|step| which(step));
    let entries = steps.filter_map(|step| side.body.store.journal(&step.collection)?.at(step.revision));
    let changes = entries.flat_map(|entry| &entry.receipt.changes);
    changes.filter(|change| change.effect == Effect::Added).map(|change| change.record.clone()).collect()
}

/// Every collection of a side that has an open hold, counted.
pub(crate) fn open_holds(side: &mut Side) -> Result<usize, Stop> {
    let mut open = 0;
    for collection in side.collections() {
        open += usize::from(side.device().hold(&collection).map_err(|error| Stop::Bug(error.to_string()))?.is_some());
    }
    Ok(open)
}
