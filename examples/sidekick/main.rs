//! The drill of 2009: what phones and a server have after the server lost its data, with a plain mirror sync and with
//! Holdfast.
//!
//! ```sh
//! cargo run --example sidekick -- [--records N] [--phones N] [--seed N] [--json]
//! ```
//!
//! Exit codes: 0, every promise held; 1, one broke, and the last lines say which; 2, it could not run.
//!
//! A page each: [`drills`] is the script, step by step. [`run`] plays it in two households at once and looks at every phone
//! after every sync. [`mirror`] is the plain mirror, a few lines; [`kept`] is the household with Holdfast, through the
//! public API and real sessions; both are a [`house`]. [`check`] is what must hold, computed from what phones and servers
//! show. [`records`] are the structs of the app, [`people`] makes them up from a seed.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it tells a story")]
#![allow(clippy::arithmetic_side_effects, reason = "it counts records")]

use std::{
    io::{ErrorKind, Write as _},
    process::ExitCode,
};

use args::Args;
use records::Kind;
use run::Outcome;
use table::{Promises, Table};

mod args;
mod check;
mod drills;
mod house;
mod json;
mod kept;
mod mirror;
mod people;
mod records;
mod run;
mod story;
mod table;

fn main() -> ExitCode {
    let args = match args::parse(std::env::args_os().skip(1)) {
        Ok(Some(args)) => args,
        Ok(None) => {
            println!("{}", args::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{error}\n\n{}", args::USAGE);
            return ExitCode::from(2);
        }
    };
    let outcomes = match drills::all(&args) {
        Ok(outcomes) => outcomes,
        Err(error) => {
            eprintln!("the drill could not go on: {error}");
            return ExitCode::from(2);
        }
    };
    let text = if args.is_json { format!("{:#}\n", json::document(&args, &outcomes)) } else { told(&args, &outcomes) };
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever reads only the first lines has read enough; the exit code says the rest.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("the drill could not be told: {error}");
            return ExitCode::from(2);
        }
        Ok(()) | Err(_) => {}
    }
    if Promises(&outcomes).broken() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

const OPENING: &str = "
In October 2009 a service lost its main store and its backup. Phones held only a volatile copy, and people who
restarted theirs got an empty address book from an empty server. Weeks later, old server state came back.

\"625 -> 14\" is what a phone shows before and after a sync. A plain mirror makes the phone what the server shows.";

/// The whole story, with its tables.
fn told(args: &Args, outcomes: &[Outcome]) -> String {
    let counted = |kind: Kind| match (kind.share(args.records), kind.to_string()) {
        (1, kinds) => format!("1 {}", kinds.trim_end_matches('s')),
        (count, kinds) => format!("{count} {kinds}"),
    };
    let kinds = story::list(Kind::ALL.into_iter().map(counted));
    let mut text =
        format!("{} phones and a server keep {kinds} in step. Seed {}.\n{OPENING}\n", args.phones, args.seed);
    for outcome in outcomes {
        text += &format!("\n{}. {}\n", outcome.letter, outcome.title);
        text.extend(outcome.story.iter().map(ToString::to_string));
        text.extend(outcome.questions.iter().map(|question| format!("  Somebody is asked. {question}\n")));
    }
    text + &format!("\n{}\n{}\n", Table(outcomes), Promises(outcomes))
}
