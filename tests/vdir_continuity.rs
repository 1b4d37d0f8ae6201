//! Are these still the two folders that were synced? What `vdir_sync` calls a folder that is not what it was, and that
//! nothing crosses where nothing may.

#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![allow(dead_code, unreachable_pub, reason = "it takes a part of the runner of the cases")]

use std::{
    fs,
    time::{Duration, SystemTime},
};

use serde_json::json;

#[path = "vdir_case/place.rs"]
mod place;
#[path = "vdir_case/tool.rs"]
mod tool;
#[path = "vdir_case/tree.rs"]
mod tree;

use place::Place;

/// Everything below the folders of a test, with its times, but for what the tool printed.
fn all(place: &Place) -> tree::Tree {
    let mut all = tree::whole(place.path());
    all.retain(|path, _| !["", "stdout", "stderr"].contains(&path.to_str().unwrap_or_default()));
    all
}

/// `L` and `R` in step, with so many people.
fn in_step(name: &str, count: usize) -> Place {
    let place = Place::with_people(name, count);
    assert_eq!(place.sync("L", "R", &[]).exit, 0);
    place
}

/// Two people: `L` with `R`, and `L2` with `R2`, whose cards have the same ids and other contents.
fn two_accounts(name: &str) -> Place {
    let place = in_step(name, 20);
    fs::create_dir_all(place.path().join("L2/c")).expect("a folder");
    fs::create_dir_all(place.path().join("R2")).expect("a folder");
    (0..20).for_each(|n| place.write("L2", n, &format!("another's {n}")));
    assert_eq!(place.sync("L2", "R2", &[]).exit, 0);
    place
}

fn swap(place: &Place, one: &str, other: &str) {
    assert_eq!(place.shell(&format!("mv {one} swap && mv {other} {one} && mv swap {other}")), 0);
}

#[test]
fn an_old_backup_is_named_with_the_commits_of_both_sides() {
    let place = in_step("backup", 20);
    place.copy("R", "old");
    for n in 0..3 {
        place.write("L", n, "newer");
        assert_eq!(place.sync("L", "R", &[]).exit, 0);
    }
    assert_eq!(place.shell("rm -r R/c R/.holdfast && cp -a old/. R/"), 0);
    let ran = place.sync("L", "R", &[]);
    let (continuity, evidence) = ran.named("right");
    assert_eq!((ran.exit, continuity), (3, &json!({"Lost": "RolledBack"})), "{evidence}");
    let commit = |which: &str| {
        let sides = ran.report["continuity"].as_array().expect("a list");
        let right = sides.iter().find(|named| named["side"] == "right").expect("the right side");
        right[which]["revision"].as_u64().expect("a revision")
    };
    let (found, remembered) = (commit("found"), commit("remembered"));
    assert!(found < remembered, "{evidence}");
    let words = format!("it is an old backup: it stands at commit {found}, and the left remembers commit {remembered}");
    assert!(evidence.starts_with(&words), "{evidence}");
    assert_eq!(place.sync("L", "R", &[]).exit, 0);
    (0..3).for_each(|n| assert_eq!(place.note("R", n), "newer"));
}

#[test]
fn a_device_that_comes_after_the_server_was_set_back_and_went_on_is_told_so() {
    let place = in_step("after", 20);
    fs::create_dir(place.path().join("B")).expect("a folder");
    place.sync("B", "R", &[]);
    place.sync("L", "R", &[]);
    place.copy("R", "old");
    for n in 0..3 {
        place.write("L", n, "newer");
        place.sync("L", "R", &[]);
    }
    assert_eq!(place.shell("rm -r R/c R/.holdfast && cp -a old/. R/"), 0);
    for n in 5..9 {
        place.write("B", n, "since");
        place.sync("B", "R", &[]);
    }
    let ran = place.sync("L", "R", &[]);
    let (continuity, evidence) = ran.named("right");
    assert_eq!((ran.exit, continuity), (3, &json!({"Lost": "RolledBack"})));
    assert!(evidence.starts_with("it was set back: both sides share commit"), "{evidence}");
    assert_eq!(place.sync("L", "R", &[]).exit, 0);
    for (n, note) in [(0, "newer"), (2, "newer"), (5, "since"), (8, "since")] {
        assert_eq!((place.note("L", n).as_str(), place.note("R", n).as_str()), (note, note));
    }
}

#[test]
fn a_server_that_only_began_anew_alarms_nobody() {
    let place = in_step("moved", 20);
    fs::create_dir(place.path().join("B")).expect("a folder");
    place.sync("B", "R", &[]);
    place.sync("L", "R", &[]);
    assert_eq!(place.shell("mv R S"), 0);
    assert_eq!(place.sync("L", "S", &[]).named("right").0, &json!("Unproven"));
    let ran = place.sync("B", "S", &[]);
    assert_eq!((ran.exit, ran.named("right").0), (0, &json!("Intact")));
}

