//! The incident library: every file under `tests/scenarios` is run, and every line of it is checked.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test may stop"
)]

mod scenario;

use std::{collections::BTreeSet, fs, path::Path};

use scenario::{Failure, Scenario, run};

/// A small incident that ends as it says; the tests below spoil it.
const GOOD: &str = "\
A title

A story. Shows S2, L1.

before
  replicas phone tablet server
  phone creates p001..p020 name=*
  phone syncs
  tablet syncs

changes
  tablet deletes p020
  tablet syncs
  expect server lets go of p020
  phone creates p001 name=again
  expect error expected no record 'p001', found one
  phone syncs

verdict
  phone lets go of p020
  phone spent 1 of 20

after
  phone shows p001..p019
  converged
";

fn all() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let entries = fs::read_dir(folder).expect("the folder of scenarios");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut files: Vec<(String, String)> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "txt"))
        .map(|path| {
            let name = path.file_name().expect("a file's name").to_string_lossy().into_owned();
            (format!("tests/scenarios/{name}"), fs::read_to_string(&path).expect("a readable file"))
        })
        .collect();
    files.sort();
    files
}

fn failures_of(name: &str, text: &str) -> Vec<Failure> {
    run(&Scenario::parse(name, text))
}

/// What is said of the good incident with one part of it exchanged.
fn spoiled(good: &str, bad: &str) -> Vec<Failure> {
    assert_eq!(GOOD.matches(good).count(), 1, "'{good}' stands once in the good incident");
    failures_of("spoiled.txt", &GOOD.replace(good, bad))
}

/// The only failure, as file and line, what was expected and what was found.
fn only(failures: &[Failure]) -> (&str, &str, &str) {
    let [failure] = failures else { panic!("{} failures", failures.len()) };
    (&failure.at, &failure.expected, &failure.found)
}

