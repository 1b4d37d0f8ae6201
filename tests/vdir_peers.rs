//! The table of what two-way sync tools do when one side loses its data, with `vdir_sync` in it: each scenario, with
//! either side at fault, with old and fresh times, with and without writes after the fault, and with the bookkeeping
//! restored along, left as it is, or lost. Two hundred cards, then `sync A`, `sync A`, `sync B`, unattended; then the
//! safe way out that the report prints, executed as it is printed.
//!
//! ```sh
//! cargo test --test vdir_peers -- --nocapture              # prints the table
//! VDIR_PEERS='3 old backup' cargo test --test vdir_peers   # only rows whose names have this in them
//! ```

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    unreachable_pub,
    dead_code,
    reason = "a test may stop, and it takes a part of the runner of the cases"
)]

#[path = "vdir_case/cards.rs"]
mod cards;
#[path = "vdir_case/tool.rs"]
mod tool;
#[path = "vdir_case/tree.rs"]
mod tree;

#[path = "vdir_peers/cell.rs"]
mod cell;
#[path = "vdir_peers/fault.rs"]
mod fault;
#[path = "vdir_peers/judge.rs"]
mod judge;
#[path = "vdir_peers/table.rs"]
mod table;
#[path = "vdir_peers/world.rs"]
mod world;

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use cell::Cell;
use judge::Verdict;

/// Runs every cell, as many at a time as there are cores.
fn run(cells: &[Cell]) -> Vec<(Cell, Verdict)> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let verdict = judge::judged(*cell);
                    done.lock().expect("no thread panics with it").push((*cell, verdict));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("all threads are done");
    done.sort_by_key(|(cell, _)| *cell);
    done
}

#[test]
fn every_cell_of_the_table_is_held_or_healed() {
    let wanted = std::env::var("VDIR_PEERS").unwrap_or_default();
    let cells: Vec<Cell> = Cell::all().into_iter().filter(|cell| cell.row.name().contains(&wanted)).collect();
    assert!(!cells.is_empty(), "no row is called '{wanted}'");
    let results = run(&cells);
    let table = table::table(&results);
    println!("{table}");
    let failures: Vec<String> = results
        .iter()
        .flat_map(|(cell, verdict)| verdict.failures.iter().map(move |failure| format!("{cell}: {failure}")))
        .collect();
    assert!(failures.is_empty(), "{} of {} cells:\n{}", failures.len(), results.len(), failures.join("\n"));
    let shown = include_str!("../docs/peers.md");
    assert!(!wanted.is_empty() || shown.contains(&table), "docs/peers.md shows another table than this");
}
