//! What each local write says, and what it meets.

use alloc::{string::String, vec::Vec};

use super::{
    super::{Life, Record, Seeing},
    ALIVE, DELETED, by_machine, by_person, cleared, created, deleted, dot, edited, name, stamp, text, values, written,
};
use crate::values::{
    register::{Cause, Show},
    superseded::{ContentDigest, MAX_SUPERSEDED},
    value::Value,
    version::Version,
    version_vector::Causality,
};

fn shown(record: &Record, field: &str) -> Option<String> {
    let value = record.fields().get(&name(field))?.shown(Show::Latest)?;
    values_of(value)
}

fn values_of(value: &Value) -> Option<String> {
    if let Value::Text(text) = value { Some(text.clone()) } else { None }
}

fn ada() -> Record {
    created(by_person(0, 1), &[("x", "old"), ("y", "kept")])
}

#[test]
fn a_person_s_edit_beside_a_delete_keeps_the_record_alive_and_whole() {
    for cause in [Cause::User, Cause::Listing] {
        let edit = ada().edited(stamp(dot(1, 1), cause), &ada().seeing(), written(&[("x", "new")]));
        let joined = deleted(&ada(), by_person(2, 1)).join(&edit);
        assert!(joined.is_alive() && !joined.is_thin());
        assert_eq!(
            (values(&joined, "x"), values(&joined, "y")),
            ([String::from("new")].into(), [String::from("kept")].into())
        );
    }
}

#[test]
fn a_machine_s_edit_beside_a_delete_revives_nothing_and_is_not_lost() {
    for cause in [Cause::App, Cause::Import] {
        let edit = ada().edited(stamp(dot(1, 1), cause), &ada().seeing(), written(&[("x", "new")]));
        assert_eq!(edit.life(), ada().life());
        let joined = deleted(&ada(), by_person(2, 1)).join(&edit);
        assert!(!joined.is_alive());
        assert_eq!(values(&joined, "x"), ["new"]);
        let after = edit.edited(by_machine(1, 2), &edit.seeing(), written(&[("x", "newer")]));
        assert!(after.is_alive() && !deleted(&after, by_person(0, 2)).is_alive());
    }
}

#[test]
fn a_delete_covers_a_life_only_as_far_as_it_was_seen() {
    let edit = edited(&ada(), by_person(1, 1), &[("x", "new")]);
    let stale = edit.with_life(by_person(2, 1), &ada().seeing(), DELETED);
    assert!(stale.is_alive());
    assert_eq!(stale.life().siblings().len(), 2);
    assert!(!deleted(&edit, by_person(2, 1)).is_alive());
}

#[test]
fn a_machine_s_create_lives_until_any_delete_stands_beside_it() {
    let born = created(by_machine(0, 1), &[("x", "rolled over")]);
    assert!(born.is_alive());
    let elsewhere = deleted(&created(by_person(1, 1), &[("x", "mine")]), by_person(1, 2));
    assert!(!born.join(&elsewhere).is_alive());
    // One by a person outlives it.
    assert!(created(by_person(0, 1), &[("x", "typed")]).join(&elsewhere).is_alive());
    // And a machine's delete that saw the record is a delete.
    assert!(!ada().with_life(by_machine(1, 1), &ada().seeing(), DELETED).is_alive());
}

#[test]
fn a_delete_leaves_the_fields_and_a_revival_shows_them_again() {
    let dead = deleted(&ada(), by_person(0, 2));
    assert_eq!(dead.fields(), ada().fields());
    let alive = dead.with_life(by_person(0, 3), &dead.seeing(), ALIVE);
    assert!(alive.is_alive() && !alive.is_thin());
    assert_eq!(alive.fields(), ada().fields());
}

