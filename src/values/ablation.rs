//! Defences that can be switched off, one at a time, to see that the tests notice.
//!
//! Only under `--cfg holdfast_ablations`, which no feature and no build script sets. Without it there is nothing to switch:
//! [`is_off!`] is the word `false`, and the names below are not compiled.

/// Whether a defence is switched off.
#[cfg(not(holdfast_ablations))]
macro_rules! is_off {
    ($defence:ident) => {
        false
    };
}

/// Whether a defence is switched off.
#[cfg(holdfast_ablations)]
macro_rules! is_off {
    ($defence:ident) => {
        $crate::values::ablation::Defence::$defence.is_off()
    };
}

pub(crate) use is_off;

#[cfg(holdfast_ablations)]
mod switch;
#[cfg(holdfast_ablations)]
pub use switch::Defence;
