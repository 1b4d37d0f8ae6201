//! An expectation made false: every line that passes must fail in this form, or it looks at nothing.

/// Words and their opposites.
const OPPOSITES: [(&str, &str); 13] = [
    ("something", "nothing"),
    ("equal", "different"),
    ("refused", "accepted"),
    ("untouched", "touched"),
    ("kept", "gone"),
    ("like", "unlike"),
    ("as", "otherwise"),
    ("names", "hides"),
    ("has", "lacks"),
    ("whole", "whole but for 1"),
    ("lacks", "has"),
    ("right", "wrong"),
    ("no", "a"),
];

/// The line with its last text, number or word exchanged for one that is not true as well. None if there is no such.
pub fn altered(line: &str) -> Option<String> {
    if let Some(end) = line.rfind('"') {
        return Some(format!("{}walrus{}", &line[..end], &line[end..]));
    }
    let words: Vec<&str> = line.split(' ').collect();
    if let Some(at) = words.iter().position(|word| *word == "most" || *word == "least") {
        let (turned, step) = if words[at] == "most" { ("least", 1) } else { ("most", -1) };
        let n: i64 = words.get(at + 1)?.parse().ok()?;
        let n = (n + step).to_string();
        let exchanged = words.iter().enumerate().map(|(i, word)| match i {
            i if i == at => turned,
            i if i == at + 1 => n.as_str(),
            _ => word,
        });
        return Some(exchanged.collect::<Vec<_>>().join(" "));
    }
    let is_named = words.contains(&"file") || words.contains(&"like");
    if !is_named && line.contains(|c: char| c.is_ascii_digit()) {
        // Every number: of `0 or 3`, neither is true then.
        return Some(words.iter().map(|word| raised(word)).collect::<Vec<_>>().join(" "));
    }
    let mut words = words.into_iter();
    let first = words.next()?;
    let mut is_done = false;
    let exchanged = words.map(|word| {
        let opposite = OPPOSITES.iter().find_map(|(one, other)| match word {
            word if word == *one => Some(*other),
            word if word == *other => Some(*one),
            _ => None,
        });
        match opposite {
            Some(opposite) if !is_done => {
                is_done = true;
                opposite
            }
            _ => word,
        }
    });
    let text = [first].into_iter().chain(exchanged).collect::<Vec<_>>().join(" ");
    is_done.then_some(text)
}

/// The last number in a word, 40 higher.
fn raised(word: &str) -> String {
    let Some(end) = word.rfind(|c: char| c.is_ascii_digit()).map(|at| at + 1) else { return word.into() };
    let (before, after) = word.split_at(end);
    let start = before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (before, digits) = before.split_at(start);
    let raised = digits.parse::<u64>().map_or(0, |n| n + 40);
    format!("{before}{raised:0width$}{after}", width = digits.len())
}
