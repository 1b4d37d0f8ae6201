//! Expectations: `expect exit 3`, `expect held A 180 of 200`, `expect server whole`.

use std::{collections::BTreeSet, fs};

use super::{
    Checked, command,
    report::{Held, Report, Written},
    select, tree, universal,
    world::{Place, World},
};

/// Checks one line.
pub fn check(world: &World, text: &str) -> Checked {
    let (text, quoted) = command::unquoted(text)?;
    let words: Vec<&str> = text.split_whitespace().skip(1).collect();
    let quote = quoted.first().map_or("", String::as_str);
    match words.as_slice() {
        ["exit", first, rest @ ..] => exit(world, [first].into_iter().chain(rest.iter().filter(|word| **word != "or"))),
        ["held", rest @ ..] => held(world, rest),
        [n, "holds"] => counted(world.report()?.held.len(), n, world),
        [n, "conflicts"] => counted(world.report()?.conflicts.len(), n, world),
        [n, "errors"] => counted(world.report()?.errors.len(), n, world),
        [what @ ("something" | "nothing"), "held", "or", "in", "error"] => {
            let report = world.report()?;
            let found = !report.held.is_empty() || !report.errors.is_empty();
            is(found == (*what == "something"), || said(world))
        }
        ["error", "at", place, "\"\""] => {
            let side = world.side(world.place(place)?)?;
            let names = |error: &&super::report::ErrorAt| {
                let texts = [error.collection.as_deref(), error.file.as_deref(), Some(error.message.as_str())];
                error.side == side
                    && !error.message.is_empty()
                    && texts.iter().flatten().any(|text| text.contains(quote))
            };
            let found = world.report()?.errors.iter().any(|error| names(&error));
            is(found, || format!("{:?}", world.report().map(|report| &report.errors)))
        }
        ["note", "\"\""] => {
            let notes = &world.report()?.notes;
            is(notes.iter().any(|note| note.contains(quote)), || format!("{notes:?}"))
        }
        ["says", "\"\"", "before", "\"\""] => {
            let spoken = spoken(world)?;
            let at = |n: usize| quoted.get(n).and_then(|quote| spoken.find(quote));
            is(at(0).zip(at(1)).is_some_and(|(first, second)| first < second), || spoken.clone())
        }
        ["says", "\"\""] => spoken(world).and_then(|spoken| is(spoken.contains(quote), || spoken.clone())),
        ["names", names] => {
            let spoken = spoken(world)?;
            let missing: Vec<String> =
                select::names(names)?.into_iter().filter(|name| !spoken.contains(name)).collect();
            is(missing.is_empty(), || format!("nothing of {missing:?} in {spoken}"))
        }
        [verb @ ("names" | "hides"), "what", "came", "back"] => came_back(world, *verb == "names"),
        ["written", "to", place, added, "added", changed, "changed", removed, "removed"] => {
            let number = |word: &str| word.parse::<usize>().map_err(|_| format!("no number: {word}"));
            let wanted = Written { added: number(added)?, changed: number(changed)?, removed: number(removed)? };
            let report = world.report()?;
            let found = if world.side(world.place(place)?)? == "left" { report.left } else { report.right };
            is(found == wanted, || format!("{found:?}"))
        }
        [what @ ("something" | "nothing"), "written"] => {
            let written = changed_files(world)?;
            is(written.is_empty() == (*what == "nothing"), || format!("written: {written:?}"))
        }
        [what @ ("refused" | "accepted")] => {
            let refused = refused(world)?;
            is(refused.is_ok() == (*what == "refused"), || refused.err().unwrap_or_else(|| "refused".into()))
        }
        [what @ ("as" | "otherwise"), "the", "dry", "run", "said"] => as_dry(world, *what == "as"),
        ["outside", what @ ("untouched" | "touched")] => outside(world, *what == "untouched"),
        ["losers", what @ ("kept" | "gone")] => losers(world, *what == "kept"),
        [what @ ("equal" | "different")] => {
            let run = world.last()?;
            let found = universal::unequal(&world.trees(run.device));
            is(found.is_none() == (*what == "equal"), || found.unwrap_or_else(|| "equal".into()))
        }
        [place, what @ ("like" | "unlike"), name] => like(world, (world.place(place)?, name), *what == "like"),
        [place, rest @ ..] => state(world, world.place(place)?, rest),
        [] => Err("no expectation".into()),
    }
}

