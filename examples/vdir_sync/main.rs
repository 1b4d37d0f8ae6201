//! Two-way sync of two folders in the vdir layout: `ROOT/<collection>/<item>.vcf` or `.ics`, one item a file.
//!
//! ```sh
//! cargo run --release --example vdir_sync -- LEFT RIGHT [--state DIR] [--dry-run] [--json]
//!     [--approve DIGEST --by NAME] [--keep DIGEST] [--meet DIGEST] [--undo RECEIPT]
//! ```
//!
//! LEFT plays a device, RIGHT the server that other devices sync with, too. Exit codes: 0, both sides are equal; 2, it
//! could not run and nothing was changed; 3, in step except for what is held or in error.
//!
//! A page each: [`session`] is the whole run, from looking to reporting. [`look`] opens both sides, and [`continuity`] says
//! whether they are the two that were synced; [`observe`] takes in what the folders show; [`answer`] what a person said; [`show`] writes the folders.
//! [`item`] is the file format, [`folder`] and [`book`] are the disk.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a command")]
#![allow(clippy::arithmetic_side_effects, reason = "it counts files")]
#![allow(clippy::disallowed_methods, reason = "the command has the clock and the entropy that the library does not")]

use std::{io::Write as _, process::ExitCode};

mod answer;
mod args;
#[allow(dead_code, unused_imports, reason = "its tests use all of it")]
mod book;
mod continuity;
#[allow(dead_code, unused_imports, reason = "its tests use all of it")]
mod folder;
mod item;
mod look;
mod memory;
mod names;
mod observe;
mod past;
mod progress;
mod question;
mod report;
mod session;
mod show;
mod side;
mod strange;
mod unreadable;
mod way;

fn main() -> ExitCode {
    let args = match args::parse(std::env::args_os().skip(1)) {
        Ok(args::Command::Sync(args)) => args,
        Ok(args::Command::Help) => {
            println!("{}", args::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(stop) => return stopped(None, &stop),
    };
    match session::run(&args) {
        Ok(report) => {
            let text = if args.is_json { format!("{}\n", report.to_json()) } else { report.to_string() };
            // Whoever reads only the first lines has read enough; the exit code says the rest.
            drop(std::io::stdout().write_all(text.as_bytes()));
            if report.is_in_step() { ExitCode::SUCCESS } else { ExitCode::from(3) }
        }
        Err(stop) => stopped(args.is_json.then_some(args.is_dry), &stop),
    }
}

/// Nothing was changed, and why; in JSON, too, if that was asked for, of a dry run or not.
fn stopped(in_json: Option<bool>, stop: &session::Stop) -> ExitCode {
    if let Some(is_dry_run) = in_json {
        println!("{}", report::stopped(stop, is_dry_run));
    }
    eprintln!("{stop}");
    if let session::Stop::Severed { ways, .. } = stop {
        ways.iter().for_each(|way| eprint!("{way}"));
    }
    ExitCode::from(2)
}
