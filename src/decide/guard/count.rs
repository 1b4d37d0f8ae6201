//! Counting losses in every scope, and checking the limits.

use alloc::{collections::BTreeMap, string::String, vec::Vec};

use super::Decision;
use crate::decide::{
    breach::{Breach, Rule, Scope},
    draft::{After, By, Entry, Origin, Proposal, Quarantined},
    harm::Harm,
    ledger::{FirstSeen, Ledger, Losses, RoundId, ScopeTally, Tally},
    limits::Limits,
    row::Row,
    slice::{Account, Slice},
};
use crate::values::register::Cause;

/// One record from which a draft takes something.
#[derive(Debug)]
pub(super) struct Counted<'a> {
    pub(super) index: usize,
    harm: &'a Harm,
    row: &'a Row,
}

impl<'a> Counted<'a> {
    /// What an entry takes by sync, or by a listing. People's own writes and their answers are not counted.
    pub(super) fn of(index: usize, entry: &'a Entry) -> Option<Self> {
        let Proposal::Change { pass, .. } = &entry.proposal else { return None };
        let is_counted = match pass.by {
            By::Peer | By::Listed | By::Bulk(Cause::Listing) => true,
            By::Own(_)
            | By::Bulk(_)
            | By::Answer
            | By::Acknowledged
            | By::Unacknowledged
            | By::TakenOver
            | By::Settled
            | By::Retention => false,
        };
        let row = entry.before.as_ref()?;
        (is_counted && !pass.harm.is_none()).then_some(Self { index, harm: &pass.harm, row })
    }

    const fn is_loss(&self) -> bool {
        self.harm.loss.is_some()
    }

    const fn is_unauthored(&self) -> bool {
        self.is_loss() && self.harm.is_unauthored
    }

    const fn place(&self) -> FirstSeen {
        self.row.first_seen
    }
}

/// The place of a record about which an entry begins to ask, and from which it takes nothing.
pub(super) fn asked(entry: &Entry, decision: &Decision) -> Option<FirstSeen> {
    let Proposal::Change { pass, excused, .. } = &entry.proposal else { return None };
    let excused = excused.as_ref().filter(|_| *decision == Decision::Excused);
    let change = excused.map_or(pass, |(_, change)| change);
    let asks = change.by == By::Peer && matches!(change.after, After::New(Quarantined::Version { .. }));
    let row = entry.before.as_ref().filter(|row| !row.is_spent() && row.is_in_base())?;
    (asks && change.harm.loss.is_none()).then_some(row.first_seen)
}

type Hold<'h> = &'h mut dyn FnMut(Breach, Vec<usize>);

/// What this round has taken before this draft, in the collection and in the account.
#[derive(Debug)]
pub(super) struct Tallied {
    pub(super) collection: Tally,
    pub(super) account: Option<Tally>,
    ledgers: (Ledger, Ledger),
    /// What this replica lists and what it receives are two steps of a round, and each has the limits of one.
    by_listing: bool,
}

impl Tallied {
    pub(super) fn new(slice: &Slice, origin: &Origin, round: RoundId) -> Self {
        let ledger = slice.ledger.clone().unwrap_or_default();
        let of_account = |account: &Account| account.ledger.clone().unwrap_or_default();
        let account_ledger = slice.account.as_ref().map(of_account).unwrap_or_default();
        let account = slice.account.as_ref().map(|account| (account, &account_ledger));
        Self {
            collection: Tally::of_round(round, slice.head.tally.as_ref(), &ledger),
            account: account.map(|(account, ledger)| Tally::of_round(round, account.head.tally.as_ref(), ledger)),
            ledgers: (ledger, account_ledger),
            by_listing: matches!(origin, Origin::Listing),
        }
    }

    /// What comes as a question, and is one here as well, is spent in this round already: else a part of it that comes as
    /// nothing but a loss would pass beside it.
    pub(super) fn asking(mut self, asked: impl Iterator<Item = FirstSeen>) -> Self {
        for place in asked {
            let (ledger, account) = &mut self.ledgers;
            for ledger in [ledger, account] {
                ledger.spent = ledger.spent.saturating_add(1);
                let is_in: Vec<bool> = (0..ledger.prefixes.len()).map(|index| ledger.in_prefix(index, place)).collect();
                for (prefix, _) in ledger.prefixes.iter_mut().zip(is_in).filter(|(_, is_in)| *is_in) {
                    prefix.spent = prefix.spent.saturating_add(1);
                }
            }
        }
        self
    }

