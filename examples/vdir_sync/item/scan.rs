//! One pass over a whole file, however large or deep: is it one complete item, and whose?
//!
//! It takes no recursion, and of memory 4 bytes for each component that is open.

use super::{
    Kind, MAX_LINES,
    content::is_blank_line,
    error::ItemError,
    lines::{Line, Lines},
    place::is_main,
    property::{Header, MAX_READ_BYTES, display, is_name},
};

/// The byte order mark.
pub(super) const MARK: &[u8] = b"\xef\xbb\xbf";
/// The largest file, in bytes, inclusive: offsets have 4 bytes.
const MAX_BYTES: usize = 0xffff_ffff;
/// Of a text that a message shows, in characters, inclusive.
const MAX_SHOWN: usize = 40;

/// What a pass over a complete item found.
#[derive(Debug)]
pub(super) struct Outline {
    pub(super) kind: Kind,
    /// Logical lines.
    pub(super) lines: usize,
    /// The deepest nesting; a card without components has 1.
    pub(super) depth: usize,
    /// Whether all is content lines, components and blank lines.
    pub(super) is_regular: bool,
    pub(super) uid: Option<String>,
    pub(super) name: Option<String>,
    /// Where the item's `END` begins, in bytes without the mark.
    pub(super) end: usize,
    /// Where the `END` of a calendar's main component begins.
    pub(super) main_end: Option<usize>,
}

/// Reads the outline.
///
/// # Errors
/// [`ItemError`] if this is not one complete item.
pub(super) fn scan(file: &str, bytes: &[u8]) -> Result<Outline, ItemError> {
    let name = || file.to_owned();
    if bytes.is_empty() {
        return Err(ItemError::Empty { file: name() });
    }
    if bytes.len() > MAX_BYTES {
        return Err(ItemError::TooLarge { file: name(), found: bytes.len(), max: MAX_BYTES });
    }
    if bytes.contains(&0) {
        let at = bytes.iter().position(|byte| *byte == 0).unwrap_or_default();
        return Err(ItemError::NotText { file: name(), at });
    }
    let text = bytes.strip_prefix(MARK).unwrap_or(bytes);
    let mut lines = Lines::new(text).enumerate().skip_while(|(_, line)| line.first().is_empty());
    let root = lines.next().map(|(_, line)| line);
    let kind = root.and_then(root_kind).ok_or_else(|| {
        let found = shown(root.map_or(b"", Line::first));
        ItemError::NotAnItem { file: name(), found }
    })?;
    let mut scan = Scan::new(file, text, kind);
    scan.open(root.map_or(0, |line| line.start))?;
    for (number, line) in lines {
        scan.outline.lines = number.saturating_add(1);
        scan.line(line)?;
    }
    scan.finish()
}

/// A `BEGIN` or an `END`, and of which component, as it is spelled.
pub(super) fn edge(line: Line<'_>) -> Option<(bool, &str)> {
    edge_of(line.first()).filter(|_| !line.is_folded())
}

/// The same, of a line in one piece.
pub(super) fn edge_of(line: &[u8]) -> Option<(bool, &str)> {
    let (word, name) = line.split_at_checked(line.iter().position(|byte| *byte == b':')?.saturating_add(1))?;
    let is_begin = word.eq_ignore_ascii_case(b"BEGIN:");
    let name = str::from_utf8(name).ok()?.trim_ascii();
    ((is_begin || word.eq_ignore_ascii_case(b"END:")) && is_name(name)).then_some((is_begin, name))
}

fn root_kind(line: Line<'_>) -> Option<Kind> {
    match edge(line) {
        Some((true, name)) if name.eq_ignore_ascii_case("VCARD") => Some(Kind::VCard),
        Some((true, name)) if name.eq_ignore_ascii_case("VCALENDAR") => Some(Kind::ICalendar),
        _ => None,
    }
}

struct Scan<'a> {
    file: &'a str,
    text: &'a [u8],
    /// Where each open component begins. Its name is read from there again.
    open: Vec<u32>,
    outline: Outline,
    /// Whether the item is over.
    is_over: bool,
    /// Of an event, the name, and whether it is an occurrence of another.
    event: (Option<String>, bool),
    /// The first UID, as it is spelled.
    uid: Option<Vec<u8>>,
    /// Of a card, how good the name is: 0 for the best.
    name_rank: usize,
}

impl<'a> Scan<'a> {
    const fn new(file: &'a str, text: &'a [u8], kind: Kind) -> Self {
        let outline =
            Outline { kind, lines: 1, depth: 0, is_regular: true, uid: None, name: None, end: 0, main_end: None };
        let (event, name_rank) = ((None, false), usize::MAX);
        Self { file, text, open: Vec::new(), outline, is_over: false, event, uid: None, name_rank }
    }

    fn line(&mut self, line: Line<'a>) -> Result<(), ItemError> {
        match edge(line) {
            Some((true, name)) if self.is_over => {
                Err(ItemError::SeveralItems { file: self.file.to_owned(), found: format!("BEGIN:{name}") })
            }
            _ if self.is_over && line.first().is_empty() => Ok(()),
            _ if self.is_over => {
                let expected = format!("END:{}", self.root());
                let found = shown(line.first());
                Err(ItemError::Trailing { file: self.file.to_owned(), expected, found })
            }
            Some((true, _)) => self.open(line.start),
            Some((false, name)) => self.close(name, line.start),
            None => self.property(line),
        }
    }

