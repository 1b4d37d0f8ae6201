//! The `limits` section: `all: round 2 or 3 %`, `people: identifying name`.

use std::collections::BTreeMap;

use holdfast::decide::{
    guard::Guard,
    limits::{Budget, Count, Limits, Percent, Threshold},
};

use super::{
    file::{Failure, Line},
    names,
};

/// The guard of every replica in a scenario.
pub fn guard<'a>(lines: impl Iterator<Item = &'a Line>) -> Result<Guard, Failure> {
    let mut by_scope: BTreeMap<String, Limits> = BTreeMap::new();
    for line in lines {
        let (scope, rule) = line.text.split_once(": ").ok_or_else(|| line.fails("no scope, as in 'people: ..'"))?;
        let limits = by_scope.entry(scope.into()).or_insert(Limits::STANDARD);
        set(limits, rule).map_err(|found| line.fails(&found))?;
    }
    let mut guard = Guard::new(by_scope.get("all").unwrap_or(&Limits::STANDARD));
    for (scope, limits) in by_scope.iter().filter(|(scope, _)| *scope != "all") {
        let of = names::collection(scope).expect("a name that was a word");
        guard = guard.with_collection(of, limits);
    }
    Ok(guard)
}

fn set(limits: &mut Limits, rule: &str) -> Result<(), String> {
    let words: Vec<&str> = rule.split_whitespace().collect();
    match words.as_slice() {
        ["identifying", family] => limits.identifying = Some((*family).into()),
        ["floor", percent, "%"] => limits.floor = Percent::new(number(percent)?),
        ["floor", "from", count] => limits.floor_from = Count(number(count)?),
        ["zero", "from", count] => limits.zero_collection_from = Count(number(count)?),
        ["account", "zero", "from", count] => limits.zero_account_from = Count(number(count)?),
        ["bulk", "from", count] => limits.bulk_delete = Count(number(count)?),
        [name @ .., count, "or", percent, "%"] => {
            let (count, percent) = (Count(number(count)?), Percent::new(number(percent)?));
            match name {
                ["round"] => limits.round = Budget { count, percent },
                ["unauthored", "round"] => limits.unauthored_round = Budget { count, percent },
                ["unauthored", "open"] => limits.unauthored_open = Budget { count, percent },
                ["emptied"] => limits.emptied = Threshold { count, percent },
                ["overwritten"] => limits.overwritten = Threshold { count, percent },
                ["overwritten", "small"] => limits.overwritten_small = Threshold { count, percent },
                _ => return Err(format!("no such limit: {name:?}")),
            }
        }
        _ => return Err("not a limit".into()),
    }
    Ok(())
}

fn number<N: std::str::FromStr>(word: &str) -> Result<N, String> {
    word.parse().map_err(|_| format!("not a number: '{word}'"))
}
