//! Runs a cell, and says what came of it.

use super::{
    cell::{Cell, Row},
    fault::{self, Sides, Wanted},
    world::{Ran, Set, World},
};

/// Answers and repetitions until everybody is in step, at most.
const MAX_STEPS: usize = 8;

/// What came of a cell.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// As the table says it: `held rc3`, `healed rc3`, `-20 ~3 +5 rc0`.
    pub unattended: String,
    /// What each side that was named is called, by the first run.
    pub named: Vec<String>,
    /// Commands that were printed and executed until everybody was in step.
    pub way_out: Vec<String>,
    pub failures: Vec<String>,
}

/// What one folder lacks of what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Loss {
    lost: usize,
    overwritten: usize,
    more: usize,
}

impl Loss {
    fn of(found: &Set, wanted: &Wanted) -> Self {
        let mut loss = Self::default();
        for (name, lines) in &wanted.set {
            match found.get(name) {
                None => loss.lost += 1,
                Some(found) => loss.overwritten += usize::from(!is_kept(name, lines, found, wanted)),
            }
        }
        let is_known = |name: &String| wanted.set.contains_key(name) || wanted.foreign.contains_key(name);
        loss.more = found.keys().filter(|name| !is_known(name)).count();
        loss
    }
}

/// Every line is there, and no other that was not written by somebody.
fn is_kept(name: &str, lines: &[String], found: &[String], wanted: &Wanted) -> bool {
    let is_open = |line: &str| {
        wanted.open.iter().any(|(card, property)| card == name && line.starts_with(&format!("{property}:")))
    };
    lines.iter().all(|line| found.contains(line)) && found.iter().all(|line| lines.contains(line) || is_open(line))
}

pub fn judged(cell: Cell) -> Verdict {
    let world = World::in_step();
    let sides = Sides::of(cell.role);
    let before = [world.set(sides.healthy), world.set("b")];
    let wanted = fault::befall(&world, cell);
    let mut verdict = Verdict::default();
    unattended(&world, cell, sides, (&wanted, &before), &mut verdict);
    way_out(&world, cell, &wanted, &mut verdict);
    if !verdict.failures.is_empty() && std::env::var_os("VDIR_KEEP").is_some() {
        verdict.failures.push(format!("kept in {}", world.dir.display()));
    }
    verdict
}

/// `sync A`, `sync A`, `sync B`: the healthy side and B lose nothing, and who is not healed says so.
fn unattended(world: &World, cell: Cell, sides: Sides, (wanted, before): (&Wanted, &[Set; 2]), verdict: &mut Verdict) {
    let mut order = match cell.row {
        Row::OtherDeviceFirst => vec!["b", "a", "a"],
        Row::Drip => vec!["a"; 30],
        _ => vec!["a", "a"],
    };
    order.push("b");
    let mut first: Option<Ran> = None;
    let mut last = 0;
    for (at, device) in order.iter().enumerate() {
        if cell.row == Row::Drip && *device == "a" {
            fault::drip(world, sides);
        }
        let ran = world.sync(device);
        if ![0, 2, 3].contains(&ran.exit) {
            verdict.failures.push(format!("run {at} ends with {}: {}", ran.exit, ran.said));
        }
        if ran.exit != 0 && !is_typed(&ran) {
            verdict.failures.push(format!("run {at} ends with {} and no typed reason: {}", ran.exit, ran.said));
        }
        // B and the server may be in step while A is not.
        if *device == "a" {
            last = ran.exit;
            first.get_or_insert(ran);
        }
    }
    let first = first.expect("it ran");
    verdict.named = named(&first);
    // What was deleted on purpose is meant, but only an answer takes it from the others.
    let on_purpose = Wanted { set: before[0].clone(), ..wanted.clone() };
    let kept = if cell.row.is_on_purpose() { &on_purpose } else { wanted };
    let loss = Loss::of(&world.set(sides.healthy), kept);
    let beside = Loss::of(&world.set("b"), kept);
    let is_whole = |loss: Loss| loss == Loss::default();
    let is_untouched = is_whole(loss) || (cell.row == Row::OtherDeviceFirst && loss.lost == 0 && loss.more == 0);
    let is_healed = [sides.faulty, sides.healthy].iter().all(|side| is_whole(Loss::of(&world.set(side), wanted)))
        && world.set("a") == world.set("server");
    let rc = first.exit;
    verdict.unattended = match (is_untouched, is_healed) {
        (_, true) => format!("healed rc{rc}"),
        (true, false) => format!("held rc{rc}"),
        (false, false) => format!("-{} ~{} +{} rc{rc}", loss.lost, loss.overwritten, loss.more),
    };
    if !is_untouched && !is_healed {
        verdict.failures.push(format!("{}: {}", verdict.unattended, first.said));
    }
    if beside.lost + beside.more > 0 {
        verdict.failures.push(format!("B: -{} ~{} +{}", beside.lost, beside.overwritten, beside.more));
    }
    if !is_healed && (last == 0 || rc == 0) {
        verdict.failures.push(format!("held, and it ends with {rc} and at last {last}: {}", first.said));
    }
}

