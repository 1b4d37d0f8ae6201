//! The bookkeeping: all of it, or an error.

use std::{fs, path::PathBuf};

use rustix::fs::{CWD, Mode, mkfifoat};
use serde::{Serialize, Serializer, ser::Error};

use crate::{
    scratch::{Scratch, names},
    vdir_sync::book::{BookError, Damage, Lock, StateDir, WriteError, read_body, read_index, write},
};

type Index = (u64, String);
type Body = Vec<(String, u64)>;

fn index() -> Index {
    (7, "index".into())
}

fn body() -> Body {
    (0..20).map(|n| (format!("item {n}"), n << n)).collect()
}

struct State {
    _scratch: Scratch,
    lock: Lock,
    book: PathBuf,
    bytes: Vec<u8>,
}

fn written() -> State {
    let scratch = Scratch::new();
    let lock = Lock::take(scratch.join("state")).unwrap();
    write(&lock, &index(), &body()).unwrap();
    let book = scratch.join("state/book");
    let bytes = fs::read(&book).unwrap();
    State { _scratch: scratch, lock, book, bytes }
}

/// What comes of reading all of it. An index that can be read is the one that was written.
fn read(state: &StateDir) -> Result<Option<Body>, BookError> {
    let Some((found, book)) = read_index::<Index>(state)? else { return Ok(None) };
    assert_eq!(found, index());
    read_body(book).map(Some)
}

#[test]
fn what_was_written_is_read() {
    let state = written();
    assert_eq!(read(state.lock.state()).unwrap(), Some(body()));
    assert_eq!(names(state.lock.state().path()), ["book", "lock"]);
    assert_eq!(read(&StateDir::at("/nowhere at all")).unwrap(), None);
}

#[test]
fn cut_at_every_byte_it_is_damaged() {
    let state = written();
    for length in 0..state.bytes.len() {
        fs::write(&state.book, &state.bytes[..length]).unwrap();
        // The length is in the head, so not even the index of a cut file is read.
        let error = read_index::<Index>(state.lock.state()).expect_err("a cut one was read");
        assert!(matches!(error, BookError::Damaged { damage: Damage::Length { .. }, .. }), "{length}: {error}");
    }
    fs::write(&state.book, [&state.bytes[..], &[0]].concat()).unwrap();
    assert!(matches!(read(state.lock.state()), Err(BookError::Damaged { damage: Damage::Length { .. }, .. })));
}

#[test]
fn every_flipped_bit_is_noticed() {
    let state = written();
    let encoded_body = postcard::to_allocvec(&body()).unwrap().len();
    for at in 0..state.bytes.len() {
        for bit in 0..8 {
            let mut bytes = state.bytes.clone();
            bytes[at] ^= 1 << bit;
            fs::write(&state.book, bytes).unwrap();
            let index = read_index::<Index>(state.lock.state());
            let is_in_body = at >= state.bytes.len() - encoded_body;
            assert_eq!(index.is_ok(), is_in_body, "bit {bit} of byte {at}: the index is read alone");
            let error = read(state.lock.state()).expect_err("a damaged one was read");
            assert!(matches!(error, BookError::Damaged { .. }), "bit {bit} of byte {at}: {error}");
        }
    }
}

/// A file whose digests all are right, whatever the head says.
fn forged(version: u32, lengths: [u64; 2], index: &[u8], body: &[u8]) -> Vec<u8> {
    let digest = |bytes: &[u8]| *blake3::hash(bytes).as_bytes();
    let mut head = b"HFBOOK\r\n".to_vec();
    head.extend(version.to_le_bytes());
    head.extend(&digest(&head)[..4]);
    head.extend(0_u64.to_le_bytes());
    head.extend(lengths.iter().flat_map(|length| length.to_le_bytes()));
    head.extend([digest(index), digest(body)].concat());
    head.extend(digest(&head));
    [&head, index, body].concat()
}

