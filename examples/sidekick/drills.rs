//! The three drills, step by step.

use super::{
    args::Args,
    house::Result,
    records::Kind,
    run::{Done, Life, Outcome, Run},
    story::name,
};

pub(crate) fn all(args: &Args) -> Result<Vec<Outcome>> {
    Ok(vec![the_server_loses_everything(args)?, phones_lose_it_too(args)?, the_server_comes_back_old(args)?])
}

/// Phones with data meet an empty server.
fn the_server_loses_everything(args: &Args) -> Result<Outcome> {
    let mut run = Run::begin('A', "The server loses everything, and the phones still have it.", args)?;
    let all = run.everybody();
    normal_week(&mut run, &all, 2)?;
    run.note_before()?;

    let known = run.known();
    let done = run.live(&Life { who: &all, deletes_one_in: 4, edits_one_in: 25, scribbles: false, known: &known })?;
    run.say(format!("The service is down. People go on without it: {done}."));
    run.edit_together(&known)?;
    run.say("The service is back. Its store and its backup are gone, and an empty server answers.");
    run.fault(None, &all)?;
    run.round(&all)?;
    run.add("New ones come at once. What others deleted goes a sync later: this one removes nothing.");
    run.rebuild(true)?;
    run.end()
}

/// A phone that was restarted, and one that was set up anew, meet an empty server.
fn phones_lose_it_too(args: &Args) -> Result<Outcome> {
    let mut run = Run::begin('B', "The server loses everything, and so do phones.", args)?;
    let all = run.everybody();
    let Some((&last, others)) = all.split_last() else { return Err("there are no phones".into()) };
    normal_week(&mut run, &all, 2)?;
    run.note_before()?;

    let done =
        run.live(&Life { who: others, deletes_one_in: 4, edits_one_in: 25, scribbles: false, known: &run.known() })?;
    run.say(format!("The service is down. People go on without it: {done}."));
    run.fault(None, others)?;
    run.restart(0)?;
    run.reinstall(last)?;
    run.create(last, Kind::Contacts)?;
    let (restarted, set_up) = (name(0), name(last));
    run.say(format!(
        "{restarted} switches the phone off and on. {set_up} sets up a phone from nothing, and types in one number by \
         heart. An empty server answers."
    ));
    let order: Vec<_> = [last].iter().chain(others).copied().collect();
    run.round(&order)?;
    run.say(format!("{set_up} syncs once more."));
    run.round(&[last])?;
    run.rebuild(true)?;
    run.end()
}

/// The server comes back old, twice, with new writes made on it in between.
fn the_server_comes_back_old(args: &Args) -> Result<Outcome> {
    let mut run = Run::begin('C', "The server comes back old, and weeks later older still.", args)?;
    let all = run.everybody();
    let Some((&away, others)) = all.split_last() else { return Err("there are no phones".into()) };
    run.back_up("the first");
    for _ in 0..5 {
        normal_week(&mut run, &all, 8)?;
    }
    run.back_up("yesterday");
    let known = run.known();
    run.say(format!("For five weeks all is well. Then {}'s phone is off for a day, and the others go on.", name(away)));
    run.pass_days(1, others)?;
    run.live(&Life { who: others, deletes_one_in: 4, edits_one_in: 25, scribbles: false, known: &known })?;
    run.settle(others)?;
    run.note_before()?;

    run.fault(Some("yesterday"), others)?;
    let mut done = Done::default();
    for sitting in 1..=2 * args.phones {
        let (deletes_one_in, edits_one_in) = (if sitting == 1 { 4 } else { 0 }, 200);
        let life = Life { who: &[away], deletes_one_in, edits_one_in, scribbles: true, known: &known };
        done = done.and(run.live(&life)?);
        run.sync_each(&[away])?;
    }
    run.say("The server fails, and is restored from yesterday's backup. Nobody says so to anybody.");
    run.say(format!("{}'s phone knows no better: {done} go up, as on any day. Then the others sync.", name(away)));
    run.round(others)?;
    run.rebuild(false)?;

    for _ in 0..2 {
        normal_week(&mut run, &all, 3)?;
    }
    run.fault(Some("the first"), &all)?;
    let known = run.known();
    let life = Life { who: &all, deletes_one_in: 1, edits_one_in: 25, scribbles: false, known: &known };
    let done = run.live(&life)?;
    run.say(format!(
        "Two weeks go by, with new writes on the restored server. Then the oldest state comes back in its place, seven weeks \
         old. On the phones, not sent yet: {done}."
    ));
    run.edit_together(&known)?;
    run.round(&all)?;
    run.rebuild(true)?;
    run.end()
}

/// A week in which everything works.
fn normal_week(run: &mut Run, who: &[usize], deletes_one_in: usize) -> Result<()> {
    run.pass_days(7, who)?;
    run.live(&Life { who, deletes_one_in, edits_one_in: 25, scribbles: false, known: &run.known() })?;
    run.settle(who)
}
