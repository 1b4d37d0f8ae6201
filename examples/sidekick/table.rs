//! The end: what each holder has, and which promises held.

use std::fmt;

use super::{
    check::{Promise, tally},
    run::{HolderCounts, Outcome},
};

/// Wrong ones that are told one by one.
const MAX_TOLD: usize = 10;

/// What each holder has.
pub(crate) struct Table<'o>(pub(crate) &'o [Outcome]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(outcomes) = self;
        let rows: Vec<_> = outcomes.iter().flat_map(rows).collect();
        let label = rows.iter().map(|(label, _)| label.len()).max().unwrap_or_default().max("What each has".len());
        let most = outcomes.iter().map(|outcome| outcome.should.iter().sum::<usize>()).max().unwrap_or_default();
        let width = most.to_string().len().max(4) + 1;
        let columns = width * 5 + 3;
        write!(f, "{:<label$}  ", "What each has")?;
        writeln!(f, "{:<columns$}{:<columns$}after: Holdfast", "before", "after: plain mirror")?;
        let kinds = ["cont", "appt", "todo", "phot", "all"].map(|kind| format!("{kind:>width$}")).concat();
        writeln!(f, "{:label$}{kinds}   {kinds}   {kinds}", "")?;
        for (holder, counts) in rows {
            let cells = counts.map(|counts| {
                let all = counts.iter().sum();
                counts.into_iter().chain([all]).map(|count: usize| format!("{count:>width$}")).collect::<String>()
            });
            writeln!(f, "{holder:<label$}{}", cells.join("   "))?;
        }
        writeln!(
            f,
            "After: records that are as people left them. Contacts, appointments, to-dos, photo notes, and all together."
        )
    }
}

/// A row for each holder of a drill; phones that have the same are one row.
fn rows(outcome: &Outcome) -> Vec<(String, [[usize; 4]; 3])> {
    let mut rows: Vec<(String, [[usize; 4]; 3])> = Vec::new();
    for HolderCounts { holder, before, mirror, holdfast } in &outcome.holders {
        let (counts, owner) = ([*before, *mirror, *holdfast], holder.strip_suffix("'s phone"));
        match (owner, rows.last_mut()) {
            (Some(owner), Some((owners, same))) if *same == counts => *owners += &format!(", {owner}"),
            _ => rows.push((format!("{} {}", outcome.letter, owner.unwrap_or(holder)), counts)),
        }
    }
    rows
}

/// Which promises held, and how often each one broke in each drill.
pub(crate) struct Promises<'o>(pub(crate) &'o [Outcome]);

impl Promises<'_> {
    /// How often a promise broke with Holdfast.
    pub(crate) fn broken(&self) -> usize {
        self.0.iter().map(|outcome| outcome.holdfast.len()).sum()
    }
}

impl fmt::Display for Promises<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(outcomes) = self;
        let letters: String = outcomes.iter().map(|outcome| format!("{:>7}", outcome.letter)).collect();
        let columns = outcomes.len() * 7 + 3;
        writeln!(
            f,
            "{:<48}{:<columns$}{:<columns$}held with",
            "How often it broke, in each drill", "plain mirror", "Holdfast"
        )?;
        writeln!(f, "{:<44}{letters}   {letters}   Holdfast?", "")?;
        for (place, promise) in Promise::ALL.into_iter().enumerate() {
            let row = |wrongs: fn(&Outcome) -> [usize; 5]| {
                let counts = outcomes.iter().map(|outcome| wrongs(outcome).get(place).copied().unwrap_or_default());
                counts.collect::<Vec<_>>()
            };
            let cells = |counts: &[usize]| counts.iter().map(|count| format!("{count:>7}")).collect::<String>();
            let (mirror, holdfast) = (row(|outcome| tally(&outcome.mirror)), row(|outcome| tally(&outcome.holdfast)));
            let held = if holdfast.iter().sum::<usize>() == 0 { "yes" } else { "NO" };
            writeln!(f, "{:<44}{}   {}   {held}", promise.to_string(), cells(&mirror), cells(&holdfast))?;
        }
        let wrongs = outcomes.iter().flat_map(|outcome| outcome.holdfast.iter().map(|wrong| (outcome.letter, wrong)));
        for (letter, wrong) in wrongs.take(MAX_TOLD) {
            writeln!(f, "{letter}: {wrong}")?;
        }
        match self.broken() {
            0 => f.write_str("Every promise held."),
            broken => write!(f, "BROKEN: {broken} times."),
        }
    }
}
