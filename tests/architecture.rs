//! The architecture, enforced from the source: who may name whom, what is absent, how long files and functions are.
//!
//! Each rule is a function from sources to findings. Below the rules, each is run on the crate and must find nothing,
//! and is fed a violation and must find it.

#![allow(clippy::expect_used, clippy::panic, clippy::arithmetic_side_effects, reason = "a test may stop")]

use std::{collections::BTreeSet, fmt, path::Path};

use source::Tree;

#[path = "architecture/source.rs"]
mod source;

/// The layers, lowest first. A module may name only modules of layers before its own, and in its own layer only those
/// that the layer's file (`src/values.rs` for `values`) declares before it. Deeper modules count as their parent.
const LAYERS: [&str; 6] = ["values", "decide", "act", "talk", "compose", "testing"];

/// Home (a layer, or a module of one), and the modules that it can not name, wherever they come to live.
const CAN_NOT_NAME: [(&str, &[&str]); 3] =
    [("values", &["plan", "store"]), ("decide", &["plan", "store"]), ("session", &["guard", "plan", "store"])];

/// Words that would bring in a clock, a source of chance, a thread or the standard library.
const ABSENT_WORDS: [&str; 13] = [
    "std",
    "SystemTime",
    "Instant",
    "thread",
    "getrandom",
    "rand",
    "new_v1",
    "new_v4",
    "new_v6",
    "new_v7",
    "now_v1",
    "now_v6",
    "now_v7",
];
const ABSENT_CALLS: [(&str, &str); 2] = [("Utc", "now"), ("Local", "now")];
const ABSENT_MACROS: [&str; 5] = ["print", "println", "eprint", "eprintln", "dbg"];

/// In lines, docs and comments included; test files do not count.
const MAX_FILE_LINES: usize = 500;
/// In lines, from the signature to the closing brace.
const MAX_FUNCTION_LINES: usize = 70;

/// Everything that the library is built from, with the features it may ask for.
const DEPENDENCIES: [(&str, &[&str]); 6] = [
    ("blake3", &["pure"]),
    ("chrono", &["alloc", "serde"]),
    ("minicbor", &["alloc", "derive"]),
    ("serde", &["alloc", "derive", "rc"]),
    ("thiserror", &[]),
    ("uuid", &["serde", "v3", "v5", "v8"]),
];

/// A broken rule, and where.
#[derive(Debug)]
struct Finding {
    path: String,
    line: usize,
    rule: &'static str,
    what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.rule, self.what)
    }
}

// The rules.

/// The order of imports is total. `lib.rs` is exempt: it exports.
fn imports(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| !file.module.is_empty()) {
        let mut report = |line, what| findings.push(finding(&file.path, line, "order of imports", what));
        if let Some(what) = misplaced(tree, &file.module) {
            report(1, what);
            continue;
        }
        for (to, line) in &file.names {
            if let Some(what) = forbidden(tree, &file.module, to) {
                report(*line, what);
            }
        }
    }
    findings
}

/// Why a file has no place in the order, if it has none.
fn misplaced(tree: &Tree, module: &[String]) -> Option<String> {
    let layer = module.first()?;
    if !LAYERS.contains(&layer.as_str()) {
        return Some(format!("`{layer}` is no layer; the layers are {}", LAYERS.join(" < ")));
    }
    let child = module.get(1)?;
    let undeclared = !children(tree, layer).contains(child);
    undeclared.then(|| format!("src/{layer}.rs does not declare `{child}`, so it has no place in the order"))
}

