//! Ways out: what a person can do next, as commands that a shell takes. The safe one comes first.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::args::{Args, quoted};

/// One way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Way {
    /// What it does.
    what: String,
    /// One after the other.
    commands: Vec<String>,
}

impl Way {
    pub(crate) fn new(what: impl Into<String>, commands: impl IntoIterator<Item = String>) -> Self {
        Self { what: what.into(), commands: commands.into_iter().collect() }
    }

    /// Fills an empty folder in the place of one that is gone.
    pub(crate) fn fill(args: &Args, at: &Path) -> Self {
        Self::new(
            "if it is lost, and not only unconnected, to fill a new folder from the other side",
            [format!("mkdir -- {}", quoted(at)), args.call()],
        )
    }

    /// Leaves a folder alone that is not the right one, and fills an empty one in its place.
    pub(crate) fn put_aside(args: &Args, at: &Path) -> Self {
        let aside = |at: &Path| format!("mv -- {} {}", quoted(at), quoted(&free_name(at)));
        // Bookkeeping that is elsewhere goes with its folder.
        let state = args.state.as_deref().filter(|_| at == args.left).map(aside);
        let commands = [Some(aside(at)), state, Some(format!("mkdir -- {}", quoted(at))), Some(args.call())];
        Self::new(
            "if the right one is lost, to leave this one alone and fill a new folder in its place from the other side",
            commands.into_iter().flatten(),
        )
    }
}

impl Way {
    /// The other folder that the left side is synced with.
    pub(crate) fn with(args: &Args, right: &Path) -> Self {
        Self::new("to sync with the folder that it knows", [args.call_with(right)])
    }

    /// Both folders, each with bookkeeping of its own.
    pub(crate) fn beside(args: &Args) -> Self {
        let mut state = args.left.as_os_str().to_owned();
        state.push(".bookkeeping");
        let state = PathBuf::from(state);
        Self::new(
            "to keep the left side in step with this folder, too, with bookkeeping of its own",
            [format!("{} --state {}", args.call_of_roots(), quoted(&state))],
        )
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {}:", self.what)?;
        self.commands.iter().try_for_each(|command| writeln!(f, "    {command}"))
    }
}

/// Beside `at`, a name that nothing has.
fn free_name(at: &Path) -> PathBuf {
    let name = |n: u32| {
        let number = if n == 0 { String::new() } else { format!("-{n}") };
        let mut name = at.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".aside{number}"));
        at.with_file_name(name)
    };
    (0..u32::MAX).map(name).find(|path| std::fs::symlink_metadata(path).is_err()).unwrap_or_else(|| name(0))
}