fn is(is_met: bool, found: impl FnOnce() -> String) -> Checked {
    if is_met { Ok(()) } else { Err(found()) }
}

fn counted(found: usize, wanted: &str, world: &World) -> Checked {
    is(found.to_string() == wanted, || format!("{found}: {}", said(world)))
}

/// The report in short, for a failure.
fn said(world: &World) -> String {
    let Ok(run) = world.last() else { return "nothing ran".into() };
    match &run.report {
        None => format!("exit {:?}: {} {}", run.output.exit, run.output.stdout, run.output.stderr),
        Some(Report { left, right, held, errors, notes, conflicts, .. }) => {
            let holds: Vec<String> = held.iter().map(short).collect();
            let some = |n: usize| errors.get(..n.min(errors.len())).unwrap_or_default();
            format!(
                "exit {:?}, left {left:?}, right {right:?}, held {holds:?}, {} conflicts, {} errors {:?}, notes {notes:?}",
                run.output.exit,
                conflicts.len(),
                errors.len(),
                some(3),
            )
        }
    }
}

fn short(hold: &Held) -> String {
    format!("{} {} of {} in {} ({})", hold.side, hold.removals, hold.of, hold.collection, hold.reason)
}

fn exit<'a>(world: &World, wanted: impl Iterator<Item = &'a &'a str>) -> Checked {
    let found = world.last()?.output.exit.map_or("killed".into(), |exit| exit.to_string());
    let mut wanted = wanted;
    is(wanted.any(|wanted| *wanted == found), || said(world))
}

/// `nothing`, `A 180 of 200`, `A at least 180 of 200 in people`: of the holds there are, one says this.
fn held(world: &World, words: &[&str]) -> Checked {
    let (words, collection) = match words {
        [words @ .., "in", collection] => (words, Some(*collection)),
        _ => (words, None),
    };
    let report = world.report()?;
    let found = match words {
        ["nothing"] => report.held.is_empty(),
        ["something"] => !report.held.is_empty(),
        [place, count @ .., n, "of", of] => {
            let side = world.side(world.place(place)?)?;
            let n: usize = n.parse().map_err(|_| "no number")?;
            let is_it = |hold: &Held| {
                let is_counted = match count {
                    [] => hold.removals == n,
                    ["at", "least"] => hold.removals >= n,
                    ["at", "most"] => hold.removals <= n,
                    _ => false,
                };
                let is_there = collection.is_none_or(|collection| hold.collection == collection);
                is_counted && is_there && hold.side == side && hold.of.to_string() == *of
            };
            report.held.iter().any(is_it)
        }
        _ => return Err("what is held?".into()),
    };
    is(found, || said(world))
}

fn spoken(world: &World) -> Result<String, String> {
    let output = &world.last()?.output;
    Ok(format!("{}{}", output.stdout, output.stderr))
}

/// Visible files that the last run changed, on either side.
fn changed_files(world: &World) -> Result<Vec<String>, String> {
    let run = world.last()?;
    let sides = run.before.iter().zip(&run.after);
    let changed = sides.flat_map(|(old, new)| {
        let paths: BTreeSet<_> = old.keys().chain(new.keys()).collect();
        paths
            .into_iter()
            .filter(|path| !path.starts_with(tree::BOOKS) && !universal::same_content(old.get(*path), new.get(*path)))
            .map(|path| path.display().to_string())
            .collect::<Vec<_>>()
    });
    Ok(changed.collect())
}

/// The last run's answers were not taken: it says so of each, its exit says so, and no file was removed.
fn refused(world: &World) -> Result<Checked, String> {
    let (run, spoken) = (world.last()?, spoken(world)?);
    let unnamed = run.answered.iter().find(|digest| !spoken.contains(digest.as_str()));
    let removed = run.report.as_ref().map_or(0, |report| report.left.removed + report.right.removed);
    Ok(if run.answered.is_empty() {
        Err("no answer was given".into())
    } else if !matches!(run.output.exit, Some(2 | 3)) {
        Err(said(world))
    } else if let Some(digest) = unnamed {
        Err(format!("nothing of {digest} in {spoken}"))
    } else if removed > 0 {
        Err(format!("{removed} files were removed"))
    } else {
        Ok(())
    })
}

