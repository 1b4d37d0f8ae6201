//! The command line.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use holdfast::values::digest::Digest;
use lexopt::prelude::{Long, Short, Value, ValueExt as _};

use super::session::Stop;

pub(crate) const USAGE: &str = "\
usage: vdir_sync LEFT RIGHT [--state DIR] [--dry-run] [--json]
                 [--approve DIGEST --by NAME] [--keep DIGEST] [--meet DIGEST] [--undo RECEIPT]

Keeps two folders in step: ROOT/<collection>/<item>.vcf or .ics, one item a file.
LEFT plays a device, RIGHT the server; several devices may share one RIGHT.

  --state DIR       where LEFT's bookkeeping is (default: LEFT/.holdfast)
  --dry-run         say what would be done, and write nothing
  --json            report as one JSON object
  --keep DIGEST     answer a hold: keep everything as it was
  --approve DIGEST  answer a hold: let the change in; needs --by NAME
  --by NAME         who answers
  --meet DIGEST     two folders that do not know each other do belong together
  --undo RECEIPT    bring back what was before a run

exit codes: 0 both sides are equal; 2 could not run, nothing was changed;
            3 in step except for what is held or in error";

/// What to do.
#[derive(Debug)]
pub(crate) enum Command {
    Help,
    Sync(Args),
}

#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) left: PathBuf,
    pub(crate) right: PathBuf,
    pub(crate) state: Option<PathBuf>,
    pub(crate) is_dry: bool,
    pub(crate) is_json: bool,
    pub(crate) answers: Vec<Said>,
    pub(crate) by: Option<String>,
    /// The folder that was found strange under this digest is the right one.
    pub(crate) meet: Option<Digest>,
    pub(crate) undo: Option<String>,
}

/// One answer, not yet looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said {
    Approve(Digest),
    Keep(Digest),
}

impl Said {
    pub(crate) const fn digest(self) -> Digest {
        match self {
            Self::Approve(digest) | Self::Keep(digest) => digest,
        }
    }
}

/// Reads the arguments, without the program's name.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Command, Stop> {
    let wrong = |error: lexopt::Error| Stop::Usage(error.to_string());
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut roots: Vec<PathBuf> = Vec::new();
    let (mut state, mut is_dry, mut is_json, mut by, mut undo) = (None, false, false, None, None);
    let (mut meet, mut answers) = (None, Vec::new());
    while let Some(argument) = parser.next().map_err(wrong)? {
        match argument {
            Value(root) => roots.push(root.into()),
            Long("state") => state = Some(PathBuf::from(parser.value().map_err(wrong)?)),
            Long("dry-run") => is_dry = true,
            Long("json") => is_json = true,
            Long("approve") => answers.push(Said::Approve(digest(&mut parser)?)),
            Long("keep") => answers.push(Said::Keep(digest(&mut parser)?)),
            Long("meet") => meet = Some(digest(&mut parser)?),
            Long("by") => by = Some(parser.value().and_then(|name| name.string()).map_err(wrong)?),
            Long("undo") => undo = Some(parser.value().and_then(|name| name.string()).map_err(wrong)?),
            Long("help") | Short('h') => return Ok(Command::Help),
            other => return Err(wrong(other.unexpected())),
        }
    }
    let Ok([left, right]) = <[PathBuf; 2]>::try_from(roots) else {
        return Err(Stop::Usage("expected two folders, LEFT and RIGHT".into()));
    };
    if answers.iter().any(|said| matches!(said, Said::Approve(_))) && by.is_none() {
        return Err(Stop::Usage("expected --by NAME with --approve: who agrees?".into()));
    }
    Ok(Command::Sync(Args { left, right, state, is_dry, is_json, answers, by, meet, undo }))
}

fn digest(parser: &mut lexopt::Parser) -> Result<Digest, Stop> {
    let text = parser.value().and_then(|text| text.string());
    let text = text.map_err(|error| Stop::Usage(error.to_string()))?;
    text.parse().map_err(|error| Stop::Usage(format!("'{}': {error}", text.escape_debug())))
}

impl Args {
    /// How it was called, without what was said once: for the commands that it shows.
    pub(crate) fn call(&self) -> String {
        self.call_with(&self.right)
    }

    /// The same with another right side.
    pub(crate) fn call_with(&self, right: &Path) -> String {
        let state = self.state.as_ref().map(|state| format!(" --state {}", quoted(state))).unwrap_or_default();
        format!("{} {} {}{state}", program(), quoted(&self.left), quoted(right))
    }

    /// The same with the bookkeeping of the left side wherever it is by itself.
    pub(crate) fn call_of_roots(&self) -> String {
        format!("{} {} {}", program(), quoted(&self.left), quoted(&self.right))
    }
}

fn program() -> String {
    quoted(&std::env::args_os().next().map_or_else(|| "vdir_sync".into(), PathBuf::from))
}

/// A path as a shell takes it.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,:@".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
