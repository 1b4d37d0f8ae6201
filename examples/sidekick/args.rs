//! The command line.

use std::{
    ffi::{OsStr, OsString},
    fmt::Display,
    str::FromStr,
};

use lexopt::prelude::{Long, Short};

pub(crate) const USAGE: &str = "\
usage: sidekick [--records N] [--phones N] [--seed N] [--json]

The drill of 2009: what phones and a server have after the server lost its data, with a plain mirror sync and with Holdfast.

  --records N  contacts, 1 to 20000 (default 300); half as many appointments, a third as many to-dos, a quarter as
               many photo notes, and at least one of each
  --phones N   phones in the household, 2 to 6 (default 3)
  --seed N     all that happens is drawn from it (default 2009); the same seed gives the same drill
  --json       the same facts as one JSON document, and nothing else

exit codes: 0 every promise held; 1 a promise broke, and the last lines say which; 2 it could not run";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Args {
    pub(crate) records: usize,
    pub(crate) phones: usize,
    pub(crate) seed: u64,
    pub(crate) is_json: bool,
}

impl Default for Args {
    fn default() -> Self {
        Self { records: 300, phones: 3, seed: 2009, is_json: false }
    }
}

/// Reads the arguments, without the program's name. `None` if only help was asked for.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Option<Args>, String> {
    let wrong = |error: lexopt::Error| error.to_string();
    let mut args = Args::default();
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(wrong)? {
        match argument {
            Long("records") => args.records = number("records", &parser.value().map_err(wrong)?)?,
            Long("phones") => args.phones = number("phones", &parser.value().map_err(wrong)?)?,
            Long("seed") => args.seed = number("seed", &parser.value().map_err(wrong)?)?,
            Long("json") => args.is_json = true,
            Long("help") | Short('h') => return Ok(None),
            other => return Err(wrong(other.unexpected())),
        }
    }
    for (name, range, found) in [("records", 1..=20_000, args.records), ("phones", 2..=6, args.phones)] {
        if !range.contains(&found) {
            return Err(format!("expected --{name} from {} to {}, found {found}", range.start(), range.end()));
        }
    }
    Ok(Some(args))
}

fn number<N: FromStr<Err: Display>>(name: &str, found: &OsStr) -> Result<N, String> {
    let found = found.to_string_lossy();
    found.parse().map_err(|error| format!("expected a number for --{name}, found '{found}': {error}"))
}
