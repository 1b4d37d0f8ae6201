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

use std::{fs, path::Path};

use scenario::{Failure, Scenario, run};

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

#[test]
fn every_incident_ends_as_its_file_says() {
    let only = std::env::var("HOLDFAST_SCENARIO").unwrap_or_default();
    let files = all().into_iter().filter(|(name, _)| name.contains(&only));
    let failures: Vec<String> =
        files.flat_map(|(name, text)| failures_of(&name, &text)).map(|failure| failure.to_string()).collect();
    assert!(failures.is_empty(), "{} lines are not met:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_library_has_at_least_sixty_five_incidents() {
    assert!(all().len() >= 65, "{} files", all().len());
}
