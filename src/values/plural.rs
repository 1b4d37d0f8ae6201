//! Numbers in sentences.

use core::fmt;

/// A number and what it counts, in the singular: "1 record", "2 records".
pub(crate) struct Plural<N>(pub(crate) N, pub(crate) &'static str);

impl<N: fmt::Display + PartialEq + From<u8>> fmt::Display for Plural<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, of) = self;
        write!(f, "{number} {of}{}", if *number == N::from(1) { "" } else { "s" })
    }
}