#[test]
fn nothing_crosses_between_two_accounts() {
    let place = two_accounts("accounts");
    for (left, right) in [("L", "R2"), ("L2", "R")] {
        let before = all(&place);
        let ran = place.sync(left, right, &[]);
        assert_eq!((ran.exit, ran.named("right").0), (2, &json!({"Stop": "WrongAccount"})));
        assert_eq!(tree::difference(&before, &all(&place)), None);
    }
    for swapped in [("R", "R2"), ("L", "L2")] {
        swap(&place, swapped.0, swapped.1);
        let before = all(&place);
        let ran = place.sync("L", "R", &[]);
        let stranger = if swapped.0 == "R" { "right" } else { "left" };
        assert_eq!((ran.exit, &ran.report["continuity"][0]["continuity"]), (2, &json!({"Stop": "WrongAccount"})));
        assert!(ran.said.contains("is another account's folder"), "{stranger}: {}", ran.said);
        assert_eq!(tree::difference(&before, &all(&place)), None);
        swap(&place, swapped.0, swapped.1);
    }
    assert_eq!(place.sync("L", "R", &[]).exit, 0, "it was moved there and back, and is the same");
    assert_eq!(place.sync("L", "R", &[]).exit, 0);
}

#[test]
fn many_devices_belong_to_one_account_and_take_it_with_them() {
    let place = in_step("devices", 20);
    for device in ["B", "C"] {
        fs::create_dir_all(place.path().join(device).join("c")).expect("a folder");
    }
    place.write("C", 70, "a new device's own");
    for device in ["B", "C", "L", "B"] {
        assert_eq!(place.sync(device, "R", &[]).exit, 0, "{device}");
    }
    assert_eq!(place.shell("rm -r R && mkdir R"), 0);
    assert_eq!(place.sync("B", "R", &[]).named("right").0, &json!({"Lost": "Emptied"}));
    // The one that was made anew is of the same account.
    for device in ["B", "C", "L", "C", "L"] {
        assert_ne!(place.sync(device, "R", &[]).exit, 2, "{device}");
    }
    for device in ["B", "C", "L"] {
        assert_eq!((place.sync(device, "R", &[]).exit, place.count(&format!("{device}/c"))), (0, 21));
    }
}

#[test]
fn another_folder_than_the_one_that_is_known_is_refused_and_the_known_one_is_named() {
    let place = in_step("other", 10);
    place.copy("R/c", "cards");
    assert_eq!(place.shell("mkdir T && cp -a cards T/c"), 0);
    let before = all(&place);
    let ran = place.sync("L", "T", &[]);
    assert_eq!((ran.exit, ran.named("right").0), (2, &json!({"Lost": "Replaced"})));
    assert!(ran.said.contains("these are not the two folders that were synced before"), "{}", ran.said);
    assert_eq!(tree::difference(&before, &all(&place)), None);
    let ways: Vec<i32> = ran.first_way_out().iter().map(|command| place.shell(command)).collect();
    assert_eq!(ways, [0], "it syncs with the one that it knows");
    let beside = ran.report["ways_out"][1]["commands"][0].as_str().expect("a command");
    assert_eq!((place.shell(beside), place.count("T/c")), (0, 10));
}

#[test]
fn a_strangers_folder_without_bookkeeping_is_left_as_it_is() {
    for (name, is_same_id) in [("strange", true), ("stranger", false)] {
        let place = in_step(name, 20);
        assert_eq!(place.shell("mv R ours && mkdir -p R/c"), 0);
        for n in 0..20 {
            let id = if is_same_id { n } else { n + 500 };
            place.write("R", id, "a stranger's");
            let card = fs::read_to_string(place.file("R", id)).expect("a card").replace("FN:Person", "FN:Stranger");
            fs::write(place.file("R", id), card).expect("a card");
        }
        let before = all(&place);
        for options in [&["--dry-run"][..], &[]] {
            let ran = place.sync("L", "R", options);
            assert_eq!((ran.exit, ran.named("right").0), (2, &json!({"Lost": "Replaced"})));
        }
        assert_eq!(tree::difference(&before, &all(&place)), None, "not even a lock is new there");
        let ran = place.sync("L", "R", &[]);
        let steps: Vec<i32> = ran.first_way_out().iter().map(|command| place.shell(command)).collect();
        assert_eq!((steps, place.sync("L", "R", &[]).exit), (vec![0, 0, 3], 0));
        assert_eq!((place.count("L/c"), place.count("R/c"), place.count("R.aside/c")), (20, 20, 20));
    }
}

