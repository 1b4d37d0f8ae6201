//! Why a file is no item.

/// Why a file can not be read as one item. The file is left as it is, and so is what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ItemError {
    #[error("{file}: expected a vCard or an iCalendar, found an empty file; it was left alone")]
    Empty { file: String },
    #[error("{file}: expected text, found a zero byte at {at}, as in binary or damaged files; it was left alone")]
    NotText { file: String, at: usize },
    #[error("{file}: expected BEGIN:VCARD or BEGIN:VCALENDAR, found {found:?}; it was left alone")]
    NotAnItem { file: String, found: String },
    #[error("{file}: expected {expected}, found the end of the file, which may be half written; it was left alone")]
    Unterminated { file: String, expected: String },
    #[error("{file}: expected {expected} at byte {at}, found {found:?}; it was left alone")]
    Mismatched { file: String, at: usize, expected: String, found: String },
    #[error("{file}: expected one item, found a second one ({found}); it was left alone")]
    SeveralItems { file: String, found: String },
    #[error("{file}: expected nothing after {expected}, found {found:?}; it was left alone")]
    Trailing { file: String, expected: String, found: String },
    #[error("{file}: expected at most {max} bytes, found {found}; it was left alone")]
    TooLarge { file: String, found: usize, max: usize },
}
