//! The table of limits in `docs/limits.md`: made from the library's numbers, and checked against what the engine does.

#![allow(clippy::expect_used, clippy::panic, clippy::arithmetic_side_effects, reason = "a test may stop")]

use std::{fs, path::PathBuf};

use holdfast::act::memory::MemoryStore;
use holdfast::compose::{device::Device, server::Server};
use holdfast::decide::{
    consent::Trust,
    guard::{Guard, Inputs},
    ledger::RoundId,
    limits::{Limits, Threshold},
    line::Revision,
    write::Write,
};
use holdfast::values::{
    id::{CollectionId, FieldName, RecordId, ReplicaId},
    register::Cause,
    time::Timestamp,
};

const BEGIN: &str = "<!-- table of limits: begin -->\n";
const END: &str = "<!-- table of limits: end -->\n";

/// Which end of the list the deletes come from, in the order in which the records were first seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Newest,
    Oldest,
}

/// How many of the first `size` of `n` records are among `k` taken from one end.
fn within(size: u64, n: u64, k: u64, from: From) -> u64 {
    match from {
        From::Newest => k.saturating_sub(n - size),
        From::Oldest => k.min(size),
    }
}

/// The first 8, 16, 32 .. of `n` records, and all of them.
fn scopes(n: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(8), |size| Some(size * 2)).take_while(move |size| *size < n).chain([n])
}

/// The most that one round lets go without asking, of `n` records deleted from one end on.
fn one_round(limits: &Limits, n: u64, from: From) -> u64 {
    let passes = |k: &u64| {
        let taken = |size| within(size, n, *k, from);
        scopes(n).all(|size| {
            let floor = limits.floor_of(size).unwrap_or(size);
            taken(size) <= limits.round.of(size) && taken(size) <= floor
        }) && is_above_zero(limits.zero_collection_from.0, n, *k)
    };
    (0..=n).take_while(passes).last().unwrap_or(0)
}

/// The most that any number of rounds lets go without asking, one record a round, the newest first.
fn all_rounds(limits: &Limits, n: u64, zero_from: u64) -> u64 {
    let passes = |k: &u64| {
        let is_on_floor =
            scopes(n).all(|size| limits.floor_of(size).is_none_or(|floor| within(size, n, *k, From::Newest) <= floor));
        is_on_floor && is_above_zero(zero_from, n, *k)
    };
    (0..=n).take_while(passes).last().unwrap_or(0)
}

const fn is_above_zero(from: u64, n: u64, k: u64) -> bool {
    n < from || k < n
}

fn row(limits: &Limits, n: u64) -> String {
    let alike = |threshold: Threshold| if threshold.of(n) >= n { "all".into() } else { threshold.of(n).to_string() };
    let cells = [
        n.to_string(),
        one_round(limits, n, From::Newest).to_string(),
        one_round(limits, n, From::Oldest).to_string(),
        limits.floor_of(n).map_or("none".into(), |floor| floor.to_string()),
        all_rounds(limits, n, limits.zero_collection_from.0).to_string(),
        all_rounds(limits, n, limits.zero_account_from.0).to_string(),
        limits.unauthored_round.of(n).to_string(),
        limits.unauthored_open.of(n).to_string(),
        alike(limits.emptied),
        alike(limits.overwritten),
        alike(limits.overwritten_small),
    ];
    format!("| {} |\n", cells.join(" | "))
}

fn table(limits: &Limits) -> String {
    let heads = [
        "records",
        "one round, newest",
        "one round, oldest",
        "floor",
        "all rounds, a list on a server",
        "all rounds, an account on a device",
        "no author, one round",
        "no author, until answered",
        "same family emptied",
        "overwritten",
        "overwritten, small records",
    ];
    let mut table = format!("| {} |\n|{}\n", heads.join(" | "), "---:|".repeat(heads.len()));
    (1..=20).chain([50, 100, 200, 1000]).for_each(|n| table.push_str(&row(limits, n)));
    table.push_str(&format!(
        "\nA list that had {} records or more, and an account that had {} or more, never reaches none by sync. A person \
         who deletes {} or more at once, or a whole list, is asked on the spot.\n",
        limits.zero_collection_from.0, limits.zero_account_from.0, limits.bulk_delete.0
    ));
    table
}

#[test]
fn the_page_of_limits_has_the_librarys_own_numbers() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/limits.md");
    let page = fs::read_to_string(&path).expect("docs/limits.md");
    let (before, rest) = page.split_once(BEGIN).expect("the line where the table begins");
    let (found, after) = rest.split_once(END).expect("the line where the table ends");
    let expected = table(&Limits::STANDARD);
    if std::env::var_os("HOLDFAST_BLESS").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{expected}{END}{after}")).expect("a writable page");
    } else {
        assert_eq!(found, expected, "docs/limits.md is not up to date: run this test with HOLDFAST_BLESS=1");
    }
}

/// Two devices and a server that all hold the same list.
struct Trio {
    people: CollectionId,
    deleting: Device<MemoryStore>,
    server: Server<MemoryStore>,
    receiving: Device<MemoryStore>,
    rounds: u128,
}

