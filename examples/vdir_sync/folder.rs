//! A folder in the vdir layout: `ROOT/<collection>/<item>.vcf` or `.ics`, one item a file.
//!
//! [`Root`] can only read. [`Writer`] is the only thing here that can write, and it can not be had without the lock of
//! the bookkeeping. What is not there, what can not be read and what is not what it should be are three different
//! answers, and no answer is ever "empty" for want of a better one.
//!
//! Everything below the root is opened relative to an open directory and never through a symbolic link, so no name,
//! and no link that somebody lays between two steps, leads out of the root.

pub(crate) mod disk;
pub(crate) mod error;
pub(crate) mod name;
pub(crate) mod swap;
pub(crate) mod root;
pub(crate) mod staged;
pub(crate) mod walk;
pub(crate) mod writer;

pub(crate) use disk::Print;
pub(crate) use error::{EntryError, Problem, RootError};
pub(crate) use name::{file_name_for, folded, safe_collection, shown};
pub(crate) use root::Root;
pub(crate) use walk::{Collection, Contents, Item, Listing, Walk};
pub(crate) use writer::{Expect, Put, Writer};