#[test]
fn folders_that_belong_together_are_said_to_be_once_and_for_these_items() {
    let place = in_step("meet", 20);
    assert_eq!(place.shell("rm -r R && mkdir -p R/c"), 0);
    (500..510).for_each(|n| place.write("R", n, "another's"));
    let token = |ran: &place::Ran| {
        let command = ran.report["ways_out"][1]["commands"][0].as_str().expect("a command").to_owned();
        command.rsplit(' ').next().expect("a digest").to_owned()
    };
    let late = token(&place.sync("L", "R", &[]));
    place.write("R", 510, "one more");
    assert_eq!(place.sync("L", "R", &["--meet", &late]).exit, 2, "it was another set of items");
    assert_eq!(place.count("L/c"), 20);
    let now = token(&place.sync("L", "R", &[]));
    assert_eq!(place.sync("L", "R", &["--meet", &now]).exit, 3);
    assert_eq!(place.sync("L", "R", &[]).exit, 0);
    assert_eq!((place.count("L/c"), place.count("R/c")), (31, 31));
}

#[test]
fn an_emptied_folder_is_named_with_what_is_left_of_it() {
    let place = in_step("emptied", 20);
    assert_eq!(place.shell("rm R/c/*"), 0);
    let files = place.sync("L", "R", &[]);
    assert_eq!((files.exit, files.named("right").0), (3, &json!({"Lost": "Emptied"})));
    let words = "it was emptied: its bookkeeping is here and knows 20 items, and none of them is there";
    assert_eq!(files.named("right").1, words);
    assert_eq!(place.shell("rm -r R/.holdfast"), 0);
    let both = place.sync("L", "R", &[]);
    assert_eq!((both.exit, both.named("right").0), (3, &json!({"Lost": "Emptied"})));
    assert!(both.named("right").1.starts_with("it was emptied: its bookkeeping and its files are gone"));
    assert_eq!((place.sync("L", "R", &[]).exit, place.count("R/c")), (0, 20));
}

#[test]
fn a_root_that_is_gone_is_made_anew_by_the_way_out_that_is_printed() {
    for gone in ["L", "R"] {
        let place = in_step(&format!("gone-{gone}"), 20);
        assert_eq!(place.shell(&format!("rm -r {gone}")), 0);
        let ran = place.sync("L", "R", &[]);
        assert_eq!((ran.exit, &ran.report["continuity"][0]["continuity"]), (2, &json!({"Lost": "Emptied"})));
        let steps: Vec<i32> = ran.first_way_out().iter().map(|command| place.shell(command)).collect();
        assert_eq!((steps, place.sync("L", "R", &[]).exit), (vec![0, 3], 0));
        assert_eq!((place.count("L/c"), place.count("R/c")), (20, 20));
    }
}

#[test]
fn what_an_old_backup_had_is_deleted_again_and_set_aside() {
    let place = in_step("deleted", 40);
    place.copy("R", "old");
    for n in 0..3 {
        (0..3).for_each(|k| place.remove("L", 13 * k + n..13 * k + n + 1));
        assert_eq!(place.sync("L", "R", &[]).exit, 0);
    }
    assert_eq!(place.shell("rm -r R/c R/.holdfast && cp -a old/. R/"), 0);
    assert_eq!(place.sync("L", "R", &[]).exit, 3);
    let next = place.sync("L", "R", &[]);
    assert_eq!((next.exit, next.count("notes")), (0, 9), "each is named");
    assert_eq!((place.count("L/c"), place.count("R/c"), place.count("R/.holdfast/aside/c")), (31, 31, 9));
}

#[test]
fn files_that_say_nothing_any_more_are_set_aside_and_written_anew() {
    for books in ["here", "lost"] {
        let place = in_step(&format!("zero-{books}"), 20);
        (0..20).for_each(|n| fs::write(place.file("R", n), "").expect("a file"));
        if books == "lost" {
            assert_eq!(place.shell("rm -r R/.holdfast"), 0);
        }
        let ran = place.sync("L", "R", &[]);
        assert_eq!((ran.exit, ran.report["unreadable"][0]["files"].as_u64()), (3, Some(20)));
        let digest = ran.report["unreadable"][0]["digest"].as_str().expect("a digest").to_owned();
        fs::write(place.file("R", 3), "x").expect("a file");
        assert_eq!(place.sync("L", "R", &["--keep", &digest]).exit, 2, "it was another set of files");
        let ran = place.sync("L", "R", &[]);
        let digest = ran.report["unreadable"][0]["digest"].as_str().expect("a digest");
        assert_eq!(place.sync("L", "R", &["--keep", digest]).exit, 0);
        assert_eq!((place.count("L/c"), place.count("R/c"), place.count("R/.holdfast/aside/c")), (20, 20, 20));
        assert_eq!(place.sync("L", "R", &[]).exit, 0);
    }
}

