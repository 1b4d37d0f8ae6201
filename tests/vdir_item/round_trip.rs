//! What was read is written as it was.

use crate::{
    cards::{CARDS, WHOLE},
    item::{ITEM, parse, render},
    made::read,
};

#[test]
fn files_come_back_byte_for_byte_and_are_taken_apart() {
    for (name, bytes) in CARDS {
        let item = read(bytes);
        assert!(!item.fields.keys().any(|field| field.as_str() == ITEM), "{name} is kept whole");
        assert!(render(&item.fields) == *bytes, "{name}:\n{}", String::from_utf8_lossy(&render(&item.fields)));
    }
}

#[test]
fn strange_files_come_back_byte_for_byte_and_are_kept_whole() {
    for (name, bytes) in WHOLE {
        let item = read(bytes);
        let fields: Vec<_> = item.fields.keys().map(holdfast::values::id::FieldName::as_str).collect();
        assert_eq!(fields, [ITEM], "{name}");
        assert_eq!(render(&item.fields), *bytes, "{name}");
    }
}

#[test]
fn a_file_is_written_without_its_layout_and_says_the_same() {
    for (name, bytes) in CARDS {
        let mut fields = read(bytes).fields;
        fields.retain(|field, _| field.as_str() != "~layout");
        let again = parse("again.vcf", render(&fields)).expect(name).fields;
        let content = |fields: &crate::made::Fields| crate::made::content(fields);
        assert_eq!(content(&again), content(&fields), "{name}:\n{}", String::from_utf8_lossy(&render(&fields)));
    }
}

#[test]
fn the_name_and_the_uid_are_for_people() {
    for (bytes, uid, name) in [
        (crate::cards::APPLE, Some("B0E2A3C1-7A0D-4A5E-9C1A-0F6D5C9B7E11"), Some("John Appleseed")),
        (crate::cards::OUTLOOK, None, Some("Jürgen Müller")),
        (crate::cards::NEXTCLOUD, Some("urn:uuid:6f1b2c3d-0001-4000-8000-0123456789ab"), Some("Ελένη")),
        (crate::cards::MEETING, Some("meeting-1@example.com"), Some("Stand-up, short")),
        (crate::cards::SERIES, Some("series-1"), Some("Choir")),
        (crate::cards::OCCURRENCES, Some("o"), Some("One")),
        (crate::cards::TASK, Some("task-1"), Some("Water the plants")),
        (crate::cards::EMPTY, Some("empty"), None),
        (WHOLE[0].1, Some("x"), Some("X")),
    ] {
        let item = read(bytes);
        assert_eq!((item.uid.as_deref(), item.name.as_deref()), (uid, name));
    }
    let occurrence = "BEGIN:VEVENT\nUID:1\nSUMMARY:Moved\nRECURRENCE-ID:1\nEND:VEVENT\n";
    let main = "BEGIN:VEVENT\nUID:1\nSUMMARY:Weekly\nEND:VEVENT\n";
    let series = |events: &str| read(format!("BEGIN:VCALENDAR\n{events}END:VCALENDAR\n").as_bytes()).name;
    assert_eq!(series(&[occurrence, main].concat()).as_deref(), Some("Weekly"));
    assert_eq!(series(&[main, occurrence].concat()).as_deref(), Some("Weekly"));
    assert_eq!(series(occurrence).as_deref(), Some("Moved"));
    let long = format!("BEGIN:VCARD\nUID:a\\,b\nFN:{}\\n\x07\nN:no;\nEND:VCARD\n", "é".repeat(200));
    let item = read(long.as_bytes());
    assert_eq!(item.uid.as_deref(), Some("a,b"));
    assert_eq!(item.name, Some(format!("{}…", "é".repeat(80))));
    let unnamed = read(b"BEGIN:VCARD\nFN:\nN:Miller;Ann\\, B;;;\nTEL:1\nEND:VCARD\n");
    assert_eq!(unnamed.name.as_deref(), Some("Miller Ann, B"));
}
