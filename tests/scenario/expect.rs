//! Expectations of what the guard said: `server holds p001..p030`, `phone hold 30 of 200 by Round`.
//!
//! What was reported counts since `changes` began, in a `verdict`, and since the line above, in an `expect`.

use std::collections::BTreeSet;

use holdfast::act::receipt::{Effect, Receipt};
use holdfast::decide::{
    breach::{Breach, Why},
    line::{LineKind, LineStatus},
    row::Standing,
    slice::ReadSet,
};
use holdfast::{act::store::Store, values::id::CollectionId};

use super::{
    Checked,
    names::{self, Name},
    states::same,
    world::{Log, Noted, World},
};

/// Checks one line about what was said.
pub fn verdict(world: &World, text: &str, is_verdict: bool) -> Checked {
    let log = if is_verdict { &world.section } else { &world.step };
    let words: Vec<&str> = text.split_whitespace().collect();
    let (peer, words) = words.split_first().ok_or("no expectation")?;
    let named = |word: &&str| if **word == *"nothing" { Ok(Vec::new()) } else { names::records(word) };
    match words {
        ["holds", records] => {
            same(lines(world, peer, |kind| matches!(kind, LineKind::Loss | LineKind::MassChange))?, &named(records)?)
        }
        ["waits", "beside", records] => same(lines(world, peer, |kind| kind == LineKind::Beside)?, &named(records)?),
        ["proposes", records] => same(lines(world, peer, |kind| kind == LineKind::Proposal)?, &named(records)?),
        ["asks", "nothing"] => same(lines(world, peer, |_| true)?, &[]),
        ["hold", open, "of", of, "by", rules @ ..] => hold(world, peer, (open, of), rules, names::PEOPLE),
        ["hold", "in", at, open, "of", of, "by", rules @ ..] => hold(world, peer, (open, of), rules, at),
        ["earlier", records] => {
            let people = names::collection(names::PEOPLE)?;
            let earlier = world.replica(peer)?.hold(&people).ok_or("no open hold")?.earlier;
            same(earlier.into_iter().map(|record| (people.clone(), record)).collect(), &named(records)?)
        }
        ["broke", "nothing"] => broke(log, peer, None),
        ["broke", expected @ ..] => broke(log, peer, Some(&expected.join(" "))),
        ["lets", "go", "of", records] => {
            let hidden = |receipt: &Receipt| changes(receipt, Effect::Hidden);
            same(
                reported(log, peer, |noted| if noted.is_own { Vec::new() } else { hidden(&noted.receipt) }),
                &named(records)?,
            )
        }
        ["brings", "back", records] => {
            same(reported(log, peer, |noted| changes(&noted.receipt, Effect::Added)), &named(records)?)
        }
        ["strikes", records] => {
            same(reported(log, peer, |noted| closed(&noted.receipt, LineStatus::Struck)), &named(records)?)
        }
        ["lapsed", records] => same(
            reported(log, peer, |noted| tagged(&noted.receipt, noted.receipt.lapsed.iter().map(|(record, _)| record))),
            &named(records)?,
        ),
        ["refuses", records] => same(reported(log, peer, |noted| refusals(&noted.receipt)), &named(records)?),
        ["refuses", records, "because", why @ ..] => {
            same(reported(log, peer, |noted| refusals(&noted.receipt)), &named(records)?)?;
            because(log, peer, &why.join(" "))
        }
        ["writes", "nothing"] => writes_nothing(world, log, peer),
        ["spent", spent, "of", base] => spent_of(world, peer, (spent, base), names::PEOPLE),
        ["spent", "in", at, spent, "of", base] => spent_of(world, peer, (spent, base), at),
        ["hides", "unanswered", records] => {
            let replica = world.replica(peer)?;
            let rows = world.collections.iter().flat_map(|of| {
                let rows = replica.slice(of).rows.into_values();
                rows.filter(|row| row.standing == Standing::Hidden).map(move |row| (of.clone(), row.record))
            });
            same(rows.collect(), &named(records)?)
        }
        _ => Err("no such expectation".into()),
    }
}