/// What the report calls the sides that are not as they were.
fn named(ran: &Ran) -> Vec<String> {
    let sides = ran.report["continuity"].as_array().cloned().unwrap_or_default();
    let name = |side: &serde_json::Value| match &side["continuity"] {
        serde_json::Value::String(name) => name.clone(),
        serde_json::Value::Object(names) => {
            names.values().next().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
        }
        _ => "?".into(),
    };
    sides.iter().map(name).filter(|name| !["Intact", "First"].contains(&name.as_str())).collect()
}

/// Whether a program can tell why it did not end in step.
fn is_typed(ran: &Ran) -> bool {
    !named(ran).is_empty() || ran.report["held"].as_array().is_some_and(|held| !held.is_empty())
}

/// Does what the report prints first, until everybody is in step; then everybody has what is wanted.
fn way_out(world: &World, cell: Cell, wanted: &Wanted, verdict: &mut Verdict) {
    for device in ["a", "b", "a"] {
        let mut steps = 0;
        loop {
            let ran = world.run(&[device, "server"]);
            if ran.exit == 0 {
                break;
            }
            steps += 1;
            if steps > MAX_STEPS {
                verdict.failures.push(format!("no way out is left for {device}: {}", ran.said));
                return;
            }
            // Where nothing is printed, the next run goes on.
            for command in commands(&ran.said, cell.row.is_approved()) {
                let done = world.shell(&command);
                if ![0, 3].contains(&done.exit) {
                    verdict.failures.push(format!("'{command}' ends with {}: {}", done.exit, done.said));
                    return;
                }
                verdict.way_out.push(command);
            }
        }
    }
    for side in ["a", "server", "b"] {
        let loss = Loss::of(&world.set(side), wanted);
        if loss != Loss::default() {
            let Loss { lost, overwritten, more } = loss;
            verdict.failures.push(format!("after the way out {side}: -{lost} ~{overwritten} +{more}"));
        }
    }
    if world.set("a") != world.set("server") {
        verdict.failures.push("after the way out, the sides differ".into());
    }
}

/// The commands of the first way out that is printed, or of the second: what is indented by four.
fn commands(said: &str, is_approval: bool) -> Vec<String> {
    let mut ways: Vec<Vec<String>> = Vec::new();
    let mut is_inside = false;
    for line in said.lines() {
        match line.strip_prefix("    ") {
            Some(command) => {
                if !is_inside {
                    ways.push(Vec::new());
                }
                if let Some(way) = ways.last_mut() {
                    way.push(command.replace("NAME", "ann"));
                }
                is_inside = true;
            }
            None => is_inside = false,
        }
    }
    let way = ways.into_iter().nth(usize::from(is_approval));
    way.unwrap_or_default()
}
