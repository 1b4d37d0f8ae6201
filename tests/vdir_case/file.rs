//! A case file: a title, a story, and the steps, once for each role and each row of its table.

use std::fmt;

/// Who has the fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roles {
    /// The file names folders; nobody is called `faulty` or `healthy`.
    Named,
    /// The server is at fault, and the device is to be protected.
    ServerFaulty,
    /// The device is at fault, and the server is to be protected.
    DeviceFaulty,
}

/// One line that says something.
#[derive(Debug, Clone)]
pub struct Line {
    /// File and line.
    pub at: String,
    pub text: String,
    /// In spaces.
    pub indent: usize,
}

impl Line {
    pub fn fails(&self, found: &str) -> Failure {
        Failure { at: self.at.clone(), expected: self.text.clone(), found: found.into(), label: String::new() }
    }
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failure {
    /// File and line.
    pub at: String,
    /// The role and the row of the table.
    pub label: String,
    /// What the line says.
    pub expected: String,
    /// What was found instead.
    pub found: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, label, expected, found } = self;
        write!(f, "{at} ({label})\n  expected: {expected}\n  found:    {found}")
    }
}

/// The steps as they run once.
#[derive(Debug, Clone)]
pub struct Instance {
    pub label: String,
    pub roles: Roles,
    pub lines: Vec<Line>,
}

/// One file.
#[derive(Debug, Clone)]
pub struct Case {
    /// The file's path in the repository.
    pub name: String,
    pub instances: Vec<Instance>,
    /// What is wrong with the file itself.
    pub complaints: Vec<Failure>,
}

impl Case {
    pub fn parse(name: &str, text: &str) -> Self {
        let mut complaints = Vec::new();
        let lines: Vec<Line> = text
            .lines()
            .zip(1..)
            .map(|(line, n)| Line {
                at: format!("{name}:{n:03}"),
                text: line.trim().into(),
                indent: line.len() - line.trim_start().len(),
            })
            .collect();
        let start = lines.iter().position(|line| line.text == "steps" && line.indent == 0);
        let Some(start) = start else {
            let whole = Line { at: name.into(), text: "a line 'steps'".into(), indent: 0 };
            return Self { name: name.into(), instances: Vec::new(), complaints: vec![whole.fails("none")] };
        };
        let (head, steps) = lines.split_at(start);
        let steps: Vec<&Line> =
            steps.iter().skip(1).filter(|line| !line.text.is_empty() && !line.text.starts_with('#')).collect();
        if let Some(line) = steps.iter().find(|line| !line.text.is_ascii() && !line.text.contains('"')) {
            complaints.push(line.fails("letters outside ASCII stand in quotes"));
        }
        let is_blank = |n: usize| head.get(n).is_some_and(|line| line.text.is_empty());
        let has_title = head.first().is_some_and(|line| !line.text.is_empty()) && is_blank(1) && !is_blank(2);
        let checks_something = steps.iter().any(|line| line.text.contains("expect "));
        for (is_there, what) in
            [(has_title, "a title, an empty line and a story"), (checks_something, "something that is expected")]
        {
            if !is_there {
                complaints.push(Line { at: name.into(), text: what.into(), indent: 0 }.fails("none"));
            }
        }
        let is_mirrored = head.iter().any(|line| line.indent == 0 && line.text == "roles both");
        let roles: &[Roles] = if is_mirrored { &[Roles::ServerFaulty, Roles::DeviceFaulty] } else { &[Roles::Named] };
        let rows = table(head);
        let instances = rows.iter().flat_map(|row| roles.iter().map(|roles| instance(row, *roles, &steps))).collect();
        Self { name: name.into(), instances, complaints }
    }
}

type Row = Vec<(String, String)>;

/// The rows of the table in the head: each names every column's value.
fn table(head: &[Line]) -> Vec<Row> {
    let Some(at) = head.iter().position(|line| line.indent == 0 && line.text.starts_with("table ")) else {
        return vec![Vec::new()];
    };
    let (columns, rows) = head.split_at(at + 1);
    let columns = columns.last().map_or("", |line| line.text.as_str()).split_whitespace().skip(1);
    let columns: Vec<&str> = columns.collect();
    let rows = rows.iter().take_while(|line| line.indent > 0);
    rows.map(|row| columns.iter().map(|c| (*c).into()).zip(row.text.split_whitespace().map(Into::into)).collect())
        .collect()
}

fn instance(row: &Row, roles: Roles, steps: &[&Line]) -> Instance {
    let said = row.iter().map(|(column, value)| format!("{column} {value}"));
    let role = match roles {
        Roles::Named => None,
        Roles::ServerFaulty => Some("server faulty".into()),
        Roles::DeviceFaulty => Some("device faulty".into()),
    };
    let label: Vec<String> = role.into_iter().chain(said).collect();
    let lines = steps.iter().filter_map(|line| {
        let text = match (line.text.strip_prefix("server faulty: "), line.text.strip_prefix("device faulty: ")) {
            (Some(text), _) => (roles == Roles::ServerFaulty).then_some(text)?,
            (_, Some(text)) => (roles == Roles::DeviceFaulty).then_some(text)?,
            _ => line.text.as_str(),
        };
        Some(Line { text: filled(text, row), ..(*line).clone() })
    });
    let label = if label.is_empty() { "once".into() } else { label.join(", ") };
    Instance { label, roles, lines: lines.collect() }
}

fn filled(text: &str, row: &Row) -> String {
    let words = text.split(' ').map(|word| {
        let bare = word.trim_end_matches([',', '%']);
        let value = row.iter().find(|(column, _)| column == bare).map(|(_, value)| value);
        value.map_or_else(|| word.into(), |value| word.replacen(bare, value, 1))
    });
    words.collect::<Vec<String>>().join(" ")
}
