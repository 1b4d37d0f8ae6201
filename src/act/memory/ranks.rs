//! Order statistics over first-seen places, for the prefixes of the ledger.

use alloc::vec::Vec;

use super::Marks;
use crate::decide::{
    ledger::{FirstSeen, Ledger, Prefix},
    row::Row,
};

/// The smallest prefix.
const FIRST_PREFIX: u64 = 8;

/// How many records of a scope are in its base, and how many of those are spent, up to any place.
#[derive(Debug, Clone, Default)]
pub(super) struct Ranks {
    base: Sums,
    spent: Sums,
    visible: u64,
    unauthored: u64,
    is_changed: bool,
}

impl Ranks {
    /// Replaces what the row at a position counts for.
    pub(super) fn replace(&mut self, at: usize, old: Option<&Row>, new: &Row) {
        self.change(at, old, Some(new));
    }

    /// The row at a position goes.
    pub(super) fn remove(&mut self, at: usize, old: &Row) {
        self.change(at, Some(old), None);
    }

    fn change(&mut self, at: usize, old: Option<&Row>, new: Option<&Row>) {
        let (old, new) = (Marks::of(old), Marks::of(new));
        self.is_changed |= old != new;
        self.base.change(at, old.base, new.base);
        self.spent.change(at, old.spent, new.spent);
        self.visible = step(self.visible, old.visible, new.visible);
        self.unauthored = step(self.unauthored, old.unauthored, new.unauthored);
    }

    /// The ledger, if it has changed since it was asked for the last time.
    pub(super) fn news(&mut self, place: impl Fn(u64) -> FirstSeen) -> Option<Ledger> {
        core::mem::take(&mut self.is_changed).then(|| self.ledger(place))
    }

    /// The ledger; `place` names the place at a position.
    fn ledger(&self, place: impl Fn(u64) -> FirstSeen) -> Ledger {
        let base = self.base.total();
        let sizes =
            core::iter::successors(Some(FIRST_PREFIX), |size| size.checked_mul(2)).take_while(|size| *size < base);
        let prefix = |size| {
            let last = self.base.position_of(size);
            let at = u64::try_from(last).unwrap_or(u64::MAX);
            Prefix { size, last: place(at), spent: self.spent.up_to(last) }
        };
        let prefixes = sizes.map(prefix).collect();
        let (spent, visible, unauthored) = (self.spent.total(), self.visible, self.unauthored);
        Ledger { base, visible, spent, unauthored, prefixes }
    }
}

const fn step(count: u64, old: bool, new: bool) -> u64 {
    match (old, new) {
        (false, true) => count.saturating_add(1),
        (true, false) => count.saturating_sub(1),
        (false, false) | (true, true) => count,
    }
}

/// A growing binary indexed tree over zeros and ones (P. Fenwick, "A New Data Structure for Cumulative Frequency Tables",
/// 1994). Positions count from 0.
#[derive(Debug, Clone, Default)]
struct Sums(Vec<u64>);

impl Sums {
    fn change(&mut self, at: usize, old: bool, new: bool) {
        self.grow_to(at);
        if old == new {
            return;
        }
        let mut node = at.saturating_add(1);
        while let Some(sum) = node.checked_sub(1).and_then(|index| self.0.get_mut(index)) {
            *sum = step(*sum, old, new);
            node = node.saturating_add(lowest_bit(node));
        }
    }

    /// Ones at positions up to `at`, inclusive.
    fn up_to(&self, at: usize) -> u64 {
        self.before(at.saturating_add(1).min(self.0.len()))
    }

    fn total(&self) -> u64 {
        self.before(self.0.len())
    }

    /// The position of the `nth` one, counted from 1; the last position if there are fewer.
    fn position_of(&self, nth: u64) -> usize {
        let mut passed = 0_usize;
        let mut left = nth;
        let mut width = self.0.len().checked_next_power_of_two().unwrap_or(0);
        while width > 0 {
            let node = passed.saturating_add(width);
            match self.0.get(node.saturating_sub(1)) {
                Some(sum) if *sum < left => {
                    left = left.saturating_sub(*sum);
                    passed = node;
                }
                Some(_) | None => {}
            }
            width >>= 1;
        }
        passed.min(self.0.len().saturating_sub(1))
    }

    fn before(&self, node: usize) -> u64 {
        let mut sum = 0_u64;
        let mut node = node;
        while let Some(part) = node.checked_sub(1).and_then(|index| self.0.get(index)) {
            sum = sum.saturating_add(*part);
            node = node.saturating_sub(lowest_bit(node));
        }
        sum
    }

    fn grow_to(&mut self, at: usize) {
        while self.0.len() <= at {
            let node = self.0.len().saturating_add(1);
            let from = node.saturating_sub(lowest_bit(node));
            let sum = self.total().saturating_sub(self.before(from));
            self.0.push(sum);
        }
    }
}

const fn lowest_bit(node: usize) -> usize {
    node & node.wrapping_neg()
}