#[test]
fn a_length_chooses_no_allocation() {
    let state = written();
    let [index, body] = [postcard::to_allocvec(&index()).unwrap(), postcard::to_allocvec(&body()).unwrap()];
    let [i, b] = [&index, &body].map(|bytes| u64::try_from(bytes.len()).unwrap());
    let check = |bytes: Vec<u8>| {
        fs::write(&state.book, bytes).unwrap();
        read(state.lock.state())
    };
    assert_eq!(check(forged(3, [i, b], &index, &body)).unwrap(), Some(self::body()), "the forgery is a good one");
    for lengths in [[u64::MAX, b], [i, u64::MAX], [1 << 60, 1 << 60], [u64::MAX, 1], [i + 1, b], [i, b - 1], [0, 0]] {
        let error = check(forged(3, lengths, &index, &body)).unwrap_err();
        assert!(matches!(error, BookError::Damaged { damage: Damage::Length { .. }, .. }), "{lengths:?}: {error}");
    }
    // A count of items that the bytes do not hold, and bytes after the last one.
    let count = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    for body in [&count[..], &[&body[..], &[0]].concat(), &[]] {
        let error = check(forged(3, [i, u64::try_from(body.len()).unwrap()], &index, body)).unwrap_err();
        assert!(matches!(error, BookError::Damaged { damage: Damage::Content { .. }, .. }), "{error}");
    }
    let error = check(forged(4, [i, b], &index, &body)).unwrap_err();
    assert!(matches!(error, BookError::Newer { found: 4, .. }), "{error}");
    let error = check(forged(0, [i, b], &index, &body)).unwrap_err();
    assert!(matches!(error, BookError::Damaged { .. }), "{error}");
}

#[test]
fn something_else_in_its_place_is_not_a_missing_one() {
    let state = written();
    fs::write(&state.book, "BEGIN:VCARD\r\nVERSION:4.0\r\nEND:VCARD\r\n".repeat(10)).unwrap();
    assert!(matches!(read(state.lock.state()), Err(BookError::Damaged { damage: Damage::NotABook, .. })));
    fs::remove_file(&state.book).unwrap();
    mkfifoat(CWD, &state.book, Mode::RWXU).unwrap();
    assert!(matches!(read(state.lock.state()), Err(BookError::Damaged { damage: Damage::NotAFile, .. })));
    fs::remove_file(&state.book).unwrap();
    std::os::unix::fs::symlink("book", &state.book).unwrap();
    assert!(matches!(read(state.lock.state()), Err(BookError::Unreadable { .. })));
    fs::remove_file(&state.book).unwrap();
    fs::create_dir(&state.book).unwrap();
    assert!(matches!(read(state.lock.state()), Err(BookError::Damaged { damage: Damage::NotAFile, .. })));
    let error = write(&state.lock, &index(), &body()).unwrap_err();
    assert!(matches!(error, WriteError::Disk { .. }), "{error}");
    assert_eq!(names(state.lock.state().path()), ["book", "lock"]);
    assert!(matches!(read(&StateDir::at(&*state.lock.state().path().join("lock"))), Err(BookError::Unreadable { .. })));
}

#[test]
fn a_copy_is_told_from_what_was_written() {
    let state = written();
    let is_original = || read_index::<Index>(state.lock.state()).unwrap().unwrap().1.is_original;
    assert!(is_original());
    let copy = state.book.with_extension("copy");
    fs::copy(&state.book, &copy).unwrap();
    fs::rename(&copy, &state.book).unwrap();
    // Where the file system does not know, nobody can tell.
    assert_eq!(is_original(), fs::metadata(&state.book).unwrap().created().is_err());
    assert_eq!(read(state.lock.state()).unwrap(), Some(body()));
}

/// Half of it can be written, and then it can not.
struct Half;

impl Serialize for Half {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("no more"))
    }
}

#[test]
fn what_can_not_be_written_leaves_the_old_one() {
    let state = written();
    let error = write(&state.lock, &index(), &(vec![0_u8; 100_000], Half)).unwrap_err();
    assert!(matches!(error, WriteError::Encode { .. }), "{error}");
    assert_eq!(fs::read(&state.book).unwrap(), state.bytes);
    assert_eq!(names(state.lock.state().path()), ["book", "lock"]);
    fs::write(state.lock.state().path().join("book.new"), "half, by a killed one").unwrap();
    write(&state.lock, &index(), &body()).unwrap();
    assert_eq!(read(state.lock.state()).unwrap(), Some(body()), "what a killed one left is no beginning");
    let written = fs::read(&state.book).unwrap();
    fs::create_dir(state.lock.state().path().join("book.new")).unwrap();
    let error = write(&state.lock, &index(), &body()).unwrap_err();
    assert!(matches!(error, WriteError::Disk { doing: "create", .. }), "{error}");
    assert_eq!(fs::read(&state.book).unwrap(), written);
}

#[test]
fn index_and_body_are_of_one_writing() {
    let state = written();
    let (_, book) = read_index::<Index>(state.lock.state()).unwrap().unwrap();
    write(&state.lock, &index(), &Body::new()).unwrap();
    assert_eq!(read_body::<Body>(book).unwrap(), body());
    assert_eq!(read(state.lock.state()).unwrap(), Some(Body::new()));
}
