//! The digest of what a record shows.

use super::{Writer, value};
use crate::values::{
    digest::Digest, id::FieldName, record::Record, register::Show, superseded::ContentDigest, value::Value,
};

impl Record {
    /// Digest of what is shown: names and values by the default [`Show`], without dots. A field that shows nothing is
    /// left out, and so is [layout](FieldName::is_layout).
    #[must_use]
    pub fn content_digest(&self) -> ContentDigest {
        content_digest_of(self.shown(Show::default()))
    }
}

/// The same of fields that are in no record yet, ascending by name.
pub(crate) fn content_digest_of<'a>(fields: impl Iterator<Item = (&'a FieldName, &'a Value)>) -> ContentDigest {
    let mut shown = Writer::default();
    for (name, value) in fields.filter(|(name, _)| !name.is_layout()) {
        shown.text(name.as_str());
        value::write(&mut shown, value);
    }
    ContentDigest(Digest::of("holdfast content", &[&shown.finish()]).short())
}

/// Digest of edits, for a proposal of them. `None` clears.
pub(crate) fn edits_digest(base: Digest, edits: &[(FieldName, Option<Value>)]) -> Digest {
    let mut written = Writer::default();
    for (name, value) in edits {
        written.text(name.as_str());
        written.bool(value.is_some());
        if let Some(value) = value {
            value::write(&mut written, value);
        }
    }
    Digest::of("holdfast proposed contents", &[base.as_bytes(), &written.finish()])
}
