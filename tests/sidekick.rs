//! The example `sidekick`: its promises hold, for many households; and its checks find what they are there to find.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may stop"
)]

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Command, Output},
    sync::LazyLock,
};

use serde_json::Value;
use sidekick::{
    args::{self, Args},
    check::{Promise, Truth, differences, harm_of_a_sync, tally, unnamed},
    drills,
    house::Named,
    json,
    people::Chance,
    records::{Contents, Key, Kind},
    table::Promises,
};

#[path = "support/example.rs"]
mod example;
/// The example's modules, as neighbours, as in the example.
#[path = "../examples/sidekick"]
mod sidekick {
    #![allow(dead_code, reason = "the example decides what it needs")]

    pub(crate) mod args;
    pub(crate) mod check;
    pub(crate) mod drills;
    pub(crate) mod house;
    pub(crate) mod json;
    pub(crate) mod kept;
    pub(crate) mod mirror;
    pub(crate) mod people;
    pub(crate) mod records;
    pub(crate) mod run;
    pub(crate) mod story;
    pub(crate) mod table;
}

fn household(seed: u64, phones: usize, records: usize) {
    let args = Args { records, phones, seed, is_json: false };
    let outcomes = drills::all(&args).expect("a drill");
    assert_eq!(outcomes.iter().map(|outcome| outcome.letter).collect::<String>(), "ABC");
    for outcome in &outcomes {
        let found = &outcome.holdfast;
        assert!(found.is_empty(), "{args:?} {}: {} wrong, first {}", outcome.letter, found.len(), found[0]);
        assert!(outcome.questions.is_empty(), "{args:?} {}: {:?}", outcome.letter, outcome.questions);
        assert_eq!(outcome.holders.len(), phones + 2);
        for holder in &outcome.holders {
            assert_eq!(holder.holdfast, outcome.should, "{args:?} {} {}", outcome.letter, holder.holder);
        }
        let loss = match outcome.letter {
            'A' => "the server lost everything",
            'B' => "this is another server",
            _ => "the server was set back and has gone on another way",
        };
        assert!(outcome.named.iter().any(|said| said.contains(loss)), "{args:?} {}", outcome.letter);
        assert!(outcome.rebuilt.len() >= 4 && outcome.rebuilt.iter().any(|said| said.contains("Ada has brought")));
        // A mirror that passes would mean that nothing was put to the test.
        let broken = tally(&outcome.mirror);
        assert!(broken[1] > 0 && broken[2..].iter().sum::<usize>() > 0, "{args:?} {}", outcome.letter);
    }
}

fn households(records: usize) {
    for phones in 2..=6 {
        (0..5).for_each(|seed| household(seed, phones, records));
    }
}

#[test]
fn households_with_one_contact() {
    households(1);
}

#[test]
fn households_with_eight_contacts() {
    households(8);
}

#[test]
fn households_with_hundreds_of_contacts() {
    for (seed, phones, records) in [(2009, 2, 300), (1, 3, 120), (2, 4, 300), (3, 5, 120), (4, 6, 300)] {
        household(seed, phones, records);
    }
}

#[test]
fn a_plain_mirror_loses_what_the_drill_says() {
    let outcomes = drills::all(&Args { records: 40, ..Args::default() }).unwrap();
    let [a, b, c] = [0, 1, 2].map(|drill| tally(&outcomes[drill].mirror));
    let [removed, _, missing, edits, deletes] = [0, 1, 2, 3, 4];
    assert!(a[removed] > 0 && a[missing] > 0, "{a:?}");
    assert!(b[removed] > 0 && b[missing] > 0, "{b:?}");
    assert!(c[removed] > 0 && c[missing] > 0 && c[edits] > 0 && c[deletes] > 0, "{c:?}");
}

/// A household of 20 records that people wrote, and one that they deleted.
fn written() -> (Truth, Key, Contents) {
    let (mut truth, mut chance) = (Truth::default(), Chance::new(7));
    for n in 0..20 {
        let kind = Kind::ALL[n % 4];
        let key = Key { kind, id: format!("r{n:02}") };
        truth.create(&key, &chance.item(kind));
    }
    let gone = Key { kind: Kind::ToDos, id: "gone".into() };
    truth.create(&gone, &chance.item(Kind::ToDos));
    let before = truth.records.clone();
    truth.delete(&gone);
    (truth, gone, before)
}