#[test]
fn a_clear_leaves_no_sibling_and_wins_only_over_what_it_saw() {
    let empty = ada().edited(by_person(0, 2), &ada().seeing(), cleared("x"));
    assert!(!empty.fields().contains_key(&name("x")));
    assert!(values(&empty.join(&ada()), "x").is_empty());
    let meanwhile = edited(&ada(), by_person(1, 1), &[("x", "new")]);
    assert_eq!(values(&empty.join(&meanwhile), "x"), ["new"]);
    let late = meanwhile.edited(by_person(0, 2), &ada().seeing(), cleared("x"));
    assert_eq!(values(&late, "x"), ["new"]);
}

#[test]
fn a_stale_write_stands_beside_what_came_in_between() {
    let now = edited(&ada(), by_person(1, 1), &[("x", "came")]);
    let saved = now.edited(by_person(0, 2), &ada().seeing(), written(&[("x", "typed")]));
    assert_eq!(values(&saved, "x"), ["typed", "came"]);
    assert!(saved.fields()[&name("x")].is_conflict());
    assert_eq!(values(&saved, "y"), ["kept"]);
    let settled = edited(&saved, by_person(0, 3), &[("x", "both")]);
    assert_eq!(values(&settled, "x"), ["both"]);
}

#[test]
fn siblings_of_equal_value_keep_their_dots_and_are_no_conflict() {
    let left = edited(&ada(), by_person(1, 1), &[("x", "same")]);
    let right = edited(&ada(), by_person(2, 1), &[("x", "same")]);
    let joined = left.join(&right);
    let register = &joined.fields()[&name("x")];
    assert_eq!(register.siblings().len(), 2);
    assert!(!register.is_conflict());
    assert_eq!(register.shown(Show::Latest), Some(&text("same")));
    let third = joined.join(&edited(&ada(), by_person(3, 1), &[("x", "other")]));
    assert!(third.fields()[&name("x")].is_conflict());
}

#[test]
fn a_machine_s_write_loses_the_tie_whatever_its_clock_says() {
    let person = edited(&ada(), by_person(1, 1), &[("x", "typed")]);
    for cause in [Cause::App, Cause::Import] {
        let machine = ada().edited(stamp(dot(2, 1_000), cause), &ada().seeing(), written(&[("x", "a longer one")]));
        let joined = person.join(&machine);
        assert_eq!(shown(&joined, "x").as_deref(), Some("typed"));
        assert_eq!(values(&joined, "x").len(), 2);
        let longest = joined.fields()[&name("x")].shown(Show::Longest);
        assert_eq!(longest, Some(&text("a longer one")));
    }
}

#[test]
fn what_is_shown_goes_by_clock_and_then_by_dot_and_drops_nothing() {
    let early = edited(&ada(), by_person(2, 3), &[("x", "early")]);
    let late = edited(&ada(), by_person(1, 5), &[("x", "late")]);
    assert_eq!(shown(&early.join(&late), "x").as_deref(), Some("late"));
    let tied = edited(&ada(), by_person(2, 5), &[("x", "greater replica")]);
    let joined = tied.join(&late);
    assert_eq!((shown(&joined, "x").as_deref(), values(&joined, "x").len()), (Some("greater replica"), 2));
    assert_eq!(joined, late.join(&tied));
}

#[test]
fn a_purge_leaves_the_certificate_and_covers_no_field_away() {
    let dead = deleted(&ada(), by_person(0, 2));
    let purged = dead.purged();
    assert!(purged.fields().is_empty() && purged.fields_context().is_empty());
    assert_eq!((purged.context(), purged.life()), (dead.context(), dead.life()));
    assert_eq!(purged.compare(&dead), Causality::Before);
    assert_eq!(purged.join(&dead), dead);
    assert_eq!(ada().purged(), ada());
    let edit = edited(&ada(), by_person(1, 1), &[("x", "new")]);
    let back = purged.join(&edit);
    assert!(back.is_alive());
    assert_eq!((values(&back, "x"), values(&back, "y")), ([String::from("new")].into(), [String::from("kept")].into()));
}

