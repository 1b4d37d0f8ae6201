//! The example `vdir_sync` as a process: every file under `tests/vdir` is run, and every line of it is checked.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    unreachable_pub,
    unnameable_types,
    reason = "a test may stop"
)]

mod vdir_case;

use std::{fs, path::Path, sync::LazyLock};

use vdir_case::{Case, Failure, Outcome, altered, run};

/// A small case that ends as it says; the tests below spoil it.
const GOOD: &str = "\
A title

A story.

steps
  people 3
  in step
  B changes NOTE of p002
  sync B
  expect exit 0
  expect held nothing
  server loses 3
  sync A
  expect exit 3
  expect 1 holds
  expect held A 3 of 3 in people
  expect A whole
  keep on A
  expect exit 0
  expect written to server 3 added 0 changed 0 removed
  expect equal
  expect server whole
";

static ALL: LazyLock<Outcome> = LazyLock::new(|| run(&all()));

/// Every file, or those that have VDIR_CASE in their names.
fn all() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vdir");
    let wanted = std::env::var("VDIR_CASE").unwrap_or_default();
    let entries = fs::read_dir(folder).expect("the folder of cases");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "txt"));
    paths.sort();
    let read = |path: &Path| {
        let name = path.file_name().expect("a file's name").to_string_lossy().into_owned();
        (name.contains(&wanted))
            .then(|| Case::parse(&format!("tests/vdir/{name}"), &fs::read_to_string(path).expect("a readable file")))
    };
    paths.iter().filter_map(|path| read(path)).collect()
}

fn shown(failures: &[Failure]) -> String {
    failures.iter().map(|failure| format!("{failure}\n")).collect()
}

fn failures_of(text: &str) -> Vec<Failure> {
    run(&[Case::parse("good.txt", text)]).failures
}

#[test]
fn every_case_ends_as_its_file_says() {
    let failures = &ALL.failures;
    assert!(failures.is_empty(), "{} lines are not met:\n{}", failures.len(), shown(failures));
}

#[test]
fn every_expectation_is_found_out_when_it_is_altered() {
    assert!(ALL.blind.is_empty(), "these look at nothing:\n{}", shown(&ALL.blind));
    let least = if std::env::var_os("VDIR_CASE").is_some() { 1 } else { 500 };
    assert!(ALL.altered >= least, "{} expectations altered in {} instances", ALL.altered, ALL.instances);
}

#[test]
fn a_good_case_has_no_failure_and_fails_at_each_altered_line() {
    assert_eq!(shown(&failures_of(GOOD)), "");
    let lines: Vec<&str> = GOOD.lines().collect();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.contains("expect ")) {
        let bad = altered(line).expect("it can be altered");
        let spoiled: Vec<&str> = lines.iter().enumerate().map(|(n, l)| if n == at { &bad } else { *l }).collect();
        let failures = failures_of(&spoiled.join("\n"));
        let place = format!("good.txt:{:03}", at + 1);
        assert_eq!(failures.iter().map(|failure| &failure.at).collect::<Vec<_>>(), [&place], "{bad}");
    }
}

#[test]
fn a_line_that_is_not_understood_is_a_failure() {
    for (good, bad) in [
        ("  people 3", "  people three"),
        ("  in step", "  in step with nobody"),
        ("  server loses 3\n", "  server dances\n"),
        ("  server loses 3\n", "  walrus loses 3\n"),
        ("  server loses 3\n", "  server loses 3 in tasks\n"),
        ("  server loses 3\n", "  faulty loses 3\n"),
        ("  keep on A", "  keep tasks on A"),
        ("  expect equal", "  expect dancing"),
        ("steps\n", ""),
        ("A title\n", ""),
    ] {
        assert_eq!(GOOD.matches(good).count(), 1, "'{good}' stands once in the good case");
        assert_ne!(failures_of(&GOOD.replace(good, bad)).len(), 0, "{bad}");
    }
}
