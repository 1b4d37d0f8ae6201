//! Names of records in a scenario: `ada`, `p001..p030`, `ada,bob`, `tasks:t01..t05`.

use holdfast::values::id::{CollectionId, RecordId};

/// The collection of names that do not say one.
pub const PEOPLE: &str = "people";

pub type Name = (CollectionId, RecordId);

pub fn collection(name: &str) -> Result<CollectionId, String> {
    CollectionId::new(name).map_err(|error| error.to_string())
}

/// The records that a word names, in the order named.
pub fn records(word: &str) -> Result<Vec<Name>, String> {
    let (of, names) = word.split_once(':').unwrap_or((PEOPLE, word));
    let of = collection(of)?;
    let mut all = Vec::new();
    for part in names.split(',') {
        for name in range(part)? {
            all.push((of.clone(), RecordId::new(name).map_err(|error| error.to_string())?));
        }
    }
    Ok(all)
}

/// The only record that a word names.
pub fn record(word: &str) -> Result<Name, String> {
    let [one] = <[Name; 1]>::try_from(records(word)?).map_err(|_| format!("one record, not '{word}'"))?;
    Ok(one)
}

fn range(part: &str) -> Result<Vec<String>, String> {
    let Some((first, last)) = part.split_once("..") else { return Ok(vec![part.into()]) };
    let unread = || format!("a range of records: '{part}'");
    let (stem, from) = numbered(first).ok_or_else(unread)?;
    let (same, to) = numbered(last).ok_or_else(unread)?;
    let width = first.len() - stem.len();
    if stem != same || last.len() != first.len() || from > to {
        return Err(unread());
    }
    Ok((from..=to).map(|number| format!("{stem}{number:0width$}")).collect())
}

fn numbered(name: &str) -> Option<(&str, u32)> {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    Some((stem, name.strip_prefix(stem)?.parse().ok()?))
}

/// The shortest way to say these records, as ranges; for messages.
pub fn said<'a>(names: impl IntoIterator<Item = &'a Name>) -> String {
    let mut runs: Vec<(String, String)> = Vec::new();
    for (of, record) in names {
        let prefix = if of.as_str() == PEOPLE { String::new() } else { format!("{of}:") };
        let name = format!("{prefix}{record}");
        match runs.last_mut() {
            Some((_, last)) if follows(last, &name) => *last = name,
            _ => runs.push((name.clone(), name)),
        }
    }
    let run = |(first, last): &(String, String)| {
        if first == last { first.clone() } else { format!("{first}..{last}") }
    };
    if runs.is_empty() { "nothing".into() } else { runs.iter().map(run).collect::<Vec<_>>().join(",") }
}

fn follows(last: &str, next: &str) -> bool {
    match (numbered(last), numbered(next)) {
        (Some((stem, before)), Some((same, after))) => stem == same && after == before + 1,
        _ => false,
    }
}
