//! Names from the other side.

use std::collections::BTreeSet;

use crate::vdir_sync::folder::{file_name_for, folded, safe_collection, shown};

fn named(wanted: Option<&str>, record: &str, taken: &[&str]) -> String {
    let taken: BTreeSet<_> = taken.iter().map(|name| folded(name)).collect();
    file_name_for(wanted, record, "vcf", &|name| taken.contains(name))
}

#[test]
fn a_plain_free_name_is_taken_over() {
    for wanted in ["ada.vcf", "Ada Lovelace.VCF", "ünï.vcf", "a..b.vcf", "-.vcf", "~.vcf", "c:.vcf"] {
        assert_eq!(named(Some(wanted), "uid", &["ben.vcf"]), wanted);
    }
    let longest = format!("{}.vcf", "x".repeat(196));
    assert_eq!(named(Some(&longest), "uid", &[]), longest);
}

#[test]
fn any_other_name_is_made_from_the_record() {
    let made = named(None, "urn:uuid:1/../2", &[]);
    assert!(made.starts_with("urn_uuid_1____2-") && made.ends_with(".vcf"), "{made}");
    let long = format!("{}.vcf", "x".repeat(197));
    for wanted in [
        "../ada.vcf",
        "/etc/ada.vcf",
        "a/b.vcf",
        "a\\b.vcf",
        "..\\ada.vcf",
        ".",
        "..",
        "",
        ".vcf",
        ".ada.vcf",
        "ada",
        "ada.ics",
        "ada.vcf.exe",
        "a\nb.vcf",
        "a\0.vcf",
        "a\u{7f}.vcf",
        "a\u{202e}.vcf",
        "ben.vcf",
        "BEN.vcf",
        "Ben.VCF",
        &long,
        ".holdfast-tmp-1",
    ] {
        assert_eq!(named(Some(wanted), "urn:uuid:1/../2", &["Ben.vcf"]), made, "{wanted:?}");
    }
}

#[test]
fn made_names_are_safe_and_differ() {
    let long = "y".repeat(10_000);
    let records = ["", ".", "..", "/", "a", "A", "a/b", "a\\b", "a b", "é", "\u{202e}", "\0", "con", &long];
    let names: BTreeSet<_> = records.iter().map(|record| folded(&named(None, record, &[]))).collect();
    assert_eq!(names.len(), records.len());
    for name in &names {
        assert!(name.len() <= 64 && !name.starts_with('.'), "{name}");
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)), "{name}");
    }
    let first = named(None, "a", &[]);
    let second = named(None, "a", &[&first.to_uppercase()]);
    assert_ne!(first, second);
    file_name_for(None, "a", "vcf", &|_| true);
}

#[test]
fn a_collection_is_one_step_down() {
    for name in ["people", "Ada's", "ünï", "a b", "c:", "..a", "-"].iter().filter(|name| !name.starts_with('.')) {
        assert_eq!(safe_collection(name), Ok(*name));
    }
    let long = "x".repeat(256);
    for name in ["", ".", "..", "/", "a/b", "/abs", "../up", "a\\b", ".holdfast", "a\nb", "a\0b", "a\u{202e}b", &long] {
        assert!(safe_collection(name).is_err(), "{name:?}");
    }
}

#[test]
fn names_are_shown_on_one_line() {
    assert_eq!(shown("a\nb\u{1b}[2J\u{202e}ünï"), "a\\nb\\u{1b}[2J\\u{202e}ünï");
}
