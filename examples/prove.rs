//! Plays random histories of devices and servers, and says what they went through.
//!
//! `cargo run --release --features testing --example prove -- --histories 100000 [--seed N]`

#![allow(clippy::arithmetic_side_effects, clippy::print_stdout, reason = "it is a command")]

use std::{error::Error, process::ExitCode, time::Instant};

use holdfast::testing::{Summary, World};
use lexopt::prelude::*;

struct Args {
    histories: u64,
    seed: u64,
    keeps_going: bool,
}

fn args() -> Result<Args, Box<dyn Error>> {
    let mut args = Args { histories: 1_000, seed: 0, keeps_going: false };
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("histories") => args.histories = parser.value()?.parse()?,
            Long("seed") => args.seed = parser.value()?.parse()?,
            Long("keep-going") => args.keeps_going = true,
            _ => return Err(arg.unexpected().into()),
        }
    }
    Ok(args)
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let Args { histories, seed, keeps_going } = args()?;
    let begun = Instant::now();
    let mut all = Summary::default();
    let mut violations = std::collections::BTreeMap::new();
    for at in 0..histories {
        match World::run(seed.wrapping_add(at)) {
            Ok(summary) => all.add(&summary),
            Err(failure) => {
                let count: &mut u64 = violations.entry(failure.check).or_default();
                *count += 1;
                if *count == 1 {
                    println!("{failure}");
                }
                if !keeps_going {
                    break;
                }
            }
        }
    }
    println!("seeds {seed} to {}, in {} s", seed.wrapping_add(histories), begun.elapsed().as_secs());
    print!("{all}");
    println!("violations: {violations:?}");
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
