//! Attacks on `vdir_sync` that succeeded once: bookkeeping that is swapped, folders that come back, answers that come late.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![allow(dead_code, unreachable_pub, reason = "it takes a part of the runner of the cases")]

use std::{fs, os::unix::fs::symlink};

#[path = "vdir_case/place.rs"]
mod place;
#[path = "vdir_case/tool.rs"]
mod tool;

use place::Place;

#[test]
fn keeping_records_deleted_destroys_no_file_that_came_back() {
    let place = Place::with_people("back", 20);
    place.sync("L", "R", &[]);
    place.copy("L/c", "backup");
    for n in 0..4 {
        place.remove("L", n..n + 1);
        assert_eq!(place.sync("L", "R", &[]).exit, 0);
    }
    place.copy("backup/.", "L/c");
    let held = place.sync("L", "R", &[]);
    assert_eq!((held.exit, held.report["held"][0]["kind"].as_str()), (3, Some("returned")));
    let kept = place.sync("L", "R", &["--keep", &held.digest()]);
    assert_eq!((kept.exit, place.count("L/c"), place.count("L/.holdfast/aside/c")), (0, 16, 4));
    assert_eq!(kept.count("notes"), 4, "each is named");
}

#[test]
fn approving_records_that_came_back_brings_them_back_on_both_sides() {
    let place = Place::with_people("approved", 20);
    place.sync("L", "R", &[]);
    place.copy("L/c", "backup");
    for n in 0..4 {
        place.remove("L", n..n + 1);
        place.sync("L", "R", &[]);
    }
    place.copy("backup/.", "L/c");
    let digest = place.sync("L", "R", &[]).digest();
    let approved = place.sync("L", "R", &["--approve", &digest, "--by", "Ada"]);
    assert_eq!((approved.exit, place.count("L/c"), place.count("R/c")), (0, 20, 20));
}

#[test]
fn a_consent_given_in_a_copy_of_the_folder_is_none_in_the_folder() {
    let place = Place::with_people("copy", 100);
    place.sync("L", "R", &[]);
    place.copy("R", "R2");
    place.copy("L", "L2");
    place.sync("L2", "R2", &["--state", "S2"]);
    place.sync("L2", "R2", &["--state", "S2"]);
    place.remove("L2", 0..50);
    let digest = place.sync("L2", "R2", &["--state", "S2"]).digest();
    assert_eq!(place.sync("L2", "R2", &["--state", "S2", "--approve", &digest, "--by", "me"]).exit, 0);
    fs::copy(place.path().join("R2/.holdfast/book"), place.path().join("R/.holdfast/book")).expect("a copy");
    for _ in 0..3 {
        assert_eq!(place.sync("L", "R", &[]).exit, 3);
        assert_eq!(place.count("L/c"), 100);
        assert_eq!(place.count("R/c") + place.count("R/.holdfast/aside/c"), 100);
    }
}

#[test]
fn a_folder_that_meets_others_for_the_first_time_loses_no_file() {
    let place = Place::with_people("meets", 100);
    place.copy("L", "B");
    place.sync("L", "R", &[]);
    place.remove("L", 0..50);
    let digest = place.sync("L", "R", &[]).digest();
    place.sync("L", "R", &["--approve", &digest, "--by", "me"]);
    assert_eq!((place.sync("B", "R", &[]).exit, place.count("B/c")), (3, 100));
    assert_eq!(place.sync("B", "R", &[]).exit, 0);
    assert_eq!(place.count("B/c") + place.count("B/.holdfast/aside/c"), 100);
}

#[test]
fn bookkeeping_that_was_put_back_in_place_is_told_from_the_one_that_was_written() {
    let place = Place::with_people("rollback", 20);
    if fs::metadata(place.path()).and_then(|folder| folder.created()).is_err() {
        panic!("expected a file system that knows when files were created, to test this on");
    }
    for device in ["L", "L2", "L"] {
        fs::create_dir_all(place.path().join(device)).expect("a folder");
        place.sync(device, "R", &[]);
    }
    place.copy("R", "backup");
    place.write("R", 1, "AAAA");
    place.sync("L2", "R", &[]);
    for part in ["c", ".holdfast"] {
        fs::remove_dir_all(place.path().join("R").join(part)).expect("a folder");
        place.copy(&format!("backup/{part}"), "R/");
    }
    place.write("R", 1, "BBBB");
    assert_eq!(place.sync("L", "R", &[]).exit, 3, "it can not know that R is older, and R does");
    for _ in 0..2 {
        place.sync("L2", "R", &[]);
        place.sync("L", "R", &[]);
    }
    for side in ["L", "L2", "R"] {
        let card = fs::read_to_string(place.file(side, 1)).expect("a card");
        assert!(card.contains("AAAA") && card.contains("BBBB"), "{side}: {card}");
    }
}

#[test]
fn it_does_not_say_equal_while_a_file_shows_what_was_not_taken_in() {
    let place = Place::with_people("unequal", 3);
    place.sync("L", "R", &[]);
    for n in 0..3 {
        let blank =
            format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:p{n:03}\r\nFN:\r\nTEL:\r\nEMAIL:\r\nNOTE:\r\nEND:VCARD\r\n");
        fs::write(place.file("R", n), blank).expect("a card");
    }
    assert_eq!(place.sync("L", "R", &[]).exit, 3);
    (0..3).for_each(|n| place.write("L", n, "changed"));
    for _ in 0..2 {
        assert_eq!(place.sync("L", "R", &[]).exit, 3);
    }
}

