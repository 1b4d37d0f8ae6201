//! The bytes of a file, line by line.

use super::{
    fold::{Folds, Style},
    lines::Join,
    scan::MARK,
};

/// A file that is being written.
#[derive(Debug)]
pub(super) struct Output {
    bytes: Vec<u8>,
    style: Style,
    /// Whether the last line has no ending yet. Only the last line of a file can be like this.
    is_open: bool,
}

impl Output {
    pub(super) fn new(style: Style) -> Self {
        let bytes = if style.has_mark { MARK.to_vec() } else { Vec::new() };
        Self { bytes, style, is_open: false }
    }

    /// One line, folded as it is told to, or else as the style does it.
    pub(super) fn line(&mut self, content: &[u8], folds: Option<&Folds>) {
        if self.is_open {
            self.bytes.extend_from_slice(self.style.ending.bytes());
            self.is_open = false;
        }
        let segments = folds.and_then(|folds| folds.apply(content)).unwrap_or_else(|| self.style.fold(content));
        for segment in segments {
            self.bytes.extend_from_slice(segment.content);
            match segment.join {
                Join::Fold(ending, blank) => {
                    self.bytes.extend_from_slice(ending.bytes());
                    self.bytes.push(blank);
                }
                Join::Soft(ending) => {
                    self.bytes.push(b'=');
                    self.bytes.extend_from_slice(ending.bytes());
                }
                Join::End(ending) => {
                    self.bytes.extend_from_slice(ending.bytes());
                    self.is_open = ending.bytes().is_empty();
                }
            }
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}