/// Why a module may not name a path, if it may not.
fn forbidden(tree: &Tree, home: &[String], to: &[String]) -> Option<String> {
    let from = home.iter().take(2).map(String::as_str).collect::<Vec<_>>().join("::");
    let Some(layer) = to.first().filter(|layer| LAYERS.contains(&layer.as_str())) else {
        let path = [&["crate".into()], to].concat().join("::");
        return Some(format!("`{from}` names `{path}`, which is in no layer; name a thing in the module it lives in"));
    };
    let own_layer = home.first() == Some(layer);
    if layer == "testing" && !own_layer {
        return Some(format!("`{from}` names `testing`, and nothing may"));
    }
    if own_layer && (home.len() == 1 || home.get(1) == to.get(1)) {
        return None;
    }
    let siblings = children(tree, layer);
    let place = to.get(1).and_then(|child| siblings.iter().position(|sibling| sibling == child));
    if place.is_none() && !siblings.is_empty() {
        return Some(format!("`{from}` names the layer `{layer}` as a whole; name the module that the thing lives in"));
    }
    let target = to.iter().take(2).map(String::as_str).collect::<Vec<_>>().join("::");
    for (name, banned) in CAN_NOT_NAME {
        if home.iter().take(2).any(|part| part == name) && to.get(1).is_some_and(|to| banned.contains(&to.as_str())) {
            return Some(format!("`{from}` can not name `{target}`: `{name}` names none of {}", banned.join(", ")));
        }
    }
    let rank = |layer: &String| LAYERS.iter().position(|name| name == layer);
    let own_place = home.get(1).and_then(|child| siblings.iter().position(|sibling| sibling == child));
    let above = if own_layer { place < own_place } else { rank(layer) < home.first().and_then(rank) };
    (!above).then(|| format!("`{from}` names `{target}`, which is not above it"))
}

fn children<'tree>(tree: &'tree Tree, layer: &str) -> &'tree [String] {
    tree.file(&[layer]).map_or(&[], |file| &file.children)
}

/// The crate is `no_std`, and names no clock, no chance, no thread, no terminal.
fn absences(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let mut report = |line, what| findings.push(finding(&file.path, line, "absences", what));
        if file.module.is_empty() && !file.no_std {
            report(1, "`#![no_std]` is missing".into());
        }
        for (word, line) in file.words.iter().filter(|(word, _)| ABSENT_WORDS.contains(&word.as_str())) {
            report(*line, format!("names `{word}`; the host brings time, chance and threads in as arguments"));
        }
        for ((one, line), (two, _)) in file.words.iter().zip(file.words.iter().skip(1)) {
            if ABSENT_CALLS.contains(&(one, two)) {
                report(*line, format!("calls `{one}::{two}`; time comes in as an argument"));
            }
        }
        for (name, line) in file.macros.iter().filter(|(name, _)| ABSENT_MACROS.contains(&name.as_str())) {
            report(*line, format!("calls `{name}!`; what people should see is returned as a value"));
        }
    }
    findings
}

/// Files and functions stay small.
fn budgets(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let mut report = |line, what| findings.push(finding(&file.path, line, "budgets", what));
        if file.lines > MAX_FILE_LINES {
            report(MAX_FILE_LINES + 1, format!("{} lines in a file, at most {MAX_FILE_LINES}", file.lines));
        }
        for function in file.functions.iter().filter(|function| function.lines > MAX_FUNCTION_LINES) {
            let (name, lines) = (&function.name, function.lines);
            report(function.line, format!("{lines} lines in `{name}`, at most {MAX_FUNCTION_LINES}"));
        }
    }
    findings
}

/// The library is built from a short list, without the features that offer a clock, chance or the standard library.
fn manifest(text: &str) -> Vec<Finding> {
    let table: toml::Table = text.parse().expect("Cargo.toml parses");
    let mut findings = Vec::new();
    let mut report = |key: &str, what| findings.push(finding("Cargo.toml", line_of(text, key), "manifest", what));

    let dependencies = table.get("dependencies").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    let found: BTreeSet<&str> = dependencies.keys().map(String::as_str).collect();
    let listed: BTreeSet<&str> = DEPENDENCIES.iter().map(|(name, _)| *name).collect();
    for name in found.symmetric_difference(&listed) {
        report(name, format!("`{name}` is either a dependency or in the list of this rule, and should be both"));
    }
    if table.get("package").is_some_and(|package| package.get("build").is_some()) {
        report("build", "`build` names a script, and a script can switch defences off".into());
    }
    for key in ["target", "build-dependencies"].into_iter().filter(|key| table.contains_key(*key)) {
        report(key, format!("`{key}` brings in dependencies that this rule does not see"));
    }
    for (name, allowed) in DEPENDENCIES {
        let Some(dependency) = dependencies.get(name) else { continue };
        if dependency.get("default-features").and_then(toml::Value::as_bool) != Some(false) {
            report(name, format!("`{name}` must have `default-features = false`"));
        }
        let features = dependency.get("features").and_then(toml::Value::as_array).cloned().unwrap_or_default();
        for feature in features.iter().filter_map(toml::Value::as_str).filter(|feature| !allowed.contains(feature)) {
            report(name, format!("`{name}` is asked for `{feature}`; it may be asked for {allowed:?} only"));
        }
    }

    let features = table.get("features").and_then(toml::Value::as_table).cloned().unwrap_or_default();
    if features.get("default").and_then(toml::Value::as_array).is_none_or(|default| !default.is_empty()) {
        report("default", "`default = []` must stand, and stay empty".into());
    }
    for (feature, enables) in &features {
        for enabled in enables.as_array().into_iter().flatten().filter_map(toml::Value::as_str) {
            let (name, of) = enabled.split_once('/').unwrap_or((enabled, ""));
            let allowed = DEPENDENCIES.iter().find(|(known, _)| *known == name.trim_end_matches('?'));
            if allowed.is_some_and(|(_, allowed)| !allowed.contains(&of)) {
                report(feature, format!("the feature `{feature}` must not enable `{enabled}`"));
            }
        }
    }
    findings
}

