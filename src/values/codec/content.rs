//! The digest of what a record shows.

use super::{Writer, value};
use crate::values::{digest::Digest, record::Record, register::Show, superseded::ContentDigest};

impl Record {
    /// Digest of what is shown: names and values by the default [`Show`], without dots. A field that shows nothing is
    /// left out.
    #[must_use]
    pub fn content_digest(&self) -> ContentDigest {
        let mut shown = Writer::default();
        for (name, register) in &self.fields {
            if let Some(value) = register.shown(Show::default()) {
                shown.text(name.as_str());
                value::write(&mut shown, value);
            }
        }
        ContentDigest(Digest::of("holdfast content", &[&shown.finish()]).short())
    }
}
