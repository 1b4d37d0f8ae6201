//! The results as a table.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    cell::{Books, Cell, Role},
    judge::Verdict,
};

/// One line for each row, side at fault and bookkeeping: what all ways of it came to, and how many there are.
pub fn table(results: &[(Cell, Verdict)]) -> String {
    let mut lines: BTreeMap<_, BTreeMap<String, usize>> = BTreeMap::new();
    let mut names: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for (cell, verdict) in results {
        let line = (cell.row, cell.role, cell.books);
        *lines.entry(line).or_default().entry(verdict.unattended.clone()).or_default() += 1;
        let named = names.entry(line).or_default();
        named.extend(verdict.named.iter().filter(|name| !named.contains(name)).cloned().collect::<Vec<_>>());
    }
    let mut out = String::from("| scenario | at fault | bookkeeping | unattended | named |\n|---|---|---|---|---|\n");
    for (line, counts) in lines {
        let (row, role, books) = line;
        let role = if role == Role::Server { "server" } else { "device" };
        let books = match books {
            Books::Along => "restored along",
            Books::Image => "restored along, as a disk image",
            Books::Left => "as it was",
            Books::Lost => "lost",
        };
        let counts: Vec<String> = counts.into_iter().map(|(what, n)| format!("{what} ({n})")).collect();
        let named = names.get(&line).map(|names| names.join(", ")).unwrap_or_default();
        let _written = writeln!(out, "| {} | {role} | {books} | {} | {named} |", row.name(), counts.join(", "));
    }
    out
}
