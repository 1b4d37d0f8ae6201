//! The address book that the examples show is whole, and is read as an app would hold it.

#![allow(clippy::expect_used, reason = "a test may stop")]

use std::collections::{BTreeMap, BTreeSet};

use vcards::{Contact, address_book, read};

#[path = "../examples/vcards/mod.rs"]
mod vcards;

fn card(lines: &str) -> Contact {
    let text = format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nFN:One\r\n{lines}END:VCARD\r\n");
    let contacts = read(&text).expect("a card");
    let [contact] = contacts.try_into().expect("one card");
    contact
}

#[test]
fn all_cards_parse() {
    let contacts = address_book().expect("the address book");
    assert_eq!(contacts.len(), 320);
    assert!(contacts.iter().all(|contact| !contact.uid.is_empty() && !contact.name.is_empty()));
    let uids: BTreeSet<_> = contacts.iter().map(|contact| &contact.uid).collect();
    assert_eq!(uids.len(), 320, "no uid stands twice");
}

#[test]
fn the_address_book_has_variety() {
    let contacts = address_book().expect("the address book");
    let count = |has: fn(&Contact) -> bool| contacts.iter().filter(|contact| has(contact)).count();
    assert!(count(|contact| contact.phones.len() > 1) > 60, "several numbers");
    assert!(count(|contact| contact.phones.is_empty()) > 10, "no number");
    assert!(count(|contact| contact.phones.iter().any(|phone| phone.kind == "boat")) > 0, "a label of one's own");
    assert!(count(|contact| contact.emails.len() > 1) > 10, "several mail addresses");
    assert!(count(|contact| contact.groups.len() > 1) > 40, "several groups");
    assert!(count(|contact| contact.organisation.is_some()) > 80, "organisations");
    assert!(count(|contact| !contact.addresses.is_empty()) > 60, "addresses");
    assert!(count(|contact| contact.birthday.is_some()) > 60, "birthdays");
    assert!(count(|contact| contact.birthday.as_ref().is_some_and(|day| day.starts_with("--"))) > 3, "without a year");
    assert!(
        count(|contact| contact.note.as_ref().is_some_and(|note| note.contains('\n'))) > 3,
        "notes of several lines"
    );
    assert!(count(|contact| contact.photo.is_some()) > 15, "photos");
    assert!(count(|contact| contact.others.iter().any(|other| other.name.starts_with("X-"))) > 10, "X- properties");
    assert!(count(|contact| !contact.name.is_ascii()) > 100, "names beyond ASCII");
    let bare = |contact: &Contact| contact.phones.len() == 1 && contact.emails.is_empty() && contact.note.is_none();
    assert!(count(bare) > 5, "hardly anything but a number");
}

#[test]
fn element_ids_are_unique_in_a_card_and_stay_when_a_card_is_sorted() {
    for contact in address_book().expect("the address book") {
        let ids: BTreeSet<_> = contact.phones.iter().map(|phone| &phone.id).collect();
        assert_eq!(ids.len(), contact.phones.len(), "{}", contact.name);
    }
    let ids = |contact: Contact| -> BTreeMap<String, String> {
        contact.phones.into_iter().map(|phone| (phone.number, phone.id)).collect()
    };
    let (one, two) = ("TEL;TYPE=CELL:+1 202 555 0101\r\n", "TEL;TYPE=HOME:+1 202 555 0102\r\n");
    assert_eq!(ids(card(&[one, two].concat())), ids(card(&[two, one].concat())));
    let twice = card(&[one, one].concat()).phones;
    assert_eq!(twice.len(), 2);
    assert_eq!(twice[1].id, format!("{}-2", twice[0].id));
}

#[test]
fn values_are_read_as_people_mean_them() {
    let contact = card(concat!(
        "N:Ouyang;Zhi\\, yuan;;;\r\n",
        "item1.TEL;TYPE=VOICE:+1 202 555 0103\r\n",
        "item1.X-ABLabel:_$!<Boat>!$_\r\n",
        "TEL;TYPE=WORK,FAX:+1 202 555 0104\r\n",
        "TEL;VALUE=uri;PID=7.1:tel:+1-202-555-0105\r\n",
        "ORG:Meridian Print\\, Bind\\; Post;Night Desk\r\n",
        "CATEGORIES:Choir,Altos\\, second,Choir\r\n",
        "BDAY:--0312\r\n",
        "NOTE:one\\, two\\; three\\nfo\r\n ur \\\\\r\n",
        "ADR;TYPE=HOME:;;4 Harbor Row\\, Apt. 2B;Port;;98368;USA\r\n",
        "X-SOCIALPROFILE:https://social.example/@one\r\n",
    ));
    assert_eq!(contact.given_name.as_deref(), Some("Zhi, yuan"));
    assert_eq!(contact.family_name.as_deref(), Some("Ouyang"));
    let phones: Vec<_> = contact.phones.iter().map(|phone| (phone.kind.as_str(), phone.number.as_str())).collect();
    assert_eq!(phones, [("boat", "+1 202 555 0103"), ("fax", "+1 202 555 0104"), ("other", "+1-202-555-0105")]);
    assert_eq!(contact.phones[2].id, "7.1");
    assert_eq!(contact.organisation.as_deref(), Some("Meridian Print, Bind; Post, Night Desk"));
    assert_eq!(contact.groups, ["Altos, second", "Choir"]);
    assert_eq!(contact.birthday.as_deref(), Some("--03-12"));
    assert_eq!(contact.note.as_deref(), Some("one, two; three\nfour \\"));
    assert_eq!(contact.addresses[0].street, "4 Harbor Row, Apt. 2B");
    assert_eq!(contact.addresses[0].country, "USA");
    assert_eq!(contact.others[0].name, "X-SOCIALPROFILE");
}

#[test]
fn what_is_no_card_is_an_error() {
    for (text, said) in [
        ("BEGIN:VCARD\r\nVERSION:4.0\r\nFN:One\r\nEND:VCARD\r\n", "card 1 has no UID"),
        ("BEGIN:VCARD\r\nVERSION:4.0\r\nUID:1\r\nEND:VCARD\r\n", "card 1 has no FN"),
        ("BEGIN:VCARD\r\nVERSION:4.0\r\nUID:1\r\nFN:One\r\n", "expected a card, found Unterminated"),
        ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n", "expected a card, found ICalendar"),
    ] {
        let error = read(text).expect_err(text).to_string();
        assert!(error.starts_with(said), "expected {said}, found {error}");
    }
}
