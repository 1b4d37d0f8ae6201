//! Native stores that can only be listed: what a listing says, what it can not say, and what it may take away.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![allow(clippy::panic, reason = "a test may stop")]

#[path = "listing/answers.rs"]
mod answers;
#[path = "listing/edits.rs"]
mod edits;
#[path = "listing/entries.rs"]
mod entries;
#[path = "listing/laws.rs"]
mod laws;
#[path = "listing/old_contents.rs"]
mod old_contents;
#[path = "listing/phone.rs"]
mod phone;
#[path = "listing/removals.rs"]
mod removals;
