//! One at a time, and nothing to clean up.

use std::{fs, os::unix::fs::MetadataExt, path::Path, thread, time::Duration};

use rustix::fs::{CWD, Mode, mkfifoat};

use crate::{
    kill::Child,
    scratch::{Scratch, lock_again, names},
    vdir_sync::book::{Lock, LockError, StateDir},
};

#[test]
fn one_holds_it_at_a_time() {
    let scratch = Scratch::new();
    let state = scratch.join("state");
    let lock = Lock::take(&state).unwrap();
    assert_eq!(fs::metadata(&state).unwrap().mode() & 0o7777, 0o700);
    assert_eq!(lock.state(), &StateDir::at(&state));
    let error = Lock::take(&state).unwrap_err();
    assert!(matches!(error, LockError::Held { .. }), "{error}");
    drop(lock);
    lock_again(&state);
}

#[test]
fn it_dies_with_the_process() {
    if let Some(dir) = Child::dir() {
        return hold_the_lock(&dir);
    }
    let scratch = Scratch::new();
    let state = scratch.join("state");
    let mut child = Child::start(&scratch);
    child.wait_for("held", &scratch);
    assert!(matches!(Lock::take(&state), Err(LockError::Held { .. })));
    child.kill();
    lock_again(&state);
}

fn hold_the_lock(dir: &Path) {
    let _lock = Lock::take(dir.join("state")).unwrap();
    fs::write(dir.join("held"), "").unwrap();
    thread::sleep(Duration::from_secs(60));
}

#[test]
fn nothing_is_created_where_a_disk_is_not_connected() {
    let scratch = Scratch::new();
    let error = Lock::take(scratch.join("missing/state")).unwrap_err();
    assert!(matches!(error, LockError::Disk { .. }), "{error}");
    assert_eq!(names(&scratch), [""; 0]);
}

#[test]
fn what_is_in_its_way_is_an_error_and_nobody_waits_for_it() {
    let scratch = Scratch::new();
    fs::write(scratch.join("file"), "").unwrap();
    fs::create_dir_all(scratch.join("folder/lock")).unwrap();
    for place in ["file", "folder"] {
        let error = Lock::take(scratch.join(place)).unwrap_err();
        assert!(matches!(error, LockError::Disk { .. }), "{error}");
    }
    fs::create_dir(scratch.join("pipe")).unwrap();
    mkfifoat(CWD, scratch.join("pipe/lock"), Mode::RWXU).unwrap();
    drop(Lock::take(scratch.join("pipe")));
}
