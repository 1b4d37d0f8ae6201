//! A new file comes to stand at a name, or an old one leaves it, only if what stood there is what was expected.
//!
//! Looking first and renaming then leaves a gap in which somebody may save. So what stood there is moved aside and looked
//! at once more, where nobody else finds it; if it is not what was expected, it is moved back. What is left is a kill
//! between these two moves, right after somebody saved into the gap: the next run takes that save for unfinished work of
//! ours. Both would have to happen within the same microseconds.

use std::io::{self, ErrorKind};

use super::{
    disk::{Dir, Kind, Print},
    error::Problem,
};

/// What must stand at a name for it to be written or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    Absent,
    Print(Print),
}

impl Expect {
    fn print(self) -> Option<Print> {
        match self {
            Self::Absent => None,
            Self::Print(print) => Some(print),
        }
    }
}

/// Makes sure that what stands at a name is what is expected there.
pub(super) fn check(dir: &Dir, name: &str, expect: Expect) -> Result<(), Problem> {
    let found = match dir.look(name) {
        Ok(seen) if seen.kind != Kind::File => {
            return Err(Problem::InTheWay { expected: Kind::File, found: seen.kind });
        }
        Ok(seen) => Some(seen.print),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(source) => return Err(Problem::Disk { doing: "look at it", source }),
    };
    let expected = expect.print();
    if found == expected { Ok(()) } else { Err(Problem::changed(expected, found)) }
}

/// Renames the file `new` to `name`. `gap` is called wherever somebody else may come between; it is there for tests.
pub(crate) fn put(dir: &Dir, new: &str, name: &str, expect: Expect, mut gap: impl FnMut()) -> Result<(), Problem> {
    check(dir, name, expect)?;
    gap();
    match expect {
        Expect::Absent => dir.rename_new(new, name).or_else(|error| stood_there(dir, name, expect, error)),
        Expect::Print(print) => match dir.exchange(new, name) {
            Ok(()) => settle(dir, new, name, print, gap),
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                dir.rename_over(new, name).map_err(Problem::disk("replace it"))
            }
            Err(error) => stood_there(dir, name, expect, error),
        },
    }
}

/// Removes the file at `name`, by way of the free name `aside`.
pub(crate) fn remove(dir: &Dir, aside: &str, name: &str, print: Print, mut gap: impl FnMut()) -> Result<(), Problem> {
    let expect = Expect::Print(print);
    check(dir, name, expect)?;
    gap();
    dir.rename_new(name, aside).or_else(|error| stood_there(dir, name, expect, error))?;
    let problem = match still_is(dir, aside, print) {
        Ok(()) => match dir.remove(aside) {
            Ok(()) => return Ok(()),
            Err(source) => Problem::Disk { doing: "remove it", source },
        },
        Err(problem) => problem,
    };
    gap();
    match dir.rename_new(aside, name) {
        // A yet later one is there already, and would have replaced this one without us, too.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => dir.remove(aside),
        done => done,
    }
    .map_err(Problem::disk("move it back"))?;
    Err(problem)
}

/// After the exchange: what stood at `name` is at `old` now. Removes it, if it is what it should be.
fn settle(dir: &Dir, old: &str, name: &str, expected: Print, mut gap: impl FnMut()) -> Result<(), Problem> {
    let Err(problem) = still_is(dir, old, expected) else {
        return dir.remove(old).map_err(|source| Problem::NotLasting { doing: "remove the old one", source });
    };
    let ours = dir.look(name).map(|seen| seen.print.inode).ok();
    gap();
    match dir.exchange(old, name) {
        // A yet later one came out, which would have replaced the other one without us, too.
        Ok(()) if ours != dir.look(old).map(|seen| seen.print.inode).ok() => dir.rename_over(old, name),
        Ok(()) => Ok(()),
        // Somebody removed ours meanwhile, which is no reason to lose theirs.
        Err(error) if error.kind() == ErrorKind::NotFound => dir.rename_new(old, name),
        Err(error) => Err(error),
    }
    .map_err(Problem::disk("move it back"))?;
    Err(problem)
}

/// Whether what was moved aside is what was expected.
fn still_is(dir: &Dir, aside: &str, expected: Print) -> Result<(), Problem> {
    let found = dir.look(aside).map_err(Problem::disk("look at it"))?;
    if found.kind == Kind::File && found.print.is_same_but_renamed(&expected) {
        return Ok(());
    }
    Err(Problem::changed(Some(expected), Some(found.print)))
}

/// A rename was refused: because of what stands there, or for a reason of the disk.
fn stood_there(dir: &Dir, name: &str, expect: Expect, error: io::Error) -> Result<(), Problem> {
    if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) {
        check(dir, name, expect)?;
    }
    Err(Problem::Disk { doing: "rename it", source: error })
}