    /// Checks every limit in every scope and holds what breaks one.
    pub(super) fn check(
        &self,
        slice: &Slice,
        limits: &Limits,
        account_limits: &Limits,
        counted: &[Counted<'_>],
        hold: Hold<'_>,
    ) {
        let losses: Vec<&Counted<'_>> = counted.iter().filter(|c| c.is_loss()).collect();
        let is_account_lost =
            slice.account.as_ref().is_some_and(|account| account.ledger.is_none() || account.head.is_ledger_lost);
        if (slice.ledger.is_none() || slice.head.is_ledger_lost || is_account_lost) && !losses.is_empty() {
            let found = count(&losses);
            let scope = if is_account_lost { Scope::Account } else { Scope::Collection };
            hold(Breach { rule: Rule::LedgerMissing, scope, found, allowed: 0, of: found }, indices(&losses));
        }
        let (ledger, account_ledger) = &self.ledgers;
        let all: Vec<&Counted<'_>> = counted.iter().collect();
        let (base, taken) = (self.collection.base, self.collection.losses(self.by_listing));
        let zero_from = limits.zero_collection_from.0;
        Whole { ledger, base, taken, scope: Scope::Collection, zero_from, limits }.check(&all, hold);
        check_prefixes(limits, ledger, taken, Scope::CollectionPrefix, &all, hold);
        if let Some(tally) = &self.account {
            let (ledger, limits, base, taken) =
                (account_ledger, account_limits, tally.base, tally.losses(self.by_listing));
            let zero_from = limits.zero_account_from.0;
            Whole { ledger, base, taken, scope: Scope::Account, zero_from, limits }.check(&all, hold);
            check_prefixes(limits, ledger, taken, Scope::AccountPrefix, &all, hold);
        }
    }

    /// Adds what passed to the round.
    pub(super) fn add<'c, 'e: 'c>(&mut self, passed: impl Iterator<Item = &'c Counted<'e>>) {
        let passed: Vec<&Counted<'_>> = passed.collect();
        add_to(self.collection.losses_mut(self.by_listing), &self.ledgers.0, &passed);
        if let Some(account) = &mut self.account {
            add_to(account.losses_mut(self.by_listing), &self.ledgers.1, &passed);
        }
    }
}

fn add_to(tally: &mut Losses, ledger: &Ledger, passed: &[&Counted<'_>]) {
    tally.unauthored = tally.unauthored.saturating_add(count_if(passed, |c| c.is_unauthored()));
    tally.prefixes.resize(ledger.prefixes.len().max(tally.prefixes.len()), ScopeTally::default());
    for counted in passed {
        add_one(&mut tally.whole, counted);
        for (index, scope) in tally.prefixes.iter_mut().enumerate() {
            if ledger.in_prefix(index, counted.place()) {
                add_one(scope, counted);
            }
        }
    }
}

fn add_one(scope: &mut ScopeTally, counted: &Counted<'_>) {
    let one = u64::from;
    scope.losses = scope.losses.saturating_add(one(counted.is_loss()));
    scope.overwritten = scope.overwritten.saturating_add(one(counted.harm.is_overwrite));
    let small = counted.harm.is_overwrite && counted.harm.is_small;
    scope.overwritten_small = scope.overwritten_small.saturating_add(one(small));
    for family in &counted.harm.emptied {
        let emptied = scope.emptied.entry(family.clone()).or_default();
        *emptied = emptied.saturating_add(1);
    }
}

/// The rules of a whole collection or account.
struct Whole<'a> {
    ledger: &'a Ledger,
    base: u64,
    taken: &'a Losses,
    scope: Scope,
    zero_from: u64,
    limits: &'a Limits,
}

