//! What is changed in an entry is an edit of what was shown there, and of nothing else.

use holdfast::{
    act::receipt::Effect,
    decide::listing::Partial,
    values::{id::FieldName, value::Value},
    *,
};

use crate::phone::{Phone, card, id, in_step, people, server};

#[test]
fn what_did_not_change_authors_nothing() {
    let mut ada = Phone::with_people(1, 20);
    assert_eq!(ada.living().len(), 20);
    assert!(ada.observe().is_quiet());
    let mut listing = Partial::new(people());
    ada.native.keys().for_each(|record| listing.unchanged(record.clone()));
    assert!(ada.see(&listing.complete(20).unwrap().into()).is_quiet());
    assert_eq!(ada.write_back(), 0);
}

#[test]
fn an_edit_covers_what_was_shown_and_nothing_else() {
    let (mut ada, mut ben, mut server) = in_step(3);
    let grace = id("p000");
    ben.native.get_mut(&grace).unwrap().extend(card([("email/a", "new@example.org")]));
    ben.observe();
    ben.sync(&mut server);
    // Ada's native store has not been written yet: what she types is an edit of what she saw.
    ada.sync(&mut server);
    ada.native.get_mut(&grace).unwrap().extend(card([("tel/a", "+1 555")]));
    let receipt = ada.observe();
    assert_eq!(receipt.changes[0].fields, [FieldName::new("tel/a").unwrap()]);
    assert_eq!(ada.write_back(), 1);
    let both = card([("name", "Person 0"), ("tel/a", "+1 555"), ("email/a", "new@example.org")]);
    assert_eq!(ada.native[&grace], both);
    ada.sync(&mut server);
    ben.sync(&mut server);
    ben.write_back();
    assert_eq!(ben.native[&grace], both);
}

#[test]
fn two_edits_of_one_field_are_both_kept() {
    let (mut ada, mut ben, mut server) = in_step(3);
    let grace = id("p000");
    ben.native.get_mut(&grace).unwrap().extend(card([("tel/a", "+1 Ben")]));
    ben.observe();
    ben.sync(&mut server);
    ada.sync(&mut server); // and what Ben wrote is not in Ada's native store yet
    ada.native.get_mut(&grace).unwrap().extend(card([("tel/a", "+1 Ada")]));
    ada.observe();
    let record = ada.device.row(&people(), &grace).unwrap().unwrap().version.record();
    assert_eq!(record.fields()[&FieldName::new("tel/a").unwrap()].siblings().len(), 2);
}

#[test]
fn who_removes_an_old_version_does_not_remove_the_new_one() {
    let (mut ada, mut ben, mut server) = in_step(3);
    let grace = id("p000");
    ben.native.get_mut(&grace).unwrap().extend(card([("tel/a", "+1 Ben")]));
    ben.observe();
    ben.sync(&mut server);
    ada.sync(&mut server);
    ada.native.remove(&grace); // she has not seen what Ben wrote
    assert_eq!(ada.observe().count(Effect::Hidden), 0);
    assert_eq!(ada.write_back(), 1);
    assert_eq!(ada.native, ben.native);
}

#[test]
fn an_edit_in_the_native_store_outlives_a_delete_elsewhere() {
    let (mut ada, mut ben, mut server) = in_step(10);
    ada.remove(0..1);
    ada.observe();
    ada.sync(&mut server);
    ben.native.get_mut(&id("p000")).unwrap().extend(card([("tel/a", "+1 555")]));
    ben.sync(&mut server);
    ben.observe();
    ben.sync(&mut server);
    ada.sync(&mut server);
    ada.write_back();
    assert_eq!(ada.native, ben.native);
    assert_eq!(ada.native[&id("p000")][&FieldName::new("tel/a").unwrap()], Value::from("+1 555"));
}

#[test]
fn what_the_native_store_has_no_place_for_stays() {
    let mut ada = Phone::new(1);
    ada.native.insert(id("grace"), card([("name", "Grace"), ("pronoun", "she")]));
    ada.observe();
    let mut listing = Partial::new(people()).with_place_for(["name"]);
    listing.entry(id("grace"), card([("name", "Grace H.")]), Timestamp::from_micros(3));
    ada.see(&listing.complete(1).unwrap().into());
    assert_eq!(ada.shows(&id("grace")), card([("name", "Grace H."), ("pronoun", "she")]));
}

