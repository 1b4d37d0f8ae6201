//! One workload, and the replicas that it is run on: this library, the floor, and `crdts`.
//!
//! `floor.rs` is the least an in-memory engine can do, and frozen: figures are ratios to it. It must not be made faster.
#![allow(dead_code, unreachable_pub, missing_debug_implementations, unnameable_types, missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::as_conversions)]
#![allow(clippy::needless_range_loop, clippy::large_enum_variant, clippy::use_self)] // as it was when it was frozen

pub mod crdts_p;
pub mod floor;
pub mod ours;
pub mod ours_online;
pub mod work;

pub use work::*;

/// What one exchange sent.
#[derive(Clone, Copy, Default, Debug)]
pub struct Wire {
    pub up: usize,
    pub down: usize,
    pub msgs: usize,
    pub conflicts: usize,
}

/// One replica library under test; side 0 = device, side 1 = server.
pub trait Peer {
    const NAME: &'static str;
    type Rep;
    fn server(recs: &[Rec]) -> Self::Rep;
    fn device() -> Self::Rep;
    /// One user edit, committed on its own.
    fn edit(r: &mut Self::Rep, e: &Edit);
    /// The whole steady-state exchange, both sides applied, bytes encoded and decoded.
    fn sync(d: &mut Self::Rep, s: &mut Self::Rep) -> Wire;
    fn digest(r: &Self::Rep) -> u64;
    /// Brings the edits of the server's side to the server, where edits are made elsewhere. Not timed.
    fn settle(_server: &mut Self::Rep) {}
}

/// Whether the short mode is asked for: `BENCH_QUICK=1 cargo bench`.
pub fn is_quick() -> bool {
    std::env::var_os("BENCH_QUICK").is_some()
}

/// Records in a replica: to 10 000 in the short mode, else to 100 000, and to a million with `BENCH_MILLION=1`.
pub fn sizes() -> &'static [usize] {
    match (is_quick(), std::env::var_os("BENCH_MILLION")) {
        (true, _) => &[1_000, 10_000],
        (false, None) => &[1_000, 10_000, 100_000],
        (false, Some(_)) => &[1_000, 10_000, 100_000, 1_000_000],
    }
}
