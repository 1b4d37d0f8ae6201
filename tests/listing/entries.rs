//! What a listing does not say: incomplete ones, entries that can not be read, entries that were never noted.

use holdfast::{
    act::receipt::Effect,
    decide::{
        draft::Draft,
        listing::{Listing, Partial},
        refusal::Refusal,
    },
    values::id::FieldName,
    *,
};

use crate::phone::{card, everything, id, in_step, people, person};

#[test]
fn an_incomplete_listing_proposes_no_removal() {
    let (mut ada, _, _) = in_step(10);
    ada.remove(0..9);
    let partial = ada.listing().into();
    assert_eq!(ada.see(&partial).changes.len(), 0);
    let cut = ada.listing().complete(10).unwrap_err();
    assert_eq!((cut.expected, cut.found), (10, 1));
    ada.see(&cut.listing.into());
    assert_eq!((ada.living().len(), ada.open_lines()), (10, 0));
}

#[test]
fn a_draft_of_an_incomplete_listing_removes_nothing_whatever_the_slice_holds() {
    let (mut ada, _, _) = in_step(10);
    ada.remove(0..9);
    let slice = ada.device.store().read(&everything()).unwrap();
    let (partial, complete) = (ada.listing(), ada.listing().complete(1).unwrap());
    let losses = |listing: &Listing| {
        let label = (values::register::Show::Latest, Timestamp::from_micros(9));
        Draft::of_listing(slice.clone(), ada.device.replica(), listing, None, label).unwrap().losses().count()
    };
    assert_eq!((losses(&partial.into()), losses(&complete.into())), (0, 9));
}

#[test]
fn an_entry_that_can_not_be_read_is_no_absence() {
    let (mut ada, _, _) = in_step(10);
    let mut listing = Partial::new(people());
    ada.native.keys().for_each(|record| listing.unreadable(record.clone()));
    let receipt = ada.see(&listing.complete(10).unwrap().into());
    assert_eq!(receipt.refused.len(), 10);
    assert!(receipt.refused.iter().all(|(_, refusal)| *refusal == Refusal::Unreadable));
    assert_eq!((ada.living().len(), ada.open_lines()), (10, 0));
}

#[test]
fn two_entries_of_one_record_are_an_error_for_it_alone() {
    let (mut ada, _, _) = in_step(2);
    let mut listing = Partial::new(people());
    listing.entry(id("p000"), card([("name", "One")]), Timestamp::from_micros(1));
    listing.entry(id("p000"), card([("name", "Another")]), Timestamp::from_micros(1));
    listing.entry(id("p001"), card([("name", "Changed")]), Timestamp::from_micros(1));
    let receipt = ada.see(&listing.complete(3).unwrap().into());
    assert_eq!(receipt.refused, [(id("p000"), Refusal::ListedTwice)]);
    assert_eq!((receipt.count(Effect::Changed), ada.shows(&id("p000"))), (1, person(0)));
}

#[test]
fn a_record_that_was_never_shown_is_not_missing() {
    let (mut ada, mut ben, mut server) = in_step(10);
    ada.native.insert(id("new"), person(77));
    ada.observe();
    ada.sync(&mut server);
    ben.sync(&mut server);
    // The app stops before it writes to the native store.
    assert_eq!(ben.observe().count(Effect::Hidden), 0);
    assert_eq!(ben.write_back(), 1);
}

#[test]
fn a_listing_after_a_crash_between_writing_and_noting_authors_nothing() {
    let (mut ada, mut ben, mut server) = in_step(10);
    ada.native.insert(id("new"), person(77));
    ada.native.get_mut(&id("p001")).unwrap().extend(card([("tel/a", "+1 555")]));
    ada.remove(0..1);
    ada.observe();
    ada.sync(&mut server);
    ben.sync(&mut server);
    ben.native = ada.native.clone(); // written, and not noted
    ben.observe();
    assert_eq!((ben.pending(), ben.write_back()), (0, 0));
}

#[test]
fn what_is_changed_in_an_entry_before_it_is_noted_is_an_edit_of_what_was_written() {
    let (mut ada, mut ben, mut server) = in_step(1);
    ada.native.insert(id("new"), person(77));
    ada.observe();
    ada.sync(&mut server);
    ben.sync(&mut server);
    let rows = ben.device.unshown(&people(), 10).unwrap();
    let versions = rows.iter().map(|row| (row.record.clone(), row.version.clone())).collect();
    ben.device.showing(&people(), versions).unwrap();
    assert_eq!(ben.observe().count(Effect::Hidden), 0, "that it is not there yet means nothing");
    // Written, not noted, and changed by hand: one number for another.
    let mut changed = person(77);
    changed.remove(&FieldName::new("tel/a").unwrap());
    changed.extend(card([("tel/b", "+1 555")]));
    ben.native.insert(id("new"), changed.clone());
    ben.observe();
    assert_eq!(ben.shows(&id("new")), changed);
}