fn lines(world: &World, peer: &str, is_kind: impl Fn(LineKind) -> bool) -> Result<BTreeSet<Name>, String> {
    let replica = world.replica(peer)?;
    let holds = world.collections.iter().filter_map(|of| replica.hold(of));
    let open = holds.flat_map(|hold| {
        let of = hold.collection.clone();
        let lines: Vec<_> = hold.open().filter(|line| is_kind(line.kind)).map(|line| line.record.clone()).collect();
        lines.into_iter().map(move |record| (of.clone(), record))
    });
    Ok(open.collect())
}

fn hold(world: &World, peer: &str, (open, of): (&str, &str), rules: &[&str], at: &str) -> Checked {
    let hold = world.replica(peer)?.hold(&names::collection(at)?).ok_or("no open hold")?;
    let found: BTreeSet<String> = hold.open().map(|line| rule(&line.why)).collect();
    let found =
        format!("hold {} of {} by {}", hold.open().count(), hold.of, found.into_iter().collect::<Vec<_>>().join(" "));
    if found == format!("hold {open} of {of} by {}", rules.join(" ")) { Ok(()) } else { Err(found) }
}

fn of_peer<'a>(log: &'a Log, peer: &'a str) -> impl Iterator<Item = &'a Noted> {
    log.notes.iter().filter(move |noted| noted.peer == peer)
}

fn reported(log: &Log, peer: &str, what: impl Fn(&Noted) -> Vec<Name>) -> BTreeSet<Name> {
    of_peer(log, peer).flat_map(what).collect()
}

fn tagged<'a>(receipt: &Receipt, records: impl Iterator<Item = &'a holdfast::values::id::RecordId>) -> Vec<Name> {
    records.map(|record| (receipt.collection.clone(), record.clone())).collect()
}

fn changes(receipt: &Receipt, effect: Effect) -> Vec<Name> {
    tagged(receipt, receipt.changes.iter().filter(|change| change.effect == effect).map(|change| &change.record))
}

fn closed(receipt: &Receipt, as_what: LineStatus) -> Vec<Name> {
    tagged(receipt, receipt.closed.iter().filter(|(_, status)| *status == as_what).map(|(record, _)| record))
}

fn refusals(receipt: &Receipt) -> Vec<Name> {
    tagged(receipt, receipt.refused.iter().map(|(record, _)| record))
}

fn because(log: &Log, peer: &str, why: &str) -> Checked {
    let mut reasons =
        of_peer(log, peer).flat_map(|noted| &noted.receipt.refused).map(|(_, refusal)| refusal.to_string());
    reasons.find(|reason| !reason.contains(why)).map_or(Ok(()), Err)
}

/// `Round in Collection: 30, at most 20 of 200`
fn broke(log: &Log, peer: &str, expected: Option<&str>) -> Checked {
    let said = |breach: &Breach| {
        let Breach { rule, scope, found, allowed, of } = breach;
        format!("{rule:?} in {scope:?}: {found}, at most {allowed} of {of}")
    };
    let found: BTreeSet<String> = of_peer(log, peer).flat_map(|noted| &noted.receipt.breaches).map(said).collect();
    let is_met = expected.map_or(found.is_empty(), |expected| found.contains(expected));
    if is_met { Ok(()) } else { Err(format!("broke {}", found.into_iter().collect::<Vec<_>>().join("; "))) }
}

fn writes_nothing(world: &World, log: &Log, peer: &str) -> Checked {
    world.replica(peer)?;
    let now = world.revisions();
    let mine = |((name, _), _): &(&(String, CollectionId), &u64)| name == peer;
    let wrote = now.iter().filter(mine).find(|(key, revision)| log.revisions.get(*key) != Some(*revision));
    match wrote {
        None => Ok(()),
        Some(((_, of), revision)) => {
            Err(format!("{of} went from {:?} to {revision}", log.revisions.get(&(peer.into(), of.clone()))))
        }
    }
}

fn spent_of(world: &World, peer: &str, (spent, base): (&str, &str), at: &str) -> Checked {
    let slice = world.replica(peer)?.store().read(&ReadSet::head(names::collection(at)?)).expect("a store in memory");
    let found = slice.ledger.map_or("no ledger".into(), |ledger| format!("spent {} of {}", ledger.spent, ledger.base));
    if found == format!("spent {spent} of {base}") { Ok(()) } else { Err(found) }
}

/// The rule that asked, as the files name it.
fn rule(why: &Why) -> String {
    match why {
        Why::Limit(breach) => format!("{:?}", breach.rule),
        other => format!("{other:?}"),
    }
}