impl Trio {
    fn with(n: u64) -> Self {
        let id = |bits| ReplicaId::from_entropy(bits).expect("an id");
        let device = |bits| Device::new(MemoryStore::device(), id(bits), Guard::default());
        let mut trio = Self {
            people: CollectionId::new("people").expect("a name"),
            deleting: device(1),
            server: Server::new(MemoryStore::server(), id(2), Guard::default()),
            receiving: device(3),
            rounds: 0,
        };
        for index in 0..n {
            let fields = vec![(FieldName::new("name").expect("a name"), "Ada".into())];
            let create = Write::create_fields(trio.people.clone(), record(index), fields, Cause::User);
            trio.deleting.write(&create, Timestamp::from_micros(1)).expect("a new record");
        }
        trio.sync();
        trio
    }

    /// One round of all: what the server and the receiving device show then.
    fn sync(&mut self) -> (u64, u64) {
        self.rounds += 1;
        let inputs = Inputs::new(RoundId(self.rounds), Trust::Account);
        let pushed = self.deleting.pending(&self.people, usize::MAX).expect("a store in memory");
        let (_, known) = self.server.take_in(pushed, &inputs).expect("a store in memory");
        self.deleting.acknowledged(&known).expect("a store in memory");
        let taken = self.receiving.taken(&self.people, self.server.replica()).expect("a store in memory");
        let shown = self.server.since(&self.people, taken, usize::MAX).expect("a store in memory");
        self.receiving.take_in(shown, &inputs).expect("a store in memory");
        let all = self.server.since(&self.people, Revision(0), usize::MAX).expect("a store in memory");
        let on_server = all.offers.iter().filter(|offer| offer.version.is_alive()).count();
        let here = self.receiving.records(&self.people, None, usize::MAX).expect("a store in memory").len();
        (number(on_server), number(here))
    }

    fn delete(&mut self, index: u64, cause: Cause) {
        let delete = Write::delete(self.people.clone(), record(index), cause);
        self.deleting.write(&delete, Timestamp::from_micros(2)).expect("a living record");
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).expect("a number of records")
}

fn record(index: u64) -> RecordId {
    RecordId::new(format!("r{index:04}")).expect("a name")
}

#[test]
fn one_round_takes_what_the_table_says_and_of_one_more_nothing() {
    for n in 1..=20 {
        for from in [From::Newest, From::Oldest] {
            let most = one_round(&Limits::STANDARD, n, from);
            for k in 1..=n {
                let mut trio = Trio::with(n);
                (0..k).for_each(|at| trio.delete(if from == From::Newest { n - 1 - at } else { at }, Cause::User));
                let left = if k <= most { n - k } else { n };
                assert_eq!(trio.sync(), (left, left), "{k} of {n} deleted, {from:?} first");
            }
        }
    }
}

#[test]
fn any_number_of_rounds_takes_what_the_table_says() {
    let limits = &Limits::STANDARD;
    for n in 1..=20 {
        let mut trio = Trio::with(n);
        let mut left = (n, n);
        for at in (0..n).rev() {
            trio.delete(at, Cause::User);
            left = trio.sync();
        }
        let on_server = n - all_rounds(limits, n, limits.zero_collection_from.0);
        let on_device = n - all_rounds(limits, n, limits.zero_account_from.0);
        assert_eq!(left, (on_server, on_device), "{n} records, one a round, the newest first");
    }
}

#[test]
fn large_lists_take_what_the_table_says() {
    for n in [50, 100, 200, 1000] {
        for from in [From::Newest, From::Oldest] {
            let most = one_round(&Limits::STANDARD, n, from);
            for (k, left) in [(most, n - most), (most + 1, n)] {
                let mut trio = Trio::with(n);
                (0..k).for_each(|at| trio.delete(if from == From::Newest { n - 1 - at } else { at }, Cause::User));
                assert_eq!(trio.sync(), (left, left), "{k} of {n} deleted, {from:?} first");
            }
        }
    }
}

#[test]
fn removals_with_no_author_take_what_the_table_says() {
    let limits = &Limits::STANDARD;
    for n in (1..=20).chain([100]) {
        let most = limits.unauthored_round.of(n);
        for (k, left) in [(most, n - most), (most + 1, n)].into_iter().filter(|(k, _)| *k <= n) {
            let mut trio = Trio::with(n);
            (n - k..n).for_each(|at| trio.delete(at, Cause::Listing));
            assert_eq!(trio.sync(), (left, left), "{k} of {n} missing from a listing, the newest");
        }
        let most = limits.unauthored_open.of(n);
        let mut trio = Trio::with(n);
        let mut left = (n, n);
        for at in (n.saturating_sub(most + 2)..n).rev() {
            trio.delete(at, Cause::Listing);
            left = trio.sync();
        }
        let most = most.min(n);
        assert_eq!(left, (n - most, n - most), "{n} records, missing from listings one a round");
    }
}