#[test]
fn a_revival_after_a_purge_is_thin_until_the_rest_comes() {
    let purged = deleted(&ada(), by_person(0, 2)).purged();
    let revived = edited(&purged, by_person(1, 1), &[("z", "again")]);
    assert!(revived.is_alive() && revived.is_thin() && values(&revived, "y").is_empty());
    let whole = revived.join(&deleted(&ada(), by_person(0, 2)));
    assert!(!whole.is_thin());
    assert_eq!(
        (values(&whole, "y"), values(&whole, "z")),
        ([String::from("kept")].into(), [String::from("again")].into())
    );
}

#[test]
fn a_former_writer_s_revival_after_a_purge_covers_none_of_its_older_writes() {
    let overwritten = edited(&ada(), by_person(1, 2), &[("x", "mine")]);
    let dead = deleted(&overwritten, by_person(1, 3));
    let revived = edited(&dead.purged(), by_person(1, 7), &[("z", "again")]);
    let with_old = revived.join(&ada());
    let with_dead = revived.join(&dead);
    assert_eq!(
        (values(&with_old, "x"), values(&with_dead, "x")),
        ([String::from("old")].into(), [String::from("mine")].into())
    );
    assert_eq!(with_old.compare(&with_dead), Causality::Before);
    assert_eq!(with_old.join(&with_dead), with_dead);
}

#[test]
fn the_last_eight_contents_are_remembered_by_the_writes_that_covered_them() {
    let mut now = ada();
    let mut old = Vec::new();
    for counter in 2..12 {
        old.insert(0, (dot(0, counter), now.content_digest()));
        let value = alloc::format!("{counter}");
        now = edited(&now, by_person(0, counter), &[("x", &value)]);
    }
    let remembered: Vec<_> = now.superseded().iter().collect();
    assert_eq!(remembered.len(), MAX_SUPERSEDED);
    assert_eq!(remembered, old[..MAX_SUPERSEDED]);
    assert!(!now.superseded().contains(now.content_digest()));
}

#[test]
fn a_write_that_changes_nothing_shown_supersedes_nothing() {
    assert!(edited(&ada(), by_person(0, 2), &[("x", "old")]).superseded().is_empty());
    assert!(created(by_person(0, 1), &[("x", "1")]).superseded().is_empty());
    let dead = deleted(&ada(), by_person(0, 2));
    assert!(dead.superseded().contains(ada().content_digest()));
    assert!(dead.purged().superseded().contains(ada().content_digest()));
}

#[test]
fn two_writes_under_one_dot_are_both_kept() {
    let one = created(by_person(0, 1), &[("x", "one")]);
    let clone = created(by_person(0, 1), &[("x", "two")]);
    assert_eq!(values(&one.join(&clone), "x"), ["one", "two"]);
    assert_eq!(one.join(&clone), clone.join(&one));
    assert_eq!(one.life().siblings(), one.join(&clone).life().siblings());
}

#[test]
fn a_person_s_write_is_alive_by_its_own_dot() {
    let edit = edited(&ada(), by_person(1, 4), &[("x", "new")]);
    let life: Vec<_> = edit.life().siblings().iter().map(|s| (s.stamp.dot, &s.value)).collect();
    assert_eq!(life, [(dot(1, 4), &Life::Alive { moved: None })]);
    let unread = edited(&ada(), by_person(1, 4), &[]);
    assert_eq!(unread.edited(by_person(2, 1), &Seeing::default(), Vec::new()).life().siblings().len(), 2);
}

#[test]
fn a_version_that_has_seen_less_may_remember_more_and_what_it_remembers_is_taken() {
    let mut old = ada();
    old.superseded.insert(dot(3, 1), ContentDigest(7));
    let new = edited(&ada(), by_person(1, 1), &[("x", "new")]);
    let [less, more] = [&old, &new].map(Version::encode);
    assert_eq!(less.join(&more), Version::encode(&old.join(&new)));
    assert!(less.join(&more).superseded().contains(ContentDigest(7)));
    assert!(less.join(&more).superseded().contains(ada().content_digest()));
    // What has seen all stays as it is: a hint alone is nothing to write.
    assert_eq!(more.join(&less), more);
}