fn as_dry(world: &World, is_wanted: bool) -> Checked {
    let (dry, report) = (world.dry.as_ref().ok_or("no dry run")?, world.report()?);
    let summary = |report: &Report| {
        let held: Vec<String> = report.held.iter().map(short).collect();
        let errors: Vec<_> = report.errors.iter().map(|error| (error.side.clone(), error.file.clone())).collect();
        (report.left, report.right, held, errors, report.conflicts.clone())
    };
    let (dry, real) = (summary(dry), summary(report));
    is((dry == real) == is_wanted, || format!("said {dry:?}, did {real:?}"))
}

fn outside(world: &World, is_wanted: bool) -> Checked {
    let tree = tree::whole(&world.outside());
    let files: Vec<String> = tree
        .iter()
        .filter_map(|(path, node)| node.bytes().map(|bytes| (path, bytes)))
        .filter(|(_, bytes)| !String::from_utf8_lossy(bytes).contains("outside@example"))
        .map(|(path, _)| path.display().to_string())
        .collect();
    let is_whole = files.is_empty() && tree.values().filter(|node| node.bytes().is_some()).count() == 1;
    is(is_whole == is_wanted, || format!("outside the folders: {files:?}"))
}

/// Of two texts that people wrote, the one that is not shown is in the books of the device and of the server.
fn losers(world: &World, is_wanted: bool) -> Checked {
    let run = world.last()?;
    let everything = |place: Place| {
        let books = super::faults::books(world, place);
        let trees = [tree::whole(world.root(place)), tree::whole(&books)];
        let bytes = trees.iter().flat_map(|tree| tree.values()).filter_map(|node| node.bytes());
        bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect::<String>()
    };
    let [left, right] = [everything(run.device), everything(Place::Server)];
    let texts = world.meant.values().flat_map(|item| &item.lines).filter(|texts| texts.len() > 1).flatten();
    let value = |line: &String| line.split_once(':').map_or(line.clone(), |(_, value)| value.into());
    let mut count = 0;
    let gone: Vec<String> = texts
        .map(value)
        .inspect(|_| count += 1)
        .filter(|value| ![&left, &right].iter().all(|side| side.contains(value.as_str())))
        .collect();
    is((gone.is_empty() && count > 0) == is_wanted, || format!("of {count}, gone: {gone:?}"))
}

/// What was deleted and came back is named in what the last run said.
fn came_back(world: &World, is_wanted: bool) -> Checked {
    let run = world.last()?;
    let spoken = spoken(world)?;
    let is_unnamed = |key: &&(String, String)| {
        let name = world.optional.get(*key).and_then(|item| item.name());
        !name.is_some_and(|name| spoken.contains(name))
    };
    let present: Vec<_> = [0, 1]
        .iter()
        .flat_map(|side| {
            let (old, new) = (universal::items(&run.before[*side]), universal::items(&run.after[*side]));
            new.into_keys().filter(move |key| !old.contains_key(key)).collect::<Vec<_>>()
        })
        .filter(|key| world.optional.contains_key(key))
        .collect();
    let unnamed: Vec<_> = present.iter().filter(is_unnamed).collect();
    is(unnamed.is_empty() == is_wanted, || format!("came back without a word: {unnamed:?}"))
}

fn like(world: &World, (place, name): (Place, &str), is_wanted: bool) -> Checked {
    let then = world.backups.get(name).ok_or_else(|| format!("no backup '{name}'"))?;
    let found = universal::unequal(&[then.clone(), tree::whole(world.root(place))]);
    is(found.is_none() == is_wanted, || found.unwrap_or_else(|| "alike".into()))
}

/// What a folder has against what people meant.
#[derive(Debug, Default)]
struct State {
    missing: Vec<String>,
    changed: Vec<String>,
    doubled: Vec<String>,
    more: Vec<String>,
    /// Those of `changed` that say all that was meant, and more.
    fuller: usize,
}

