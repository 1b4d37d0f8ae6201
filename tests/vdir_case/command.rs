//! The command language: one thing that happens, per line.

use std::time::Duration;

use super::{
    Checked, answers, edits, faults,
    file::Line,
    odd, tool, tree, universal,
    world::{Place, World},
};

/// Runs one line.
pub fn run(world: &mut World, line: &Line) -> Checked {
    let (text, quoted) = unquoted(&line.text)?;
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        ["people", n] => edits::run(world, Place::A, &["adds", n, "cards", "to", "people"]).unwrap_or(Ok(())),
        ["in", "step"] => in_step(world),
        ["sync", device, how @ ..] => {
            let device = world.device(device)?;
            let more: &[&str] = match how {
                [] => &["--json"],
                ["in", "words"] => &[],
                ["without", "writing"] => &["--json", "--dry-run"],
                _ => return Err("no such way to sync".into()),
            };
            world.sync(device, &[], more);
            if *how == ["without", "writing"] {
                world.dry = world.last.as_ref().and_then(|run| run.report.clone());
            }
            Ok(())
        }
        ["at", "once", "sync", one, "and", other] => at_once(world, [one, other]),
        ["kill", "a", "run", "of", device] => kill(world, device, &[0], &[]),
        ["kill", "a", "run", "with", "a", "question", "of", device] => kill(world, device, &[0, 3], &[]),
        ["kill", "an", "approval", "of", name, "on", device] => {
            let digests = world.noted.get(*name).ok_or_else(|| format!("no hold '{name}'"))?;
            let approve = |digest: &String| ["--approve".into(), digest.clone(), "--by".into(), "ann".into()];
            let answer: Vec<String> = digests.iter().flat_map(approve).collect();
            kill(world, device, &[0, 2, 3], &answer)
        }
        ["answer", "on", device, rest @ ..] => answers::several(world, device, rest),
        [verb @ ("approve" | "keep"), rest @ ..] => answers::answer(world, verb, rest),
        ["undo", rest @ ..] => answers::undo(world, rest),
        ["note", rest @ ..] => answers::note(world, rest),
        ["backup", folder, "as", name] => {
            let tree = tree::whole(world.root(world.place(folder)?));
            world.backups.insert((*name).into(), tree);
            Ok(())
        }
        ["conflict", property, "of", which @ .., "between", one, "and", other] => {
            let places = [world.place(one)?, world.place(other)?];
            edits::conflict(world, property, which, places)
        }
        ["drip", folder, how @ .., "sync", device] => {
            let (folder, device) = (world.place(folder)?, world.device(device)?);
            let how: Vec<&str> = how.iter().map(|word| word.trim_end_matches(',')).collect();
            faults::drip(world, folder, &how, device)
        }
        [device, "keeps", "its", "books", "elsewhere"] => {
            let device = world.device(device)?;
            let to = world.dir().join(format!("books of {device:?}"));
            world.states.insert(device, to);
            Ok(())
        }
        [folder, rest @ ..] => {
            let place = world.place(folder)?;
            let rest: Vec<&str> = rest.iter().map(|word| word.trim_end_matches(',')).collect();
            let done = edits::run(world, place, &rest)
                .or_else(|| odd::run(world, place, &rest, &quoted))
                .or_else(|| faults::run(world, place, &rest));
            done.unwrap_or_else(|| Err("no such command".into()))
        }
        [] => Err("no command".into()),
    }
}

/// The line with `""` for each quoted text, and these texts, with `\n`, `\"` and `\\` as in Rust, and `*300` after the
/// quotes for so many times.
pub fn unquoted(text: &str) -> Result<(String, Vec<String>), String> {
    let (mut bare, mut quoted) = (String::new(), Vec::new());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        bare.push(c);
        if c != '"' {
            continue;
        }
        let mut inside = String::new();
        loop {
            match rest.next() {
                Some('"') => break,
                Some('\\') => match rest.next() {
                    Some('n') => inside.push('\n'),
                    Some('t') => inside.push('\t'),
                    Some(c) => inside.push(c),
                    None => return Err("an escape of nothing".into()),
                },
                Some(c) => inside.push(c),
                None => return Err("a quote without an end".into()),
            }
        }
        bare.push('"');
        quoted.push(inside);
    }
    Ok((bare, quoted))
}

/// A, then B, then A: everybody has everything, and is asked nothing.
fn in_step(world: &mut World) -> Checked {
    for device in [Place::A, Place::B, Place::A] {
        world.sync(device, &[], &["--json"]);
        let run = world.last()?;
        if run.output.exit != Some(0) {
            let why = format!("{:?} ends with {:?}: {}", device, run.output.exit, run.output.stdout);
            return Err(format!("{why} {}", run.output.stderr));
        }
    }
    let run = world.last()?;
    if let Some(why) = universal::unequal(&run.after) {
        return Err(why);
    }
    [Place::A, Place::B, Place::Server].into_iter().try_for_each(|place| super::expect::whole(world, place))
}

fn at_once(world: &mut World, devices: [&str; 2]) -> Checked {
    let [one, other] = [world.device(devices[0])?, world.device(devices[1])?];
    let json = ["--json".to_owned()];
    let outputs = tool::run_both(world.dir(), &world.args(one, &json), &world.args(other, &json));
    match outputs.iter().find(|output| !matches!(output.exit, Some(0 | 2 | 3))) {
        Some(output) => Err(format!("exit {:?}: {}", output.exit, output.stderr)),
        None => Ok(()),
    }
}

/// At a moment drawn from how long the longest whole run took.
fn kill(world: &mut World, device: &str, usual: &[i32], more: &[String]) -> Checked {
    let device = world.device(device)?;
    let share = u32::try_from(world.random(1200)).expect("small");
    let life = world.took * share / 1000;
    let output = tool::run(world.dir(), &world.args(device, more), Some(life.max(Duration::from_millis(1))));
    match output.exit {
        None => Ok(()),
        Some(exit) if usual.contains(&exit) => Ok(()),
        exit => Err(format!("exit {exit:?} before it was killed: {} {}", output.stdout, output.stderr)),
    }
}
