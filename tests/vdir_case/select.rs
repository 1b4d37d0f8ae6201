//! Which files a line speaks of: `5`, `last 5`, `random 5`, `half`, `90%`, `all`, `p001`, `p001..p020`.

use std::path::{Path, PathBuf};

use super::{
    tree,
    world::{Place, World},
};

/// The collection where a line names none.
pub const PEOPLE: &str = "people";

/// Takes `in friends` off the end.
pub fn collection<'a>(words: &'a [&'a str]) -> (&'a [&'a str], &'a str) {
    match words {
        [rest @ .., "in" | "from" | "to", collection] => (rest, collection),
        _ => (words, PEOPLE),
    }
}

/// The chosen files of this folder, from its root, in the order of their names.
pub fn files(world: &mut World, place: Place, words: &[&str]) -> Result<Vec<PathBuf>, String> {
    let (words, collection) = collection(words);
    // Nobody edits what a killed run left unfinished.
    let is_hidden = |path: &Path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let all: Vec<PathBuf> = tree::visible(world.root(place))
        .into_iter()
        .filter(|(path, node)| path.starts_with(collection) && node.bytes().is_some() && !is_hidden(path))
        .map(|(path, _)| path)
        .collect();
    let count = |word: &str| number(word, all.len());
    let chosen: Vec<PathBuf> = match words {
        ["all"] => all.clone(),
        ["half"] => all.iter().take(all.len() / 2).cloned().collect(),
        ["last", n] => all.iter().skip(all.len().saturating_sub(count(n)?)).cloned().collect(),
        ["random", n] => {
            let (n, mut left) = (count(n)?, all.clone());
            (0..n.min(all.len())).map(|_| left.swap_remove(world.random(left.len()))).collect()
        }
        [n] if n.starts_with(|c: char| c.is_ascii_digit()) => all.iter().take(count(n)?).cloned().collect(),
        [range] => {
            let names = names(range)?;
            let stem = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            all.iter().filter(|path| stem(path).is_some_and(|stem| names.contains(&stem))).cloned().collect()
        }
        _ => return Err(format!("no choice of files: {words:?}")),
    };
    if chosen.is_empty() { Err(format!("none of {} files in {collection}", all.len())) } else { Ok(chosen) }
}

/// `20`, or `99.5%` of so many, rounded down.
pub fn number(word: &str, of: usize) -> Result<usize, String> {
    let failed = |_| format!("no number: {word}");
    let Some(percent) = word.strip_suffix('%') else { return word.parse().map_err(|_| failed(())) };
    let (whole, tenth) = percent.split_once('.').unwrap_or((percent, "0"));
    let permille =
        whole.parse::<usize>().map_err(|_| failed(()))? * 10 + tenth.parse::<usize>().map_err(|_| failed(()))?;
    Ok(of * permille / 1000)
}

/// `p001..p020`
pub fn names(range: &str) -> Result<Vec<String>, String> {
    let (first, last) = range.split_once("..").unwrap_or((range, range));
    let digits = |name: &str| name.trim_start_matches(|c: char| c.is_ascii_alphabetic()).to_owned();
    let (from, to) = (digits(first), digits(last));
    let letters = first.trim_end_matches(&from);
    let bounds = from.parse::<usize>().ok().zip(to.parse::<usize>().ok());
    let (start, end) = bounds.ok_or_else(|| format!("no such names: {range}"))?;
    Ok((start..=end).map(|n| format!("{letters}{n:0width$}", width = from.len())).collect())
}
