//! Lines: the physical ones of a file, and the logical ones that folding makes of them.
//!
//! A logical line goes on where the next physical one begins with a space or a tab. In a quoted-printable property of
//! vCard 2.1 it also goes on after a `=` at the end, and the next line is then taken as it stands.

use std::{borrow::Cow, io::BufRead as _};

/// How a physical line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    CrLf,
    Lf,
    /// The file ends here.
    None,
}

impl Ending {
    pub(super) const fn bytes(self) -> &'static [u8] {
        match self {
            Self::CrLf => b"\r\n",
            Self::Lf => b"\n",
            Self::None => b"",
        }
    }
}

/// What stands between a segment and the next one of its line, or after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    /// A line break and one character of white space.
    Fold(Ending, u8),
    /// `=` and a line break.
    Soft(Ending),
    /// The logical line is over.
    End(Ending),
}

/// The part of a logical line that stands on one physical line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'a> {
    pub(super) content: &'a [u8],
    pub(super) join: Join,
}

/// One logical line, with all its breaks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    raw: &'a [u8],
    first: &'a [u8],
    is_folded: bool,
    /// Where it begins in the file, in bytes.
    pub(super) start: usize,
}

impl<'a> Line<'a> {
    pub(super) const fn segments(self) -> Segments<'a> {
        Segments::new(self.raw)
    }

    /// The content, up to the first break.
    pub(super) const fn first(self) -> &'a [u8] {
        self.first
    }

    pub(super) const fn is_folded(self) -> bool {
        self.is_folded
    }

    /// Whether there is a carriage return that ends no line.
    pub(super) fn has_lone_return(self) -> bool {
        if !self.is_folded {
            return self.first.contains(&b'\r');
        }
        self.segments().any(|segment| segment.content.contains(&b'\r'))
    }

    /// The whole content, without the breaks.
    pub(super) fn unfolded(self) -> Cow<'a, [u8]> {
        if self.is_folded {
            Cow::Owned(self.segments().flat_map(|segment| segment.content).copied().collect())
        } else {
            Cow::Borrowed(self.first)
        }
    }

    /// In bytes, with the breaks.
    pub(super) const fn len(self) -> usize {
        self.raw.len()
    }
}

/// The logical lines of a text.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    rest: &'a [u8],
    at: usize,
}

impl<'a> Lines<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { rest: text, at: 0 }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let mut segments = Segments::new(self.rest);
        let first = segments.next().map_or(&[][..], |segment| segment.content);
        let is_folded = segments.by_ref().count() > 0;
        let (raw, rest) = self.rest.split_at(self.rest.len().saturating_sub(segments.rest.len()));
        let start = self.at;
        self.at = self.at.saturating_add(raw.len());
        self.rest = rest;
        Some(Line { raw, first, is_folded, start })
    }
}

/// The segments of the first logical line of a text.
#[derive(Debug)]
pub(super) struct Segments<'a> {
    rest: &'a [u8],
    /// The content of the first segment, once it is known.
    first: Option<&'a [u8]>,
    /// Whether it is of a line in quoted-printable, once that matters.
    is_soft: Option<bool>,
    follows_fold: bool,
    is_over: bool,
}

impl<'a> Segments<'a> {
    const fn new(text: &'a [u8]) -> Self {
        Self { rest: text, first: None, is_soft: None, follows_fold: false, is_over: false }
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        if self.is_over {
            return None;
        }
        let (line, ending, rest) = cut(self.rest);
        let content = if self.follows_fold { line.split_first().map_or(line, |(_, after)| after) } else { line };
        let first = *self.first.get_or_insert(content);
        self.rest = rest;
        if let Some(content) = content.strip_suffix(b"=")
            && !rest.is_empty()
            && !is_end(rest)
            && *self.is_soft.get_or_insert_with(|| is_quoted_printable(first))
        {
            self.follows_fold = false;
            return Some(Segment { content, join: Join::Soft(ending) });
        }
        let join = match rest.first() {
            // Nothing goes on from a blank line.
            Some(blank @ (b' ' | b'\t')) if !first.is_empty() => Join::Fold(ending, *blank),
            _ => Join::End(ending),
        };
        self.follows_fold = matches!(join, Join::Fold(..));
        self.is_over = !self.follows_fold;
        Some(Segment { content, join })
    }
}

/// Whether a line that starts like this is in quoted-printable. Only the name and the parameters are looked at.
pub(super) fn is_quoted_printable(line: &[u8]) -> bool {
    const LONGEST: usize = 1024;
    const WORD: &[u8] = b"QUOTED-PRINTABLE";
    let head = line.get(..LONGEST).unwrap_or(line);
    let Some(colon) = head.iter().position(|byte| *byte == b':') else { return false };
    let (head, _) = head.split_at(colon);
    head.windows(WORD.len()).any(|window| window.eq_ignore_ascii_case(WORD))
}

/// Whether a component ends here: a soft break before it was left over by a careless writer.
pub(super) fn is_end(text: &[u8]) -> bool {
    text.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"END:"))
}

/// The first physical line, its ending, and what follows.
fn cut(text: &[u8]) -> (&[u8], Ending, &[u8]) {
    let mut rest = text;
    // Reading from memory never fails, and is the fastest way to a byte that the standard library has.
    let length = rest.skip_until(b'\n').unwrap_or(text.len());
    let line = text.split_at_checked(length).map_or(text, |(line, _)| line);
    match line.strip_suffix(b"\n") {
        None => (line, Ending::None, rest),
        Some(line) => match line.strip_suffix(b"\r") {
            Some(line) => (line, Ending::CrLf, rest),
            None => (line, Ending::Lf, rest),
        },
    }
}