fn line_of(text: &str, key: &str) -> usize {
    let names_key = |line: &str| line.trim_start_matches('[').starts_with(key);
    text.lines().position(names_key).map_or(1, |at| at + 1)
}

fn finding(path: &str, line: usize, rule: &'static str, what: String) -> Finding {
    Finding { path: path.into(), line, rule, what }
}

// The rules, run on the crate.

fn this_crate() -> Tree {
    Tree::read(Path::new(env!("CARGO_MANIFEST_DIR")))
}

#[track_caller]
fn green(findings: &[Finding]) {
    let list: Vec<_> = findings.iter().map(Finding::to_string).collect();
    assert!(list.is_empty(), "\n{}\n", list.join("\n"));
}

#[test]
fn the_crate_keeps_the_order_of_imports() {
    green(&imports(&this_crate()));
}

#[test]
fn the_crate_keeps_its_absences() {
    green(&absences(&this_crate()));
}

#[test]
fn the_crate_keeps_its_budgets() {
    green(&budgets(&this_crate()));
}

#[test]
fn the_manifest_keeps_the_list() {
    green(&manifest(include_str!("../Cargo.toml")));
}

/// Only who sets RUSTFLAGS can switch a defence off: no build script, no configuration of cargo, no feature.
#[test]
fn nothing_but_flags_of_the_compiler_switches_a_defence_off() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for absent in ["build.rs", ".cargo"] {
        assert!(!root.join(absent).exists(), "{absent} can set `--cfg holdfast_ablations`");
    }
    for file in ["src/values/ablation.rs", "src/testing.rs"] {
        let text = std::fs::read_to_string(root.join(file)).expect(file);
        for line in text.lines().filter(|line| line.starts_with("#[cfg") && line.contains("ablations")) {
            let is_plain = ["#[cfg(holdfast_ablations)]", "#[cfg(not(holdfast_ablations))]"].contains(&line);
            assert!(is_plain, "{file}: the cfg stands alone, found {line}");
        }
    }
}

#[test]
fn the_rules_saw_the_crate() {
    let tree = this_crate();
    for module in ["id", "record", "register", "value", "version_vector"] {
        let file = tree.file(&["values", module]).unwrap_or_else(|| panic!("values::{module} was not read"));
        assert!(!file.words.is_empty(), "{} was read as empty", file.path);
        assert!(children(&tree, "values").iter().any(|child| child == module), "values::{module} has no place");
    }
    let record = tree.file(&["values", "record"]).expect("values::record");
    let names_register = |(to, _): &(Vec<String>, usize)| to.starts_with(&["values".into(), "register".into()]);
    assert!(record.names.iter().any(names_register), "`super::` was not resolved in {}", record.path);
    assert!(tree.files.iter().any(|file| !file.functions.is_empty()), "no function was measured");
}

// The rules, seen red.

