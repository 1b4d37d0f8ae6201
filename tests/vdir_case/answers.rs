//! Answers to what is held, and undoing.

use super::{
    Checked,
    world::{Place, World},
};

/// `approve on A`, `keep people on A`, `approve hold x on A`.
pub fn answer(world: &mut World, verb: &str, words: &[&str]) -> Checked {
    let [which @ .., "on", device] = words else { return Err("on which device?".into()) };
    let device = world.device(device)?;
    let digests = digests(world, which, Some(device))?;
    let option = if verb == "approve" { "--approve" } else { "--keep" };
    let answers: Vec<(&str, String)> = digests.into_iter().map(|digest| (option, digest)).collect();
    world.sync(device, &answers, &["--json"]);
    Ok(())
}

/// `answer on A approve one keep other`: noted holds, all in one run.
pub fn several(world: &mut World, device: &str, words: &[&str]) -> Checked {
    let device = world.device(device)?;
    let mut answers = Vec::new();
    for pair in words.chunks(2) {
        let (option, name) = match pair {
            ["approve", name] => ("--approve", name),
            ["keep", name] => ("--keep", name),
            _ => return Err("which answers?".into()),
        };
        let digests = digests(world, &["hold", name], None)?;
        answers.extend(digests.into_iter().map(|digest| (option, digest)));
    }
    world.sync(device, &answers, &["--json"]);
    Ok(())
}

/// Of what was held when the device was synced last.
fn digests(world: &World, which: &[&str], device: Option<Place>) -> Result<Vec<String>, String> {
    match which {
        ["hold", name] => {
            return world.noted.get(*name).cloned().ok_or_else(|| format!("no hold '{name}' was noted"));
        }
        ["digest", digest] => return Ok(vec![(*digest).into()]),
        _ => {}
    }
    let device = device.map_or_else(|| world.last().map(|run| run.device), Ok)?;
    let held = world.held.get(&device).map_or(&[][..], Vec::as_slice);
    let mut found: Vec<String> = match which {
        [] => held.iter().map(|hold| hold.digest.clone()).collect(),
        [collection] => {
            held.iter().filter(|hold| hold.collection == *collection).map(|hold| hold.digest.clone()).collect()
        }
        [collection, "for", place] => {
            let side = if world.place(place)? == Place::Server { "right" } else { "left" };
            let is_it = |hold: &&super::report::Held| hold.collection == *collection && hold.side == side;
            held.iter().filter(is_it).map(|hold| hold.digest.clone()).collect()
        }
        _ => return Err("which hold?".into()),
    };
    found.sort();
    found.dedup();
    if found.is_empty() { Err(format!("no such hold in {held:?}")) } else { Ok(found) }
}

/// `note hold as x`, `note hold people for A as x`, `note receipt of A as r`.
pub fn note(world: &mut World, words: &[&str]) -> Checked {
    match words {
        ["hold", which @ .., "as", name] => {
            let digests = digests(world, which, None)?;
            world.noted.insert((*name).into(), digests);
        }
        ["receipt", "of", device, "as", name] => {
            let receipt = receipt(world, world.device(device)?)?;
            world.noted.insert((*name).into(), vec![receipt]);
        }
        _ => return Err("what is to be noted?".into()),
    }
    Ok(())
}

/// `undo on A`, `undo r on A`.
pub fn undo(world: &mut World, words: &[&str]) -> Checked {
    let (device, receipt) = match words {
        ["on", device] => {
            let device = world.device(device)?;
            (device, receipt(world, device)?)
        }
        ["receipt", receipt, "on", device] => (world.device(device)?, (*receipt).into()),
        [name, "on", device] => {
            let noted = world.noted.get(*name).and_then(|noted| noted.first()).cloned();
            (world.device(device)?, noted.ok_or_else(|| format!("no receipt '{name}'"))?)
        }
        _ => return Err("on which device?".into()),
    };
    world.sync(device, &[("--undo", receipt)], &["--json"]);
    Ok(())
}

fn receipt(world: &World, device: Place) -> Result<String, String> {
    world.receipts.get(&device).cloned().ok_or_else(|| format!("{device:?} has no receipt"))
}
