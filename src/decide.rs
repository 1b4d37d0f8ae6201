//! What should happen: pure and total, with no way to touch a store.
//!
//! ```text
//! Slice (what we hold) ┐
//!                      ├─> Diff ──> Draft ──> Guard::review ──> Approved
//! Changes (what came)  ┘   facts    nobody     consents in       the only way on
//!                                   agreed
//! ```

pub mod limits;
pub mod breach;
pub mod consent;
pub mod line;
pub mod ledger;
pub mod position;
pub mod continuity;
pub mod authorship;
pub mod repair;
pub mod history;
pub mod refusal;
pub mod harm;
pub mod row;
pub mod reconcile;
pub mod offer;
pub mod slice;
pub mod changes;
pub mod write;
pub mod listing;
pub mod diff;
pub(crate) mod screen;
pub mod draft;
mod resolve;
pub mod acknowledge;
mod reseed;
pub mod author;
mod observe;
pub mod takeover;
pub mod answer;
pub mod guard;