/// A small crate, in order. A test adds to it or replaces in it.
const ORDERLY: [(&str, &str); 12] = [
    ("src/lib.rs", "#![no_std] extern crate alloc; pub mod values; pub use values::id::Id; pub use act::plan::Plan;"),
    ("src/values.rs", "pub mod id; pub mod record;"),
    ("src/values/id.rs", "#[serde(rename = \"holdfast::Id\")] pub struct Id;"),
    ("src/values/record.rs", "mod field; use super::id::Id; use self::field::Field; pub struct Record(Id, Field);"),
    ("src/values/record/field.rs", "use super::Record; use crate::values::id; pub struct Field;"),
    ("src/decide.rs", "pub mod draft; pub mod guard;"),
    ("src/decide/draft.rs", "use crate::values::{id::Id, record::*};"),
    ("src/decide/guard.rs", "use super::draft; #[cfg(test)] mod tests { use super::*; use crate::act::plan::Plan; }"),
    ("src/act.rs", "pub mod plan; pub mod store;"),
    ("src/act/plan.rs", "pub(crate) use crate::decide::guard::Approved; #[cfg(test)] mod props;"),
    ("src/act/plan/props.rs", "use std::time::Instant; use crate::testing::World;"),
    ("src/act/store.rs", "/// Links to [`crate::testing::World`] are no imports.\npub trait Store {}"),
];

fn orderly_but(path: &'static str, text: &'static str) -> Tree {
    let mut files: Vec<_> = ORDERLY.into_iter().filter(|(other, _)| *other != path).collect();
    files.push((path, text));
    Tree::parse(&files)
}

/// The rule finds exactly one thing, there, and says so.
#[track_caller]
fn red(findings: &[Finding], place: &str, what: &str) {
    let [finding] = findings else { panic!("expected one finding, found {findings:?}") };
    let said = finding.to_string();
    assert!(said.starts_with(place) && said.contains(what), "expected {place} .. {what}, found {said}");
}

#[test]
fn an_orderly_crate_is_green() {
    let tree = Tree::parse(&ORDERLY);
    green(&imports(&tree));
    green(&absences(&tree));
    green(&budgets(&tree));
}

#[test]
fn naming_what_is_not_above_is_red() {
    for (path, text, what) in [
        ("src/values/id.rs", "use crate::decide::draft::Draft;", "`values::id` names `decide::draft`"),
        ("src/values/id.rs", "use super::record::Record;", "`values::id` names `values::record`"),
        ("src/values/id.rs", "fn f(_: super::record::Record) {}", "`values::id` names `values::record`"),
        ("src/values/id.rs", "fn f() { g!(1, $crate::values::record::h()) }", "`values::id` names `values::record`"),
        ("src/values/id.rs", "#[serde(with = \"crate::values::record\")] struct S;", "names `values::record`"),
        ("src/values/id.rs", "mod inner { use super::super::record; }", "`values::id` names `values::record`"),
        ("src/values/id.rs", "use { core::fmt, super::{record as r} };", "`values::id` names `values::record`"),
        ("src/values/record/field.rs", "use crate::decide::draft;", "`values::record` names `decide::draft`"),
        ("src/decide/draft.rs", "use super::guard::Approved;", "`decide::draft` names `decide::guard`"),
        ("src/act/plan.rs", "#[cfg(test)] mod props; use crate::act::store::Store;", "`act::plan` names `act::store`"),
        ("src/decide.rs", "pub mod draft; pub mod guard; use crate::act::receipt;", "names the layer `act`"),
    ] {
        red(&imports(&orderly_but(path, text)), &format!("{path}:1: order of imports"), what);
    }
}

#[test]
fn going_round_the_modules_is_red() {
    for (path, text, what) in [
        ("src/values/record.rs", "use super::*;", "the layer `values` as a whole"),
        ("src/decide/draft.rs", "use crate::values;", "the layer `values` as a whole"),
        ("src/decide/draft.rs", "use crate::values::Id;", "the layer `values` as a whole"),
        ("src/decide/draft.rs", "use crate::Plan;", "`crate::Plan`, which is in no layer"),
        ("src/decide/draft.rs", "use crate as whole;", "`crate`, which is in no layer"),
        ("src/values/lost.rs", "", "src/values.rs does not declare `lost`"),
        ("src/helpers.rs", "", "`helpers` is no layer"),
    ] {
        red(&imports(&orderly_but(path, text)), &format!("{path}:1: order of imports"), what);
    }
}

#[test]
fn deciding_can_not_name_doing() {
    for text in ["use crate::act::plan::Plan;", "fn f() -> crate::act::store::Slice {}"] {
        red(&imports(&orderly_but("src/decide/guard.rs", text)), "src/decide/guard.rs:1", "`decide` names none of");
    }
}

