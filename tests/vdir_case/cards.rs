//! Cards and appointments, made from their number; and what of a file counts.

/// The lines of an item as a person reads them: unfolded, sorted, each with all the texts that are right for it. There
/// is more than one where two people wrote different ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub lines: Vec<Vec<String>>,
}

/// Properties of which there is one. Where two people wrote different ones of the others, the item may have both.
const SINGLE: [&str; 3] = ["FN", "N", "SUMMARY"];

impl Item {
    pub fn read(bytes: &[u8]) -> Self {
        Self { lines: plain(bytes).into_iter().map(|line| vec![line]).collect() }
    }

    /// Whether these bytes say the same, in any order and folded anywhere.
    pub fn is(&self, bytes: &[u8]) -> bool {
        let mut found = plain(bytes);
        let is_there = |texts: &Vec<String>, found: &mut Vec<String>| {
            let is_many = texts.first().is_some_and(|text| !SINGLE.iter().any(|single| is_of(text, single)));
            let most = if is_many { texts.len() } else { 1 };
            let take = |found: &mut Vec<String>| {
                let at = found.iter().position(|other| texts.contains(other));
                at.map(|at| found.swap_remove(at)).is_some()
            };
            (0..most).filter(|_| take(found)).count() > 0
        };
        // Lines with one right text first: they can not give way.
        let (one, many): (Vec<_>, Vec<_>) = self.lines.iter().partition(|line| line.len() == 1);
        one.into_iter().chain(many).all(|line| is_there(line, &mut found)) && found.is_empty()
    }

    /// Whether these bytes say all of it, and perhaps more.
    pub fn is_in(&self, bytes: &[u8]) -> bool {
        let found = plain(bytes);
        self.lines.iter().all(|texts| texts.iter().any(|text| found.contains(text)))
    }

    /// The lines that differ, in words.
    pub fn against(&self, bytes: &[u8]) -> String {
        let found = plain(bytes);
        let lacks: Vec<_> = self.lines.iter().filter(|texts| !texts.iter().any(|text| found.contains(text))).collect();
        let is_meant = |line: &&String| self.lines.iter().any(|texts| texts.contains(line));
        let has: Vec<_> = found.iter().filter(|line| !is_meant(line)).collect();
        format!("lacks {lacks:?}, has {has:?}")
    }

    /// What people call it.
    pub fn name(&self) -> Option<&str> {
        let mut texts = self.lines.iter().flatten();
        texts.find_map(|line| line.strip_prefix("FN:").or_else(|| line.strip_prefix("SUMMARY:")))
    }

    /// Somebody writes `line` over what stood there for this property. If somebody else did, who had not seen it, both
    /// are right.
    pub fn write(&mut self, property: &str, line: &str, is_beside: bool) {
        let mine = self.lines.iter_mut().find(|texts| texts.iter().any(|text| is_of(text, property)));
        match mine {
            Some(texts) if is_beside => texts.push(line.into()),
            Some(texts) => *texts = vec![line.into()],
            None => self.lines.push(vec![line.into()]),
        }
    }
}

/// The unfolded lines, sorted.
pub fn plain(bytes: &[u8]) -> Vec<String> {
    let mut lines = unfolded(bytes);
    lines.sort();
    lines
}

fn unfolded(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    text.lines().filter(|line| !line.is_empty()).map(Into::into).collect()
}

/// The item's name for life, if it has one.
pub fn uid(bytes: &[u8]) -> Option<String> {
    unfolded(bytes).iter().find_map(|line| line.strip_prefix("UID:").map(Into::into))
}

/// The first line of this property, with its group and parameters: `TEL` finds `item1.TEL;TYPE=cell:..`.
fn is_of(line: &str, property: &str) -> bool {
    let name = line.split([':', ';']).next().unwrap_or_default();
    name.rsplit('.').next() == Some(property)
}

/// The file with `line` for the first line of this property, folded lines elsewhere untouched. None for `line` takes
/// all lines of it away.
pub fn with(bytes: &[u8], property: &str, line: Option<&str>) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let mut out = String::new();
    let (mut is_done, mut is_inside) = (line.is_none(), false);
    for raw in text.split_inclusive('\n') {
        if raw.starts_with([' ', '\t']) {
            if !is_inside {
                out.push_str(raw);
            }
            continue;
        }
        is_inside = is_of(raw, property) && (line.is_none() || !is_done);
        match line {
            Some(line) if is_inside || (!is_done && raw.starts_with("END:")) => {
                out.push_str(&format!("{line}\r\n"));
                is_done = true;
                if !is_inside {
                    out.push_str(raw);
                }
            }
            _ if is_inside => {}
            _ => out.push_str(raw),
        }
    }
    out.into_bytes()
}