#[test]
fn the_checks_find_a_holder_that_lost_a_record() {
    let (truth, _, _) = written();
    assert_eq!(differences("Ada's phone", &truth, &truth.records), []);
    let mut shown = truth.records.clone();
    shown.pop_first();
    let found = differences("Ada's phone", &truth, &shown);
    assert_eq!(tally(&found), [0, 0, 1, 0, 0]);
    assert!(found[0].to_string().contains("r00") && found[0].to_string().contains("Ada's phone"), "{}", found[0]);
    assert_eq!(tally(&harm_of_a_sync("Ada's phone", &truth, &truth.records, &shown)), [1, 0, 0, 0, 0]);
    // It was not there before: the sync did not take it.
    assert_eq!(harm_of_a_sync("Ada's phone", &truth, &shown, &shown), []);
}

#[test]
fn the_checks_find_an_edit_that_was_overwritten() {
    let (mut truth, _, _) = written();
    let old = truth.records.clone();
    let key = old.keys().next().unwrap().clone();
    for edit in [Chance::new(1).edit(key.kind, 1), Chance::new(1).scribble(2)] {
        let before = truth.records.clone();
        truth.edit(&key, &edit);
        assert_eq!(tally(&differences("Ada's phone", &truth, &before)), [0, 0, 0, 1, 0]);
    }
    assert_eq!(tally(&harm_of_a_sync("Ada's phone", &truth, &truth.records, &old)), [0, 0, 0, 1, 0]);
    assert_eq!(harm_of_a_sync("Ada's phone", &truth, &old, &truth.records), []);
}

#[test]
fn the_checks_find_a_deleted_record_that_came_back() {
    let (truth, gone, before) = written();
    assert_eq!(tally(&differences("the server", &truth, &before)), [0, 0, 0, 0, 1]);
    assert_eq!(tally(&harm_of_a_sync("Ada's phone", &truth, &truth.records, &before)), [0, 0, 0, 0, 1]);
    // Who has not heard of the delete yet still has it, and who hears loses it: both are right.
    assert_eq!(harm_of_a_sync("Ada's phone", &truth, &before, &before), []);
    assert_eq!(harm_of_a_sync("Ada's phone", &truth, &before, &truth.records), []);
    // What nobody ever wrote is not let pass either.
    let mut shown = truth.records.clone();
    shown.insert(Key { id: "nobody's".into(), ..gone.clone() }, before[&gone].clone());
    assert_eq!(tally(&differences("the server", &truth, &shown)), [0, 0, 0, 0, 1]);
}

#[test]
fn the_checks_find_a_loss_that_was_not_named() {
    let (truth, gone, _) = written();
    let (before, nothing) = (&truth.records, Contents::new());
    assert_eq!(tally(&unnamed("Ada's phone", (before, &nothing), &BTreeMap::new())), [0, 4, 0, 0, 0]);
    let named = |evidence: &str| Named { loss: "lost".into(), evidence: evidence.into() };
    let three = Kind::ALL[..3].iter().map(|kind| (*kind, named("known: 4, found: nothing"))).collect();
    let found = unnamed("Ada's phone", (before, &nothing), &three);
    assert_eq!(found.iter().map(|wrong| &*wrong.what).collect::<Vec<_>>(), ["photo notes"]);
    let without_evidence = Kind::ALL.map(|kind| (kind, named(""))).into();
    assert_eq!(tally(&unnamed("Ada's phone", (before, &nothing), &without_evidence)), [0, 4, 0, 0, 0]);
    // Where nothing was lost, nothing has to be named.
    assert_eq!(unnamed("Ada's phone", (before, before), &BTreeMap::new()), []);
    let mut one_less = before.clone();
    one_less.retain(|key, _| key.kind != gone.kind || key.id != "r02");
    assert_eq!(unnamed("Ada's phone", (before, &one_less), &BTreeMap::new()).len(), 1);
}

#[test]
fn one_wrong_is_told_and_is_no_success() {
    let (truth, _, before) = written();
    let mut outcomes = drills::all(&Args { records: 1, ..Args::default() }).unwrap();
    assert_eq!(Promises(&outcomes).broken(), 0);
    assert!(Promises(&outcomes).to_string().ends_with("Every promise held."));
    outcomes[1].holdfast = differences("the server", &truth, &before);
    let told = Promises(&outcomes).to_string();
    assert_eq!(Promises(&outcomes).broken(), 1);
    assert!(told.contains("NO") && told.contains("gone") && told.ends_with("BROKEN: 1 times."), "{told}");
    let document = json::document(&Args::default(), &outcomes);
    assert_eq!(document["all_held"], false);
    assert_eq!(document["promises"][4]["held"], false);
    assert_eq!(document["drills"][1]["broken"]["holdfast"]["deletes_stay"], 1);
}

