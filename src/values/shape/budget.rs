//! How deep a struct may still go, so that no input can exhaust the stack.

use super::error::{Fault, Problem};
use crate::values::value::MAX_VALUE_DEPTH;

/// Levels of lists and maps left, and wrappers that leave no level behind: `Some`, newtypes, the kinds of a `Value`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    levels: usize,
    wrappers: usize,
}

impl Budget {
    /// For the value of a plain field, or of one element.
    pub(super) const VALUE: Self = Self::of(MAX_VALUE_DEPTH);

    /// For all elements of a family together: the sequence itself is in no value.
    pub(super) const FAMILY: Self = Self::of(MAX_VALUE_DEPTH.saturating_add(1));

    /// For bytes that come one by one: the sequence becomes a scalar.
    pub(super) const BYTES: Self = Self::of(1);

    const fn of(levels: usize) -> Self {
        Self { levels, wrappers: MAX_VALUE_DEPTH.saturating_mul(4) }
    }

    /// What is left inside a list or map.
    pub(super) fn inside(self) -> Result<Self, Fault> {
        let levels = self.levels.checked_sub(1).ok_or(Problem::TooDeep)?;
        Ok(Self { levels, ..self })
    }

    /// What is left inside a wrapper.
    pub(super) fn unwrapped(self) -> Result<Self, Fault> {
        let wrappers = self.wrappers.checked_sub(1).ok_or(Problem::TooDeep)?;
        Ok(Self { wrappers, ..self })
    }
}