#[test]
fn a_clock_that_is_ahead_does_not_choose_what_is_shown() {
    let place = in_step("clock", 5);
    let rename = |side: &str, name: &str| {
        let card = fs::read_to_string(place.file(side, 1)).expect("a card").replace("FN:Person 1", name);
        fs::write(place.file(side, 1), card).expect("a card");
    };
    rename("R", "FN:Skewed");
    let file = fs::File::options().append(true).open(place.file("R", 1)).expect("a card");
    file.set_modified(SystemTime::now() + Duration::from_secs(315_569_520)).expect("a time");
    rename("L", "FN:Later");
    place.sync("L", "R", &[]);
    for side in ["L", "R"] {
        let card = fs::read_to_string(place.file(side, 1)).expect("a card");
        assert!(card.contains("FN:Later"), "{side}: {card}");
    }
}

#[test]
fn a_run_that_can_not_be_made_leaves_nothing_behind() {
    let place = Place::with_people("nothing", 3);
    let before = all(&place);
    let unknown = "0".repeat(32);
    assert_eq!(place.sync("L", "R", &["--keep", &unknown]).exit, 2);
    assert_eq!(place.sync("L", "R", &["--undo", "none"]).exit, 2);
    assert_eq!(tree::difference(&before, &all(&place)), None);
}

#[test]
fn a_device_that_only_took_in_is_known_to_be_older_when_it_is() {
    let place = in_step("device", 20);
    fs::create_dir(place.path().join("B")).expect("a folder");
    place.sync("B", "R", &[]);
    place.copy("B", "old");
    for n in 0..3 {
        place.write("L", n, "newer");
        place.sync("L", "R", &[]);
        assert_eq!(place.sync("B", "R", &[]).exit, 0);
    }
    assert_eq!(place.shell("rm -r B/c B/.holdfast && cp -a old/. B/"), 0);
    let ran = place.sync("B", "R", &[]);
    assert_eq!((ran.exit, ran.named("left").0), (3, &json!({"Lost": "RolledBack"})), "{}", ran.named("left").1);
    assert_eq!((place.sync("B", "R", &[]).exit, place.note("B", 2).as_str()), (0, "newer"));
}

#[test]
fn an_old_backup_without_bookkeeping_is_named_by_what_its_files_show() {
    let place = in_step("files", 40);
    place.copy("R/c", "old");
    for n in 0..3 {
        place.write("L", n, "newer");
    }
    (100..110).for_each(|n| place.write("L", n, "new"));
    place.sync("L", "R", &[]);
    assert_eq!(place.shell("rm -r R/c R/.holdfast && cp -a old R/c"), 0);
    let ran = place.sync("L", "R", &[]);
    assert_eq!((ran.exit, ran.count("held"), ran.named("right").0), (3, 0, &json!({"Lost": "RolledBack"})));
    assert_eq!((place.sync("L", "R", &[]).exit, place.count("R/c"), place.note("R", 2).as_str()), (0, 50, "newer"));
}

#[test]
fn a_disk_image_that_went_on_another_way_is_told_from_what_it_was() {
    let place = in_step("image", 20);
    fs::create_dir(place.path().join("B")).expect("a folder");
    place.sync("B", "R", &[]);
    place.sync("L", "R", &[]);
    // The same file, to the inode: nothing of it says that it is a copy.
    fs::hard_link(place.path().join("R/.holdfast/book"), place.path().join("image")).expect("a link");
    place.copy("R/c", "cards");
    for n in 0..2 {
        place.write("L", n, "newer");
        place.sync("L", "R", &[]);
    }
    assert_eq!(place.shell("rm -r R/c && cp -a cards R/c && mv image R/.holdfast/book"), 0);
    for n in 5..12 {
        place.write("B", n, "since");
        assert_eq!(place.sync("B", "R", &[]).exit, 0, "B has heard of nothing else");
    }
    let ran = place.sync("L", "R", &[]);
    let (continuity, evidence) = ran.named("right");
    assert_eq!((ran.exit, continuity), (3, &json!({"Lost": "Forked"})), "{evidence}");
    assert!(evidence.starts_with("it was set back and has gone on another way: both sides share commit"), "{evidence}");
    assert_eq!(place.sync("L", "R", &[]).exit, 0);
    for (n, note) in [(0, "newer"), (1, "newer"), (5, "since"), (11, "since")] {
        assert_eq!((place.note("L", n).as_str(), place.note("R", n).as_str()), (note, note));
    }
}