#[test]
fn layout_is_kept_and_never_counts() {
    let (mut ada, mut ben, mut server) = in_step(60);
    for (n, fields) in ada.native.values_mut().enumerate() {
        fields.extend(card([("~order", &format!("{n}"))]));
    }
    ada.observe();
    for fields in ada.native.values_mut() {
        fields.extend(card([("~order", "name, tel, email")]));
    }
    let receipt = ada.observe();
    assert_eq!((receipt.count(Effect::Changed), receipt.held.len()), (60, 0));
    ben.native.get_mut(&id("p000")).unwrap().extend(card([("~order", "email, name, tel")]));
    ben.observe();
    ada.sync(&mut server);
    ben.sync(&mut server);
    ben.write_back();
    let record = ben.device.row(&people(), &id("p000")).unwrap().unwrap().version.record();
    assert_eq!(record.fields()[&FieldName::new("~order").unwrap()].siblings().len(), 2);
    assert_eq!(record.conflicts().count(), 0);
}

#[test]
fn native_stores_with_ways_of_their_own_come_to_rest() {
    let (mut ada, mut ben, mut server) = (Phone::with_people(1, 12), Phone::new(2), server());
    ben.observe();
    // What each native store makes of a telephone number.
    let ways: [fn(&str) -> String; 2] = [|number| number.replace(' ', ""), |number| number.replace("+49", "0")];
    let tel = FieldName::new("tel/a").unwrap();
    let write_back = |phone: &mut Phone, way: fn(&str) -> String| {
        for row in phone.device.unshown(&people(), usize::MAX).unwrap() {
            let mut shows = phone.shows(&row.record);
            let Some(Value::Text(number)) = shows.get(&tel) else { panic!("a number") };
            let number = Value::from(way(number));
            shows.insert(tel.clone(), number);
            phone.device.shown_as(&people(), row.record.clone(), &row.version, &shows).unwrap();
            phone.native.insert(row.record, shows);
        }
    };
    let mut round = |ada: &mut Phone, ben: &mut Phone| {
        for (phone, way) in [(&mut *ada, ways[0]), (&mut *ben, ways[1])] {
            phone.observe();
            phone.sync(&mut server);
            write_back(phone, way);
        }
    };
    (0..3).for_each(|_| round(&mut ada, &mut ben));
    assert!(ada.observe().is_quiet() && ben.observe().is_quiet());
    assert_eq!((ada.pending(), ben.pending()), (0, 0));
    // A person's edit still is one, and covers what its own store has made of the rest.
    ben.native.get_mut(&id("p003")).unwrap().extend(card([("email/a", "new@example.org")]));
    assert_eq!(ben.observe().changes[0].fields, [FieldName::new("email/a").unwrap()]);
    (0..3).for_each(|_| round(&mut ada, &mut ben));
    assert!(ada.observe().is_quiet() && ben.observe().is_quiet());
    assert_eq!(ada.shows(&id("p003")), ben.shows(&id("p003")));
    // And what is missing there is missing.
    ben.remove(0..1);
    assert_eq!(ben.observe().count(Effect::Hidden), 1);
    ben.restart();
    assert_eq!(ben.native[&id("p003")][&tel], Value::from("0 3"));
}

#[test]
fn a_new_server_is_given_everything() {
    let (mut ada, _, _) = in_step(10);
    let mut other = Server::new(MemoryStore::server(), ReplicaId::from_entropy(98).unwrap(), Guard::default());
    ada.sync(&mut other);
    assert_eq!(other.since(&people(), decide::line::Revision(0), 100).unwrap().offers.len(), 0);
    ada.device.unacknowledge(&people()).unwrap();
    ada.sync(&mut other);
    assert_eq!(other.since(&people(), decide::line::Revision(0), 100).unwrap().offers.len(), 10);
}

#[test]
fn an_edit_of_an_older_version_hides_no_write_of_the_same_device() {
    let mut ada = Phone::with_people(1, 20);
    let record = id("p003");
    ada.native.get_mut(&record).unwrap().extend(card([("tel/a", "+1 555")]));
    let receipt = ada.observe();
    // The app writes, and before the native store shows it, somebody edits another field there, twice.
    ada.device
        .undo_all(&people(), &[receipt.id.unwrap().revision], |_| true, "Ada", Timestamp::from_micros(5))
        .unwrap();
    ada.native.get_mut(&record).unwrap().extend(card([("name", "Ada L")]));
    ada.observe();
    ada.native.get_mut(&record).unwrap().extend(card([("email/a", "ada@example.org")]));
    ada.observe();
    let expected = card([("name", "Ada L"), ("tel/a", "+49 3"), ("email/a", "ada@example.org")]);
    assert_eq!(ada.shows(&record), expected);
    assert_eq!(ada.write_back(), 1, "the native store does not show what the app wrote");
    assert_eq!(ada.native[&record], expected);
    assert!(ada.observe().is_quiet());
}