#[test]
fn arguments_are_read_or_refused_in_words() {
    let parse = |line: &str| args::parse(line.split_whitespace().map(Into::into));
    assert_eq!(parse("").unwrap(), Some(Args::default()));
    let all = Args { records: 8, phones: 6, seed: 1, is_json: true };
    assert_eq!(parse("--records 8 --phones=6 --seed 1 --json").unwrap(), Some(all));
    assert_eq!(parse("--help").unwrap(), None);
    for (line, word) in [
        ("--records 0", "--records from 1 to 20000, found 0"),
        ("--records 20001", "found 20001"),
        ("--phones 1", "--phones from 2 to 6, found 1"),
        ("--phones 7", "found 7"),
        ("--phones two", "expected a number for --phones, found 'two'"),
        ("--seed -1", "-1"),
        ("--seed", "--seed"),
        ("--faster", "--faster"),
        ("12", "12"),
    ] {
        let error = parse(line).expect_err(line);
        assert!(error.contains(word), "{line}: {error}");
    }
}

static BINARY: LazyLock<PathBuf> = LazyLock::new(|| example::built("sidekick"));

fn sidekick(line: &str) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(&*BINARY).args(line.split_whitespace()).output().expect("it runs");
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn the_command_tells_the_story_and_the_same_one_again() {
    let first = sidekick("--records 8 --phones 3 --seed 5");
    let (code, story, errors) = &first;
    assert_eq!((*code, &**errors), (Some(0), ""), "{story}");
    for part in ["\nA. ", "\nB. ", "\nC. ", "plain mirror", "known: commit", "Every promise held.\n"] {
        assert!(story.contains(part), "{part}: {story}");
    }
    for promise in Promise::ALL {
        assert!(story.contains(&promise.to_string()), "{promise}: {story}");
    }
    assert_eq!(sidekick("--records 8 --phones 3 --seed 5"), first);
    assert_ne!(sidekick("--records 8 --phones 3 --seed 6").1, *story);
}

#[test]
fn the_readme_shows_what_the_drill_prints() {
    let readme = include_str!("../README.md");
    let (_, after) = readme.split_once("```sh\ncargo run --example sidekick\n```\n").expect("the command");
    let (_, block) = after.split_once("```text\n").expect("its output");
    let (block, _) = block.split_once("```").expect("the end of the output");
    let (code, story, _) = sidekick("");
    assert_eq!(code, Some(0), "{story}");
    let mut rest = &*story;
    // `..` stands for what is left out, of a line or of the whole.
    for line in block.lines().filter(|line| *line != "..") {
        let shown = line.strip_suffix("..").map_or_else(|| format!("{line}\n"), str::to_owned);
        let (_, after) = rest.split_once(&shown).unwrap_or_else(|| panic!("not in order: {line}\n{story}"));
        rest = after;
    }
}

#[test]
fn the_json_is_one_document_with_the_same_facts() {
    let (code, text, errors) = sidekick("--records 8 --phones 2 --json");
    assert_eq!((code, &*errors), (Some(0), ""));
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["all_held"], true);
    assert_eq!((&document["records"], &document["phones"], &document["seed"]), (&8.into(), &2.into(), &2009.into()));
    let drills = document["drills"].as_array().unwrap();
    assert_eq!(drills.len(), 3);
    for drill in drills {
        let holders = drill["holders"].as_array().unwrap();
        assert_eq!(holders.len(), 4);
        assert!(holders.iter().all(|holder| holder["holdfast"] == drill["should"]), "{drill}");
        assert!(holders.iter().any(|holder| holder["mirror"] != drill["should"]), "{drill}");
        assert!(drill["named"].as_array().unwrap().iter().all(|said| said.as_str().unwrap().contains("rebuild it")));
        assert_eq!(drill["questions"], Value::Array(vec![]));
        assert_eq!(
            drill["broken"]["holdfast"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum::<u64>(),
            0
        );
    }
    let promises = document["promises"].as_array().unwrap();
    assert_eq!(promises.len(), 5);
    assert!(promises.iter().all(|promise| promise["held"] == true));
}

#[test]
fn the_command_refuses_what_it_can_not_do() {
    for line in ["--phones 1", "--records 0", "--faster", "--seed"] {
        let (code, story, errors) = sidekick(line);
        assert_eq!((code, &*story), (Some(2), ""), "{line}");
        assert!(errors.contains("usage: sidekick"), "{errors}");
    }
    let (code, help, errors) = sidekick("--help");
    assert_eq!((code, &*errors), (Some(0), ""));
    assert!(help.contains("usage: sidekick"), "{help}");
}
