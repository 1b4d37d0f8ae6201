//! Where a line is folded: as the whole file does it, or in a way of its own.

use std::fmt::Write as _;

use super::lines::{Ending, Join, Line, Segment, is_end, is_quoted_printable};

/// The longest physical line of RFC 6350 and RFC 5545, in bytes without the break.
const RFC_WIDTH: usize = 75;
/// Widths that are taken from a file; others are exceptions, line by line.
const WIDTHS: std::ops::RangeInclusive<usize> = 20..=10_000;

/// What most lines of a file have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) ending: Ending,
    /// Bytes of a physical line without the break; `None` if the file does not fold.
    pub(super) width: Option<usize>,
    /// Whether the file begins with a byte order mark.
    pub(super) has_mark: bool,
}

impl Style {
    pub(super) const CANONICAL: Self = Self { ending: Ending::CrLf, width: Some(RFC_WIDTH), has_mark: false };

    pub(super) fn of(lines: &[Line<'_>], has_mark: bool) -> Self {
        let segments = || lines.iter().flat_map(|line| line.segments());
        let is_lf = |join| matches!(join, Join::End(Ending::Lf) | Join::Fold(Ending::Lf, _) | Join::Soft(Ending::Lf));
        let lf = segments().filter(|segment| is_lf(segment.join)).count();
        let ending = if lf.saturating_mul(2) > segments().count() { Ending::Lf } else { Ending::CrLf };
        // The longest, because some stop short of a character that would be cut.
        let firsts = lines.iter().filter_map(|line| line.segments().next());
        let folded = firsts.clone().filter(|segment| matches!(segment.join, Join::Fold(..)));
        let width = match folded.map(|segment| segment.content.len()).max() {
            Some(width) if WIDTHS.contains(&width) => Some(width),
            Some(_) => Some(RFC_WIDTH),
            None if firsts.into_iter().any(|segment| segment.content.len() > RFC_WIDTH) => None,
            None => Some(RFC_WIDTH),
        };
        Self { ending, width, has_mark }
    }

    /// As text in a layout.
    pub(super) fn encoded(self) -> String {
        let ending = if self.ending == Ending::Lf { "lf" } else { "crlf" };
        let mark = if self.has_mark { " bom" } else { "" };
        format!("1 {ending} {}{mark}", self.width.unwrap_or_default())
    }

    pub(super) fn decode(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        words.next().filter(|version| *version == "1")?;
        let ending = if words.next()? == "lf" { Ending::Lf } else { Ending::CrLf };
        let width = match words.next()?.parse().ok()? {
            0 => None,
            width if WIDTHS.contains(&width) => Some(width),
            _ => Some(RFC_WIDTH),
        };
        Some(Self { ending, width, has_mark: words.next() == Some("bom") })
    }

    /// The line as this style folds it. Quoted-printable is left long: its own breaks depend on what is broken.
    pub(super) fn fold(self, line: &[u8]) -> Vec<Segment<'_>> {
        let mut segments = Vec::new();
        let mut rest = line;
        if let (Some(width), false) = (self.width, is_quoted_printable(line)) {
            let mut room = width;
            while rest.len() > room {
                let (content, after) = rest.split_at(boundary(rest, room));
                segments.push(Segment { content, join: Join::Fold(self.ending, b' ') });
                rest = after;
                room = width.saturating_sub(1);
            }
        }
        segments.push(Segment { content: rest, join: Join::End(self.ending) });
        segments
    }
}

/// The last place up to `room` that cuts no character. `room` is at least 8.
fn boundary(text: &[u8], room: usize) -> usize {
    let is_start = |at: &usize| text.get(*at).is_some_and(|byte| byte & 0xc0 != 0x80);
    (room.saturating_sub(3)..=room).rev().find(is_start).unwrap_or(room)
}

/// How one line departs from the style: the lengths of its segments, each with what follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Folds(Vec<(usize, Join)>);

impl Folds {
    /// `None` if the style folds the line just so.
    pub(super) fn of(line: Line<'_>, style: Style) -> Option<Self> {
        let own: Vec<_> = line.segments().map(|segment| (segment.content.len(), segment.join)).collect();
        let unfolded = line.unfolded();
        let usual = style.fold(&unfolded).into_iter().map(|segment| (segment.content.len(), segment.join));
        (!usual.eq(own.iter().copied())).then_some(Self(own))
    }

    /// `75a74a20c`: a letter for each join.
    pub(super) fn encoded(&self) -> String {
        let mut text = String::new();
        for (length, join) in &self.0 {
            let _infallible = write!(text, "{length}{}", letter(*join));
        }
        text
    }

    pub(super) fn decode(text: &str) -> Option<Self> {
        let pieces = text.split_inclusive(|c: char| c.is_ascii_alphabetic());
        let pieces = pieces.map(|piece| {
            let letter = piece.chars().next_back()?;
            Some((piece.strip_suffix(letter)?.parse().ok()?, join(letter)?))
        });
        pieces.collect::<Option<Vec<_>>>().map(Self)
    }

    /// The line in these segments; `None` if they are not for a line like this one, or it would not be read back.
    pub(super) fn apply<'a>(&self, line: &'a [u8]) -> Option<Vec<Segment<'a>>> {
        let mut segments = Vec::new();
        let mut rest = line;
        for (length, join) in &self.0 {
            let (content, after) = rest.split_at_checked(*length)?;
            segments.push(Segment { content, join: *join });
            rest = after;
        }
        let first = segments.first()?.content;
        let is_soft = is_quoted_printable(first);
        let is_whole = rest.is_empty() && (line.is_empty() || !first.is_empty());
        let joins = segments.windows(2).all(|pair| match pair {
            [Segment { content, join: Join::Fold(..) }, _] => !(is_soft && content.ends_with(b"=")),
            [Segment { join: Join::Soft(_), .. }, next] => is_soft && !is_end(next.content),
            _ => false,
        });
        let is_ended = segments.last().is_some_and(|segment| matches!(segment.join, Join::End(_)));
        (is_whole && joins && is_ended).then_some(segments)
    }
}

const LETTERS: [(char, Join); 9] = [
    ('a', Join::Fold(Ending::CrLf, b' ')),
    ('b', Join::Fold(Ending::CrLf, b'\t')),
    ('c', Join::Fold(Ending::Lf, b' ')),
    ('d', Join::Fold(Ending::Lf, b'\t')),
    ('e', Join::Soft(Ending::CrLf)),
    ('f', Join::Soft(Ending::Lf)),
    ('g', Join::End(Ending::CrLf)),
    ('h', Join::End(Ending::Lf)),
    ('i', Join::End(Ending::None)),
];

fn letter(join: Join) -> char {
    LETTERS.iter().find(|(_, known)| *known == join).map_or('i', |(letter, _)| *letter)
}

fn join(letter: char) -> Option<Join> {
    LETTERS.iter().find(|(known, _)| *known == letter).map(|(_, join)| *join)
}