#[test]
fn a_delete_is_not_undone_by_a_folder_that_could_not_be_listed() {
    let place = Place::with_people("unlisted", 20);
    place.sync("L", "R", &[]);
    fs::rename(place.path().join("L/c"), place.path().join("away")).expect("a move");
    symlink(place.path().join("away"), place.path().join("L/c")).expect("a link");
    place.remove("R", 0..1);
    assert_eq!(place.sync("L", "R", &[]).exit, 3);
    fs::remove_file(place.path().join("L/c")).expect("the link");
    fs::rename(place.path().join("away"), place.path().join("L/c")).expect("a move");
    assert_eq!(place.sync("L", "R", &[]).exit, 0);
    assert!(!place.file("L", 0).exists() && !place.file("R", 0).exists());
}

#[test]
fn an_approval_that_comes_after_everything_was_put_back_removes_nothing() {
    let place = Place::with_people("late", 100);
    place.sync("L", "R", &[]);
    place.copy("L/c", "backup");
    place.remove("L", 0..50);
    let digest = place.sync("L", "R", &[]).digest();
    place.copy("backup/.", "L/c");
    let late = place.sync("L", "R", &["--approve", &digest, "--by", "me"]);
    assert_eq!((late.exit, place.count("L/c"), place.count("R/c")), (2, 100, 100));
    assert_eq!(place.sync("L", "R", &[]).exit, 0);
}

#[test]
fn an_answer_to_one_question_is_none_to_the_other() {
    // B drips deletes until L holds what came, and L's folder loses files at the same time: two questions of one hold.
    let place = Place::with_people("two", 60);
    fs::create_dir_all(place.path().join("B")).expect("a folder");
    place.sync("L", "R", &[]);
    place.sync("B", "R", &[]);
    for n in 0..5 {
        place.remove("B", 6 * n..6 * n + 2);
        place.sync("B", "R", &[]);
    }
    place.remove("L", 40..55);
    let held = place.sync("L", "R", &[]);
    let sides: Vec<_> = held.report["held"].as_array().expect("holds").iter().map(|h| h["side"].as_str()).collect();
    assert_eq!(sides, [Some("right"), Some("left")]);
    let right = held.report["held"][0]["digest"].as_str().expect("a digest");
    let answered = place.sync("L", "R", &["--approve", right, "--by", "me"]);
    assert_eq!((answered.exit, answered.count("held")), (3, 1));
    assert_eq!((place.count("L/c"), place.count("R/c")), (45, 35), "L keeps what it was not asked about");
}

#[test]
fn links_in_place_of_the_bookkeeping_lead_nowhere() {
    let place = Place::with_people("links", 2);
    fs::create_dir_all(place.path().join("out")).expect("a folder");
    symlink(place.path().join("out"), place.path().join("R/.holdfast")).expect("a link");
    assert_eq!(place.sync("L", "R", &[]).exit, 2);
    fs::remove_file(place.path().join("R/.holdfast")).expect("the link");
    fs::create_dir(place.path().join("R/.holdfast")).expect("a folder");
    symlink(place.path().join("out/created"), place.path().join("R/.holdfast/lock")).expect("a link");
    assert_eq!(place.sync("L", "R", &[]).exit, 2);
    assert_eq!(place.count("out"), 0);
}

#[test]
fn a_wrong_answer_leaves_damaged_bookkeeping_where_it_is() {
    let place = Place::with_people("damaged", 5);
    place.sync("L", "R", &[]);
    let book = place.path().join("L/.holdfast/book");
    fs::write(&book, "x").expect("damage");
    assert_eq!(place.sync("L", "R", &["--keep", &"0".repeat(32)]).exit, 2);
    assert_eq!(fs::read(&book).expect("the book"), b"x");
    assert_eq!(place.sync("L", "R", &[]).exit, 3);
    assert_eq!(fs::read(place.path().join("L/.holdfast/book.damaged")).expect("the old book"), b"x");
    assert_eq!(place.sync("L", "R", &[]).exit, 0);
}

#[test]
fn old_bookkeeping_makes_no_question_of_what_the_other_side_knows() {
    let place = Place::with_people("same", 0);
    let card = |n: usize, more: &str| format!("BEGIN:VCARD\r\nVERSION:4.0\r\nUID:u{n}\r\n{more}END:VCARD\r\n");
    let write = |side: &str, n: usize, more: &str| fs::write(place.file(side, n), card(n, more)).expect("a card");
    (1..6).for_each(|n| write("L", n, &format!("FN:N{n}\r\nNOTE:a{n}\r\n")));
    fs::create_dir(place.path().join("B")).expect("a folder");
    place.sync("L", "R", &[]);
    place.sync("B", "R", &[]);
    place.copy("R/.holdfast", "old");
    fs::remove_file(place.file("L", 4)).expect("a card");
    [1, 2, 5].into_iter().for_each(|n| write("R", n, "FN:\r\nNOTE:\r\n"));
    place.sync("L", "R", &[]);
    write("B", 4, "FN:N4\r\nNOTE:a4\r\nTEL:9\r\n");
    place.sync("B", "R", &[]);
    fs::remove_dir_all(place.path().join("R/.holdfast")).expect("the bookkeeping");
    place.copy("old", "R/.holdfast");
    // L knows all that happened since, so nothing of it is a question.
    let healed = place.sync("L", "R", &[]);
    assert_eq!((healed.exit, healed.count("held")), (3, 0));
    assert_eq!((place.sync("L", "R", &[]).exit, place.count("L/c"), place.count("R/c")), (0, 5, 5));
}
