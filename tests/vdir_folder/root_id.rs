//! Copied, moved or replaced: the root that bookkeeping was written for.

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt, os::unix::fs::symlink, path::Path};

use crate::{
    scratch::Scratch,
    vdir_sync::book::{Place, RootId},
};

#[test]
fn what_became_of_a_root() {
    let scratch = Scratch::new();
    let [here, there] = [scratch.join("here"), scratch.join("there")];
    fs::create_dir(&here).unwrap();
    let noted = RootId::of(&here).unwrap();
    let noted: RootId = postcard::from_bytes(&postcard::to_allocvec(&noted).unwrap()).unwrap();
    assert_eq!(noted.path(), here.to_str().unwrap());
    let place = |path: &Path| noted.same_place(&RootId::of(path).unwrap());
    fs::write(here.join("x"), "").unwrap();
    assert_eq!(place(&here), Place::Same);
    symlink(&here, scratch.join("link")).unwrap();
    assert_eq!(place(&scratch.join("link")), Place::Same);
    fs::create_dir(&there).unwrap();
    assert_eq!(place(&there), Place::Copied);
    fs::remove_dir(&there).unwrap();
    fs::rename(&here, &there).unwrap();
    assert_eq!(place(&there), Place::Moved);
    fs::create_dir(&here).unwrap();
    assert_eq!(place(&here), Place::Replaced);
    assert!(RootId::of(&scratch.join("nobody")).is_err());
}

#[test]
fn made_anew_it_is_another_one_even_with_the_same_number() {
    let scratch = Scratch::new();
    let here = scratch.join("here");
    fs::create_dir(&here).unwrap();
    if fs::metadata(&here).unwrap().created().is_err() {
        return;
    }
    let noted = RootId::of(&here).unwrap();
    fs::remove_dir(&here).unwrap();
    fs::create_dir(&here).unwrap();
    assert_eq!(noted.same_place(&RootId::of(&here).unwrap()), Place::Replaced);
}

/// As [`RootId`] is stored.
type Fields = (Vec<u8>, u64, u64, Option<i128>);

#[test]
fn a_restart_may_number_disks_anew() {
    let root = |fields: Fields| -> RootId { postcard::from_bytes(&postcard::to_allocvec(&fields).unwrap()).unwrap() };
    let place = |then: Fields, now: Fields| root(then).same_place(&root(now));
    let path = b"/media/stick".to_vec();
    assert_eq!(place((path.clone(), 1, 2, Some(9)), (path.clone(), 5, 2, Some(9))), Place::Same);
    assert_eq!(place((path.clone(), 1, 2, Some(9)), (path.clone(), 1, 2, Some(8))), Place::Replaced);
    // Every disk has the same number for its root.
    assert_eq!(place((path.clone(), 1, 2, None), (path.clone(), 5, 2, None)), Place::Replaced);
    assert_eq!(place((path.clone(), 1, 2, None), (path, 1, 2, Some(9))), Place::Same);
}

#[test]
fn a_path_need_not_be_text() {
    let scratch = Scratch::new();
    let [one, other] = [b"\xff", b"\xfe"].map(|name| scratch.join(OsStr::from_bytes(name)));
    fs::create_dir(&one).unwrap();
    let noted = RootId::of(&one).unwrap();
    fs::rename(&one, &other).unwrap();
    assert_eq!(noted.same_place(&RootId::of(&other).unwrap()), Place::Moved);
}