/// Another order of the same lines: all between the version and the end, backwards.
pub fn reordered(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let mut lines: Vec<String> = Vec::new();
    for raw in text.split_inclusive('\n') {
        match lines.last_mut() {
            Some(last) if raw.starts_with([' ', '\t']) => last.push_str(raw),
            _ => lines.push(raw.into()),
        }
    }
    let end = lines.len() - 1;
    if let Some(middle) = lines.get_mut(2..end) {
        middle.reverse();
    }
    lines.concat().into_bytes()
}

/// A card with nothing in it but its name for life.
pub fn blank(bytes: &[u8]) -> Vec<u8> {
    let uid = uid(bytes).expect("a UID");
    format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:\r\nN:;;;;\r\nEND:VCARD\r\n").into_bytes()
}

/// The same person's name for life, and nobody's data.
pub fn rewritten(bytes: &[u8]) -> Vec<u8> {
    let uid = uid(bytes).expect("a UID");
    let mut out = bytes.to_vec();
    for (property, value) in
        [("FN", "Somebody Else"), ("N", "Else;Somebody;;;"), ("EMAIL", "else@elsewhere.example"), ("NOTE", "Not me")]
    {
        out = with(&out, property, Some(&format!("{property}:{value} {uid}")));
    }
    for property in ["TEL", "ORG", "X-SKYPE"] {
        out = with(&out, property, None);
    }
    out
}

const GIVEN: [&str; 7] = ["Imani", "Zoé", "Jun", "Aoife", "Mateo", "Søren", "Priya"];
const FAMILY: [&str; 11] =
    ["Ferreira", "Garçon", "Okafor", "Lindqvist", "Tanaka", "Moreau", "Novák", "Haddad", "Silva", "O'Neill", "Weiß"];

/// Card number `n`, in the version that its number gives it.
pub fn card(uid: &str, n: usize) -> Vec<u8> {
    let (given, family) = (GIVEN[n % GIVEN.len()], FAMILY[n % FAMILY.len()]);
    let (version, cell) = if n.is_multiple_of(2) { ("3.0", "TYPE=CELL") } else { ("4.0", "TYPE=cell;VALUE=text") };
    let mut lines = vec![
        "BEGIN:VCARD".into(),
        format!("VERSION:{version}"),
        format!("UID:{uid}"),
        format!("FN:{given} {family} {n}"),
        format!("N:{family};{given};;;"),
        format!("TEL;{cell}:+1-555-{n:04}"),
        format!("EMAIL;TYPE=home:{uid}"),
        format!("NOTE:Met in {}\\, street number {n}.\\nLikes tea.", 1970 + n % 50),
    ];
    if n.is_multiple_of(3) {
        lines.push(format!("ORG:Company {};Department {}", n % 20, n % 7));
    }
    if n % 4 == 1 {
        lines.push(format!("item1.TEL;TYPE=work:+44 20 7946 {n:04}"));
        lines.push("item1.X-ABLabel:Front desk".into());
    }
    if n % 5 == 2 {
        lines.push(format!("X-SKYPE;X-ODD=\"a, b: {n}\":handle.{n}\r\n  and the rest of a folded li\r\n ne"));
    }
    lines.push("END:VCARD".into());
    lines.iter().map(|line: &String| format!("{line}\r\n")).collect::<String>().into_bytes()
}

/// Appointment number `n`.
pub fn event(uid: &str, n: usize) -> Vec<u8> {
    let lines = [
        "BEGIN:VCALENDAR".into(),
        "VERSION:2.0".into(),
        "PRODID:-//Example//Cases//EN".into(),
        "BEGIN:VEVENT".into(),
        format!("UID:{uid}"),
        "DTSTAMP:20250101T120000Z".into(),
        format!("DTSTART;TZID=Europe/Paris:2025{:02}{:02}T090000", 1 + n % 12, 1 + n % 28),
        "DURATION:PT1H".into(),
        format!("SUMMARY:Appointment {n}"),
        format!("DESCRIPTION:Bring paper number {n}\\, and a pen."),
        "BEGIN:VALARM".into(),
        "ACTION:DISPLAY".into(),
        "TRIGGER:-PT15M".into(),
        "DESCRIPTION:Soon".into(),
        "END:VALARM".into(),
        "END:VEVENT".into(),
        "END:VCALENDAR".into(),
    ];
    lines.iter().map(|line: &String| format!("{line}\r\n")).collect::<String>().into_bytes()
}