#[test]
fn every_incident_ends_as_its_file_says() {
    let files = all();
    assert!(files.len() >= 65, "expected 65 incidents or more, found {}", files.len());
    let failures = files.iter().flat_map(|(name, text)| failures_of(name, text));
    let failures: Vec<String> = failures.map(|failure| failure.to_string()).collect();
    assert!(failures.is_empty(), "{} lines are not met:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_incidents_show_every_promise_that_needs_no_wire_and_no_disk() {
    let shown: BTreeSet<String> =
        all().iter().flat_map(|(name, text)| Scenario::parse(name, text).promises()).collect();
    let needed = ["S1", "S2", "S3", "S4", "S5", "S10", "S11", "S12", "S14", "S17", "S18", "S19", "S20"];
    let needed = needed.into_iter().chain(["L1", "L2", "L3", "L4", "L5", "L6"]);
    let missing: Vec<&str> = needed.filter(|promise| !shown.contains(*promise)).collect();
    assert!(missing.is_empty(), "no incident shows {missing:?}");
}

#[test]
fn a_good_incident_has_no_failure() {
    assert_eq!(failures_of("good.txt", GOOD).len(), 0);
}

#[test]
fn a_wrong_expectation_is_named_with_file_line_and_what_was_found() {
    let wrong = spoiled("phone lets go of p020", "phone lets go of p019");
    assert_eq!(only(&wrong), ("spoiled.txt:20", "phone lets go of p019", "p020"));
    let wrong = spoiled("phone shows p001..p019", "phone shows p001..p020");
    assert_eq!(only(&wrong), ("spoiled.txt:24", "phone shows p001..p020", "p001..p019"));
    let wrong = spoiled("  tablet syncs\n\nchanges", "\nchanges");
    assert!(wrong.iter().any(|failure| failure.to_string().contains("spoiled.txt:11")), "the tablet has no p020");
}

#[test]
fn a_line_that_is_not_understood_is_a_failure_in_every_section() {
    for (good, bad) in [
        ("  phone creates p001..p020 name=*", "  phone creates p001..p020 name=*\n  phone dances"),
        ("  tablet deletes p020", "  tablet deletes p020\n  walrus syncs"),
        ("  tablet deletes p020", "  tablet deletes p020\n  expect phone dances"),
        ("  phone spent 1 of 20", "  phone spent 1 of 20\n  phone dances"),
        ("  phone shows p001..p019", "  phone shows p001..p019\n  phone dances"),
        ("  phone shows p001..p019", "  phone shows p001..p019\n  phone syncs"),
        ("\nverdict", "\nlimits\n  people: no limit\n\nverdict"),
        ("\nverdict", "\nconclusion\n\nverdict"),
        ("  converged", "  converged\n\nbefore\n  phone syncs"),
    ] {
        assert_ne!(spoiled(good, bad).len(), 0, "{bad}");
    }
}

#[test]
fn an_empty_section_or_a_story_without_promises_is_a_failure() {
    for (good, bad) in [
        ("  phone lets go of p020\n  phone spent 1 of 20\n", ""),
        ("  phone shows p001..p019\n  converged\n", ""),
        ("after\n  phone shows p001..p019\n  converged\n", ""),
        (" Shows S2, L1.", ""),
        ("Shows S2, L1.", "Shows S2, L9."),
        ("A title\n", ""),
    ] {
        assert_ne!(spoiled(good, bad).len(), 0, "{good}");
    }
}

#[test]
fn an_error_must_be_expected_and_must_happen() {
    let silent = spoiled("  expect error expected no record 'p001', found one\n", "");
    assert_eq!(only(&silent).0, "spoiled.txt:15");
    let other = spoiled("expected no record 'p001', found one", "out of paper");
    assert_eq!(only(&other).0, "spoiled.txt:16");
    let none = spoiled("  phone creates p001 name=again\n", "");
    assert_eq!(only(&none), ("spoiled.txt:15", "expect error expected no record 'p001', found one", "no error"));
}

/// The expectation with its last number raised, or with a record where it says that there is none.
fn altered(expectation: &str) -> Option<String> {
    if let Some(none) = expectation.strip_suffix(" nothing") {
        let is_of_records = !none.ends_with("asks") && !none.ends_with("broke") && !none.ends_with("writes");
        return is_of_records.then(|| format!("{none} walrus"));
    }
    let end = expectation.rfind(|c: char| c.is_ascii_digit())? + 1;
    let (before, after) = expectation.split_at(end);
    let start = before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (before, digits) = before.split_at(start);
    let raised = digits.parse::<u64>().ok()? + 1;
    Some(format!("{before}{raised:0width$}{after}", width = digits.len()))
}

#[test]
fn an_expectation_altered_in_any_of_many_incidents_is_found_out() {
    let is_small =
        |name: &str| ["edit-", "bulk-", "undo-", "ledger-", "trust-", "loss-"].iter().any(|kind| name.contains(kind));
    let mut count = 0;
    for (name, text) in all().into_iter().filter(|(name, _)| is_small(name)) {
        let lines: Vec<&str> = text.lines().collect();
        let verdict = lines.iter().position(|line| *line == "verdict").expect("a verdict");
        for (at, line) in lines.iter().enumerate().skip(4) {
            let is_expectation = (at > verdict && line.starts_with("  ")) || line.starts_with("  expect ");
            let Some(bad) = altered(line).filter(|_| is_expectation && !line.contains("expect error")) else {
                continue;
            };
            let spoiled: Vec<&str> = lines.iter().enumerate().map(|(n, l)| if n == at { &bad } else { *l }).collect();
            let failures = failures_of(&name, &spoiled.join("\n"));
            let place = format!("{name}:{}", at + 1);
            assert!(failures.iter().any(|failure| failure.at == place), "{place} says '{bad}' and passes");
            count += 1;
        }
    }
    assert!(count >= 100, "{count} expectations altered");
}
