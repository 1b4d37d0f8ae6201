//! A scenario file and its sections.

use std::fmt;

/// The sections, in the order in which they stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    Story,
    Before,
    Changes,
    Limits,
    Verdict,
    After,
}

impl Section {
    fn of(text: &str) -> Option<Self> {
        Some(match text {
            "before" => Self::Before,
            "changes" => Self::Changes,
            "limits" => Self::Limits,
            "verdict" => Self::Verdict,
            "after" => Self::After,
            _ => return None,
        })
    }
}

/// One line that says something.
#[derive(Debug, Clone)]
pub struct Line {
    pub at: String,
    pub text: String,
}

impl Line {
    pub fn fails(&self, found: &str) -> Failure {
        Failure { at: self.at.clone(), expected: self.text.clone(), found: found.into() }
    }
}

/// What is wrong, and where.
#[derive(Debug, Clone)]
pub struct Failure {
    /// File and line.
    pub at: String,
    /// What the line says.
    pub expected: String,
    /// What was found instead.
    pub found: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  expected: {}\n  found:    {}", self.at, self.expected, self.found)
    }
}

/// One file.
#[derive(Debug, Clone)]
pub struct Scenario {
    name: String,
    story: Vec<Line>,
    lines: Vec<(Section, Line)>,
    complaints: Vec<Failure>,
}

impl Scenario {
    /// Takes a file apart. What is wrong with its shape is said by [`complaints`](Self::complaints).
    pub fn parse(name: &str, text: &str) -> Self {
        let mut this = Self { name: name.into(), story: Vec::new(), lines: Vec::new(), complaints: Vec::new() };
        let mut section = Section::Story;
        for (index, raw) in text.lines().enumerate() {
            let line = Line { at: format!("{name}:{}", index + 1), text: raw.trim().into() };
            if line.text.is_empty() || line.text.starts_with('#') {
                continue;
            }
            match Section::of(raw) {
                Some(next) if next > section => section = next,
                Some(_) => this.complaints.push(line.fails("a section that stands earlier, or twice")),
                None if section == Section::Story => this.story.push(line),
                None if raw.starts_with("  ") => this.lines.push((section, line)),
                None => this.complaints.push(line.fails("neither a section nor an indented line of one")),
            }
        }
        this
    }

    pub fn lines(&self, section: Section) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |(of, _)| *of == section).map(|(_, line)| line)
    }

    /// The promises that the story says it shows: `Shows S2, S12, L5.`
    pub fn promises(&self) -> Vec<String> {
        let told: Vec<&str> = self.story.iter().map(|line| line.text.as_str()).collect();
        let told = told.join(" ");
        let Some((_, shown)) = told.rsplit_once("Shows ") else { return Vec::new() };
        shown.trim_end_matches('.').split(", ").map(String::from).collect()
    }

    /// What is wrong with the file's shape.
    pub fn complaints(&self) -> Vec<Failure> {
        let mut complaints = self.complaints.clone();
        let whole = |expected: &str, found: &str| Line { at: self.name.clone(), text: expected.into() }.fails(found);
        for (section, name) in [
            (Section::Before, "before"),
            (Section::Changes, "changes"),
            (Section::Verdict, "verdict"),
            (Section::After, "after"),
        ] {
            if self.lines(section).next().is_none() {
                complaints.push(whole(&format!("a section '{name}' with something in it"), "none"));
            }
        }
        if self.story.len() < 2 {
            complaints.push(whole("a title and a story", "less"));
        }
        let promises = self.promises();
        let is_known = |promise: &String| {
            let number = |letter, most| {
                promise.strip_prefix(letter).and_then(|n| n.parse().ok()).is_some_and(|n: u8| (1..=most).contains(&n))
            };
            number('S', 20) || number('L', 7)
        };
        if promises.is_empty() || !promises.iter().all(is_known) {
            complaints.push(whole("a story that ends with 'Shows S1, L2.'", &promises.join(", ")));
        }
        complaints
    }
}
