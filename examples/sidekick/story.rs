//! The story: what a person reads between the drills and the table.

use std::fmt;

use super::{
    check::Promise,
    run::{Checked, HolderCounts},
};

/// Who has which phone.
pub(crate) const PEOPLE: [&str; 6] = ["Ada", "Ben", "Cho", "Dee", "Eve", "Fay"];

pub(crate) fn name(phone: usize) -> &'static str {
    PEOPLE.get(phone).copied().unwrap_or("somebody")
}

pub(crate) fn plural(count: usize, of: &str) -> String {
    format!("{count} {of}{}", if count == 1 { "" } else { "s" })
}

/// `one`, `one and two`, `one, two and three`.
pub(crate) fn list(parts: impl Iterator<Item = String>) -> String {
    let mut parts: Vec<_> = parts.collect();
    let last = parts.pop().unwrap_or_default();
    if parts.is_empty() { last } else { format!("{} and {last}", parts.join(", ")) }
}

/// Where lines break.
const WIDTH: usize = 110;

/// One paragraph of the story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// What happens.
    Scene(String),
    /// What the plain mirror makes of it.
    Mirror(String),
    /// What Holdfast makes of it.
    Holdfast(String),
    /// The same, of one more phone.
    More(String),
    /// What the library says.
    Quote(String),
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, then, text) = match self {
            Self::Scene(text) => ("  ", "  ", text),
            Self::Mirror(text) => ("  plain mirror  ", "                ", text),
            Self::Holdfast(text) => ("  Holdfast      ", "                ", text),
            Self::More(text) => ("                ", "                ", text),
            Self::Quote(text) => ("                | ", "                |   ", text),
        };
        let mut prefix = first;
        for paragraph in text.lines() {
            let mut line = String::from(prefix);
            let mut is_begun = false;
            for word in paragraph.split_whitespace() {
                if is_begun && line.len() + word.len() >= WIDTH {
                    writeln!(f, "{line}")?;
                    line = then.to_owned();
                    is_begun = false;
                }
                line.push_str(if is_begun { " " } else { "" });
                line.push_str(word);
                is_begun = true;
            }
            writeln!(f, "{line}")?;
            prefix = then;
        }
        Ok(())
    }
}

/// People who synced one after the other, in both households.
pub(crate) fn of_round(told: &[(&str, [Checked; 2])]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut mirror: Vec<(Vec<String>, String)> = Vec::new();
    for (who, [checked, _]) in told {
        let text = change(checked);
        match mirror.last_mut() {
            Some((others, same)) if *same == text => others.push((*who).to_owned()),
            _ => mirror.push((vec![(*who).to_owned()], text)),
        }
    }
    let mirror = mirror.into_iter().map(|(who, text)| format!("{} {text}", list(who.into_iter())));
    lines.push(Line::Mirror(mirror.collect::<Vec<_>>().join(", ")));
    let mut heard = String::new();
    for (who, [_, checked]) in told {
        let mut text = format!("{who} {}; {} sent", change(checked), checked.synced.sent);
        if let Some(named) = checked.synced.named.values().next() {
            let is_the_same = heard == named.loss;
            text += &if is_the_same { "; hears the same".to_owned() } else { format!("; hears: {}", named.loss) };
            heard.clone_from(&named.loss);
        }
        lines.push(if lines.len() == 1 { Line::Holdfast(text) } else { Line::More(text) });
    }
    lines
}

/// What everybody has in the end.
pub(crate) fn end(should: [usize; 4], holders: &[HolderCounts]) -> Line {
    let all: usize = should.iter().sum();
    let short = holders.iter().filter(|holder| holder.holdfast != should);
    let short = short.map(|holder| format!("{} has {}", holder.holder, holder.holdfast.iter().sum::<usize>()));
    let short: Vec<_> = short.collect();
    Line::More(if short.is_empty() {
        format!("In the end the phones, the server and a phone bought today have all {all}.")
    } else {
        format!("In the end there should be {all} everywhere, and of these {}.", list(short.into_iter()))
    })
}

/// How many records a phone shows before and after a sync, and what nobody asked for.
fn change(checked: &Checked) -> String {
    let [before, after] = checked.shown;
    let harm = Promise::ALL.into_iter().zip(checked.harm).filter(|(_, count)| *count > 0);
    let harm = harm.map(|(promise, count)| {
        let what = match promise {
            Promise::NothingRemoved => "removed",
            Promise::EditsMerged => "set back",
            Promise::DeletesStay => "back from the trash",
            Promise::LossNamed | Promise::ServerRebuilt => "wrong",
        };
        format!("{count} {what}")
    });
    let harm = harm.collect::<Vec<_>>().join(", ");
    if harm.is_empty() { format!("{before} -> {after}") } else { format!("{before} -> {after} ({harm})") }
}
