//! The bookkeeping: what one side remembers between two runs, in one folder of its own.
//!
//! [`StateDir`] can only read. [`Lock`] is what one must hold to write; the system takes it back when the process ends,
//! however it ends. The bookkeeping itself is one file that is replaced as a whole, so that there are only states from
//! before or after. It has a digest over every byte: what is damaged is an error, and never a shorter memory.

pub(crate) mod error;
pub(crate) mod format;
pub(crate) mod lock;
pub(crate) mod read;
pub(crate) mod root_id;
pub(crate) mod write;

pub(crate) use error::{BookError, Damage, LockError, WriteError};
pub(crate) use lock::{Lock, StateDir};
pub(crate) use read::{BodyRef, read_body, read_index};
pub(crate) use root_id::{Place, RootId};
pub(crate) use write::write;