impl Whole<'_> {
    fn check(&self, members: &[&Counted<'_>], hold: Hold<'_>) {
        let Self { ledger, base: of, taken: tally, scope, zero_from, limits } = *self;
        // The tighter limit first: the reason that people are shown is the first one.
        let unauthored = only(members, |c| c.is_unauthored());
        let round = tally.unauthored.saturating_add(count(&unauthored));
        over(Rule::UnauthoredRound, scope, (round, limits.unauthored_round.of(of), of), &unauthored, hold);
        let fresh = count_if(&unauthored, |c| !c.row.is_spent_unauthored());
        let open = ledger.unauthored.saturating_add(fresh);
        over(Rule::UnauthoredOpen, scope, (open, limits.unauthored_open.of(of), of), &unauthored, hold);
        check_alike(limits, scope, of, &tally.whole, members, hold);
        check_taken(limits, scope, of, (&tally.whole, ledger.spent), members, hold);
        let losses = only(members, |c| c.is_loss());
        let gone = newly_spent(ledger.spent, &losses);
        if of >= zero_from && gone >= of.min(ledger.base) && !losses.is_empty() {
            let breach = Breach { rule: Rule::Zero, scope, found: gone, allowed: of.saturating_sub(1), of };
            hold(breach, indices(&losses));
        }
    }
}

fn check_prefixes(
    limits: &Limits,
    ledger: &Ledger,
    tally: &Losses,
    scope: fn(u64) -> Scope,
    all: &[&Counted<'_>],
    hold: Hold<'_>,
) {
    let none = ScopeTally::default();
    for (index, prefix) in ledger.prefixes.iter().enumerate() {
        let members = only(all, |c| ledger.in_prefix(index, c.place()));
        if members.is_empty() {
            continue;
        }
        let before = tally.prefixes.get(index).unwrap_or(&none);
        let scope = scope(prefix.size);
        check_alike(limits, scope, prefix.size, before, &members, hold);
        check_taken(limits, scope, prefix.size, (before, prefix.spent), &members, hold);
    }
}

/// The round limit and the floor.
fn check_taken(
    limits: &Limits,
    scope: Scope,
    of: u64,
    (before, spent): (&ScopeTally, u64),
    members: &[&Counted<'_>],
    hold: Hold<'_>,
) {
    let losses = only(members, |c| c.is_loss());
    let round = before.losses.saturating_add(count(&losses));
    over(Rule::Round, scope, (round, limits.round.of(of), of), &losses, hold);
    if let Some(allowed) = limits.floor_of(of) {
        over(Rule::Floor, scope, (newly_spent(spent, &losses), allowed, of), &losses, hold);
    }
}

/// The mass changes.
fn check_alike(limits: &Limits, scope: Scope, of: u64, before: &ScopeTally, members: &[&Counted<'_>], hold: Hold<'_>) {
    let overwritten = only(members, |c| c.harm.is_overwrite);
    let found = before.overwritten.saturating_add(count(&overwritten));
    over(Rule::Overwritten, scope, (found, limits.overwritten.of(of), of), &overwritten, hold);
    let small = only(&overwritten, |c| c.harm.is_small);
    let found = before.overwritten_small.saturating_add(count(&small));
    over(Rule::OverwrittenSmall, scope, (found, limits.overwritten_small.of(of), of), &small, hold);
    let mut families: BTreeMap<&String, Vec<&Counted<'_>>> = BTreeMap::new();
    for counted in members {
        for family in &counted.harm.emptied {
            families.entry(family).or_default().push(counted);
        }
    }
    for (family, emptied) in families {
        let found = before.emptied.get(family).copied().unwrap_or(0).saturating_add(count(&emptied));
        over(Rule::Emptied(family.clone()), scope, (found, limits.emptied.of(of), of), &emptied, hold);
    }
}

/// Holds `members` if more are found than allowed.
fn over(rule: Rule, scope: Scope, (found, allowed, of): (u64, u64, u64), members: &[&Counted<'_>], hold: Hold<'_>) {
    if found > allowed && !members.is_empty() {
        hold(Breach { rule, scope, found, allowed, of }, indices(members));
    }
}

/// What is spent, and what these losses add to it; a record is spent once.
fn newly_spent(spent: u64, losses: &[&Counted<'_>]) -> u64 {
    spent.saturating_add(count_if(losses, |c| !c.row.is_spent()))
}

fn only<'c, 'e>(members: &[&'c Counted<'e>], test: impl Fn(&Counted<'e>) -> bool) -> Vec<&'c Counted<'e>> {
    members.iter().copied().filter(|counted| test(counted)).collect()
}

fn count_if<'e>(members: &[&Counted<'e>], test: impl Fn(&Counted<'e>) -> bool) -> u64 {
    count(&only(members, test))
}

fn count(members: &[&Counted<'_>]) -> u64 {
    u64::try_from(members.len()).unwrap_or(u64::MAX)
}

fn indices(members: &[&Counted<'_>]) -> Vec<usize> {
    members.iter().map(|counted| counted.index).collect()
}