    fn open(&mut self, start: usize) -> Result<(), ItemError> {
        let found = self.text.len();
        let too_large = |_| ItemError::TooLarge { file: self.file.to_owned(), found, max: MAX_BYTES };
        self.open.push(u32::try_from(start).map_err(too_large)?);
        self.outline.depth = self.outline.depth.max(self.open.len());
        if self.open.len() == 2 {
            self.event = (None, false);
        }
        Ok(())
    }

    fn close(&mut self, found: &str, at: usize) -> Result<(), ItemError> {
        let expected = self.innermost();
        if !found.eq_ignore_ascii_case(expected) {
            let (expected, found) = (format!("END:{expected}"), format!("END:{found}"));
            return Err(ItemError::Mismatched { file: self.file.to_owned(), at, expected, found });
        }
        if self.is_in_event() && self.outline.main_end.is_none() {
            let (name, is_occurrence) = std::mem::take(&mut self.event);
            // The main one has the better name, and the first of several occurrences is better than none.
            self.outline.name =
                if is_occurrence { self.outline.name.take().or(name) } else { name.or(self.outline.name.take()) };
            self.outline.main_end = (!is_occurrence).then_some(at);
        }
        self.open.pop();
        self.is_over = self.open.is_empty();
        self.outline.end = at;
        Ok(())
    }

    fn property(&mut self, line: Line<'a>) -> Result<(), ItemError> {
        self.outline.is_regular &= !line.has_lone_return();
        let is_named = match self.outline.kind {
            Kind::VCard => self.open.len() == 1,
            Kind::ICalendar => self.open.len() == 2,
        };
        // Of a long line, it is seen whether it is a property when the item is taken apart, if it is.
        let is_read = is_named || self.outline.lines <= MAX_LINES;
        if line.first().is_empty() || line.len() > MAX_READ_BYTES || !is_read {
            return Ok(());
        }
        let unfolded = line.unfolded();
        let Some(header) = Header::of(&unfolded) else {
            self.outline.is_regular = false;
            return Ok(());
        };
        match self.outline.kind {
            Kind::ICalendar if is_named => self.component_property(&header, &unfolded),
            Kind::VCard if is_named => {
                self.card_property(&header, &unfolded);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn card_property(&mut self, header: &Header<'_>, line: &[u8]) {
        const NAMES: [&str; 5] = ["FN", "N", "NICKNAME", "ORG", "EMAIL"];
        if header.name.eq_ignore_ascii_case("UID") && self.outline.uid.is_none() {
            self.outline.uid = display(Kind::VCard, line);
        }
        let rank = NAMES.iter().position(|name| header.name.eq_ignore_ascii_case(name));
        if let Some(rank) = rank.filter(|rank| *rank < self.name_rank)
            && let Some(name) = display(Kind::VCard, line)
        {
            self.outline.name = Some(name);
            self.name_rank = rank;
        }
    }

    fn component_property(&mut self, header: &Header<'_>, line: &[u8]) -> Result<(), ItemError> {
        if header.name.eq_ignore_ascii_case("SUMMARY") && self.event.0.is_none() {
            self.event.0 = display(Kind::ICalendar, line);
        } else if header.name.eq_ignore_ascii_case("RECURRENCE-ID") {
            self.event.1 = true;
        } else if header.name.eq_ignore_ascii_case("UID") && !is_blank_line(Kind::ICalendar, line) {
            let value = header.value.trim_ascii();
            let first = self.uid.get_or_insert_with(|| value.to_owned());
            if first != value {
                let found = format!("UID {:?} beside {:?}", shown(value), shown(first));
                return Err(ItemError::SeveralItems { file: self.file.to_owned(), found });
            }
            if self.outline.uid.is_none() {
                self.outline.uid = display(Kind::ICalendar, line);
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Outline, ItemError> {
        if !self.is_over || self.text.ends_with(b"\r") {
            let expected = if self.is_over { "a line feed".into() } else { format!("END:{}", self.root()) };
            return Err(ItemError::Unterminated { file: self.file.to_owned(), expected });
        }
        Ok(self.outline)
    }

    const fn root(&self) -> &'static str {
        match self.outline.kind {
            Kind::VCard => "VCARD",
            Kind::ICalendar => "VCALENDAR",
        }
    }

    fn is_in_event(&self) -> bool {
        let is_component = self.outline.kind == Kind::ICalendar && self.open.len() == 2;
        is_component && is_main(&self.innermost().to_ascii_uppercase())
    }

    /// The name of the component that was opened last.
    fn innermost(&self) -> &'a str {
        let start = self.open.last().and_then(|start| usize::try_from(*start).ok());
        let line = start.and_then(|start| self.text.get(start..)).and_then(|text| Lines::new(text).next());
        line.and_then(edge).map_or("", |(_, name)| name)
    }
}

/// A text from outside, cut and without control characters.
pub(super) fn shown(text: &[u8]) -> String {
    cut(&String::from_utf8_lossy(text.get(..4 * MAX_SHOWN).unwrap_or(text)), MAX_SHOWN)
}

/// The first `max` characters; what can not be shown is a space.
pub(super) fn cut(text: &str, max: usize) -> String {
    let mut shown: String = text.chars().take(max).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(max).is_some() {
        shown.push('…');
    }
    shown
}
