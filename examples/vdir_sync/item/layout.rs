//! The layout of a file, as one text: which line stands where, and how it is broken.
//!
//! The first line is the [`Style`], and each other is one [`Piece`]. It may come from a peer, and of another version of
//! the item: what does not fit is passed over by the writer. Reading it takes work in proportion to its length.

use super::fold::{Folds, Style};

/// The field that holds it.
pub(super) const FIELD: &str = "~layout";

/// What stands in one place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Blank,
    /// `BEGIN` of a component, in its own spelling.
    Open {
        path: &'a str,
        raw: &'a str,
    },
    /// `END` of the component that was opened last.
    Close {
        raw: &'a str,
    },
    /// The line of a field.
    Line {
        name: &'a str,
    },
    /// The line of a field that says nothing.
    Empty {
        name: &'a str,
        raw: &'a str,
    },
    /// A component that is one field. Its lines are the parts that follow.
    Block {
        name: &'a str,
    },
    /// One line of a block; its text only if the block says nothing.
    Part {
        raw: Option<&'a str>,
    },
}

/// A piece, and how its line departs from the style.
pub(super) type Placed<'a> = (Piece<'a>, Option<Folds>);

/// Writes a layout.
#[derive(Debug)]
pub(super) struct Encoder(String);

impl Encoder {
    pub(super) fn new(style: Style) -> Self {
        Self(style.encoded())
    }

    pub(super) fn push(&mut self, piece: &Piece<'_>, folds: Option<&Folds>) {
        if let Some(folds) = folds {
            self.line(&["~", &folds.encoded()]);
        }
        match piece {
            Piece::Blank => self.line(&["_"]),
            Piece::Open { path, raw } => self.line(&["+", path, "\t", raw]),
            Piece::Close { raw } => self.line(&["-", raw]),
            Piece::Line { name } => self.line(&["=", name]),
            Piece::Empty { name, raw } => self.line(&["0", name, "\t", raw]),
            Piece::Block { name } => self.line(&["*", name]),
            Piece::Part { raw } => self.line(&[".", raw.unwrap_or_default()]),
        }
    }

    pub(super) fn finish(self) -> String {
        self.0
    }

    fn line(&mut self, parts: &[&str]) {
        self.0.push('\n');
        parts.iter().for_each(|part| self.0.push_str(part));
    }
}

/// The style and the pieces of a text; `None` if it is no layout at all.
pub(super) fn decode(text: &str) -> Option<(Style, Vec<Placed<'_>>)> {
    let mut lines = text.split('\n');
    let style = Style::decode(lines.next()?)?;
    let mut pieces = Vec::new();
    let mut folds = None;
    for line in lines {
        let Some(code) = line.chars().next() else { continue };
        let Some(rest) = line.strip_prefix(code) else { continue };
        if code == '~' {
            folds = Folds::decode(rest);
        } else if let Some(piece) = piece(code, rest) {
            pieces.push((piece, folds.take()));
        }
    }
    Some((style, pieces))
}

fn piece(code: char, rest: &str) -> Option<Piece<'_>> {
    match code {
        '_' => Some(Piece::Blank),
        '+' => rest.split_once('\t').map(|(path, raw)| Piece::Open { path, raw }),
        '-' => Some(Piece::Close { raw: rest }),
        '=' => Some(Piece::Line { name: rest }),
        '0' => rest.split_once('\t').map(|(name, raw)| Piece::Empty { name, raw }),
        '*' => Some(Piece::Block { name: rest }),
        '.' => Some(Piece::Part { raw: (!rest.is_empty()).then_some(rest) }),
        _ => None,
    }
}