impl State {
    fn of(world: &World, place: Place) -> Self {
        let tree = tree::visible(world.root(place));
        let found = universal::items(&tree);
        let mut state = Self::default();
        let name = |(collection, uid): &(String, String)| format!("{collection}/{uid}");
        for (key, item) in &world.meant {
            let files = found.get(key).map_or(&[][..], Vec::as_slice);
            let right = files.iter().filter(|(_, bytes)| item.is(bytes)).count();
            match (files.len(), right) {
                (0, _) => state.missing.push(name(key)),
                (_, 0) => {
                    state.fuller += usize::from(files.iter().any(|(_, bytes)| item.is_in(bytes)));
                    let not_meant = files.iter().map(|(_, bytes)| item.against(bytes)).collect::<Vec<_>>();
                    state.changed.push(format!("{}: {}", name(key), not_meant.join("; ")));
                }
                (1, 1) => {}
                _ => state.doubled.push(name(key)),
            }
        }
        let is_optional =
            |key: &(String, String), bytes: &[u8]| world.optional.get(key).is_some_and(|item| item.is(bytes));
        for (key, files) in found.iter().filter(|(key, _)| !world.meant.contains_key(*key)) {
            let unknown = files.iter().filter(|(path, bytes)| {
                !world.strange.contains(&path.display().to_string()) && !is_optional(key, bytes)
            });
            state.more.extend(unknown.map(|(path, _)| path.display().to_string()));
        }
        let known: BTreeSet<_> = found.values().flatten().map(|(path, _)| path).collect();
        let others = tree.iter().filter(|(path, node)| node.bytes().is_some() && !known.contains(path));
        let strangers = others.map(|(path, _)| path.display().to_string());
        state.more.extend(strangers.filter(|path| !world.strange.contains(path)));
        state
    }
}

/// Everything that people meant is there, once, as they wrote it, and nothing else.
pub fn whole(world: &World, place: Place) -> Checked {
    state(world, place, &["whole"]).map_err(|found| format!("{place:?}: {found}"))
}

fn state(world: &World, place: Place, words: &[&str]) -> Checked {
    let state = State::of(world, place);
    let lost = state.missing.len() + state.changed.len();
    let is_strict = state.doubled.is_empty() && state.more.is_empty();
    let number = |word: &&str| word.parse::<usize>().map_err(|_| format!("no number: {word}"));
    let is_met = match words {
        ["whole"] => lost == 0 && is_strict,
        ["whole", "but", "for", n] => lost == number(n)? && is_strict,
        ["lost", "no", "value"] => lost == state.fuller,
        ["lost", "a", "value"] => lost > state.fuller,
        ["lost", "nothing"] => lost == 0,
        ["lost", "something"] => lost > 0,
        ["lost", "at", "most", n] => lost <= number(n)?,
        ["lost", "at", "least", n] => lost >= number(n)?,
        ["has", "at", "most", n, "more"] => state.more.len() <= number(n)?,
        ["has", "at", "least", n, "more"] => state.more.len() >= number(n)?,
        ["right", "or", "stopped"] => return is(is_right(world, &state)?, || said(world)),
        ["wrong", "or", "stopped"] => return is(!is_right(world, &state)?, || said(world)),
        ["has", n, "items"] => return has(world, place, number(n)?),
        ["has", "a", "file", name] => return has_file(world, place, name, true),
        ["lacks", "a", "file", name] => return has_file(world, place, name, false),
        _ => return Err("no such expectation".into()),
    };
    let some = |names: &[String]| format!("{} {:?}", names.len(), names.get(..names.len().min(3)).unwrap_or_default());
    let State { missing, changed, doubled, more, .. } = &state;
    is(is_met, || {
        let [missing, changed, doubled, more] = [missing, changed, doubled, more].map(|names| some(names));
        format!("missing {missing}, changed {changed}, doubled {doubled}, more {more}; {}", said(world))
    })
}

/// A run that stopped is right whatever there is: it has changed nothing.
fn is_right(world: &World, state: &State) -> Result<bool, String> {
    let is_whole = [&state.missing, &state.changed, &state.doubled, &state.more].iter().all(|names| names.is_empty());
    Ok(is_whole || world.last()?.output.exit == Some(2))
}

fn has(world: &World, place: Place, n: usize) -> Checked {
    let found = universal::items(&tree::visible(world.root(place))).values().map(Vec::len).sum::<usize>();
    is(found == n, || format!("{found} items; {}", said(world)))
}

fn has_file(world: &World, place: Place, name: &str, is_wanted: bool) -> Checked {
    let is_there = fs::symlink_metadata(world.root(place).join(name)).is_ok();
    is(is_there == is_wanted, || said(world))
}