#[test]
fn a_session_can_not_name_guard_plan_or_store() {
    for module in ["decide::guard::Guard", "act::plan::Plan", "act::store::Store"] {
        let text = format!("\nuse crate::{module};");
        let mut files = ORDERLY.to_vec();
        files.extend([("src/talk.rs", "pub mod session;"), ("src/talk/session.rs", text.as_str())]);
        red(&imports(&Tree::parse(&files)), "src/talk/session.rs:2", "`session` names none of guard, plan, store");
    }
}

#[test]
fn naming_testing_is_red() {
    red(&imports(&orderly_but("src/act/store.rs", "use crate::testing::World;")), "src/act/store.rs:1", "`testing`");
}

#[test]
fn what_should_be_absent_is_red() {
    for (text, what) in [
        ("use std::vec::Vec;", "`std`"),
        ("extern crate std;", "`std`"),
        ("fn f() { ::std::process::abort() }", "`std`"),
        ("fn f() { chrono::Utc::now(); }", "`Utc::now`"),
        ("fn f() { uuid::Uuid::new_v4(); }", "`new_v4`"),
        ("fn f() { uuid::Uuid::now_v7(); }", "`now_v7`"),
        ("fn f() { vec![Uuid::now_v7()]; }", "`now_v7`"),
        ("fn f(_: Instant) {}", "`Instant`"),
        ("fn f(_: web_time::SystemTime) {}", "`SystemTime`"),
        ("use some::thread;", "`thread`"),
        ("fn f() { println!(); }", "`println!`"),
        ("fn f() { g!(dbg!(1)); }", "`dbg!`"),
        ("use getrandom::fill;", "`getrandom`"),
        ("use rand::Rng;", "`rand`"),
    ] {
        red(&absences(&orderly_but("src/act/store.rs", text)), "src/act/store.rs:1: absences", what);
    }
    red(&absences(&orderly_but("src/lib.rs", "pub mod values;")), "src/lib.rs:1", "`#![no_std]` is missing");
    red(&absences(&orderly_but("src/lib.rs", "#![cfg_attr(x, no_std)]")), "src/lib.rs:1", "`#![no_std]` is missing");
}

#[test]
fn being_long_is_red() {
    let body = |lines: usize| format!("/// Doc.\nimpl X {{\nfn long() {{{}}}\n}}", "\n".repeat(lines - 1));
    let parse = |text: &str| Tree::parse(&[("src/act/plan.rs", text)]);
    green(&budgets(&parse(&body(MAX_FUNCTION_LINES))));
    red(&budgets(&parse(&body(MAX_FUNCTION_LINES + 1))), "src/act/plan.rs:3: budgets", "71 lines in `long`");
    green(&budgets(&parse(&"\n".repeat(MAX_FILE_LINES))));
    red(&budgets(&parse(&"\n".repeat(MAX_FILE_LINES + 1))), "src/act/plan.rs:501: budgets", "501 lines in a file");
}

#[test]
fn a_looser_manifest_is_red() {
    let text = include_str!("../Cargo.toml");
    for (from, to, what) in [
        ("features = [\"alloc\"] }\nminicbor", "features = [\"clock\"] }\nminicbor", "`chrono` is asked for `clock`"),
        ("chrono = { version = \"0.4\", default-features = false,", "chrono = { version = \"0.4\",", "`chrono` must"),
        ("uuid = { version = \"1\", default-features = false,", "uuid = { version = \"1\",", "`uuid` must have"),
        ("features = [\"serde\"] }", "features = [\"serde\", \"v4\"] }", "`uuid` is asked for `v4`"),
        ("default = []", "default = [\"testing\"]", "`default = []` must stand"),
        ("default = []", "default = []\nclock = [\"chrono/clock\"]", "must not enable `chrono/clock`"),
        ("[dependencies]", "[dependencies]\nrand = \"0.9\"", "`rand` is either"),
        ("thiserror = ", "thisterror = ", "`thiserror` is either"),
        ("[lib]", "build = \"b.rs\"\n\n[lib]", "`build` names a script"),
        ("[dependencies]", "[build-dependencies]\ncc = \"1\"\n\n[dependencies]", "`build-dependencies` brings in"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from} is not in the manifest");
        let findings = manifest(&changed);
        assert!(findings.iter().any(|finding| finding.to_string().contains(what)), "{what}: found {findings:?}");
    }
}
