//! Which fields a file has, and what changes them.

use holdfast::values::value::Value;

use crate::{
    cards::{self, CARDS},
    item::{parse, render},
    made::{Fields, content, edited, field, read, text},
};

/// The names of all fields, one a line, with ids of 16 digits as `#`.
fn names(bytes: &[u8]) -> String {
    let name = |name: &str| {
        let parts = name.split('/').map(|part| {
            let (id, again) = part.split_at_checked(16).unwrap_or((part, ""));
            let is_id = id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
            if is_id { format!("#{again}") } else { part.to_owned() }
        });
        parts.collect::<Vec<_>>().join("/")
    };
    let mut names: Vec<_> = read(bytes).fields.keys().map(|field| name(field.as_str())).collect();
    names.sort();
    names.join("\n")
}

#[test]
fn a_card_has_one_field_for_each_property() {
    let expected = "ADR/#\nEMAIL/#\nFN\nN\nNOTE/#\nORG/#\nTEL/#\nTEL/#\nX-ABADR/#\nX-ABLABEL/#\nX-SOCIALPROFILE/#\n\
                    ~PRODID\n~REV\n~UID\n~VERSION\n~layout";
    assert_eq!(names(cards::APPLE), expected);
    let fields = read(cards::APPLE).fields;
    let note = "NOTE:A long note that goes on and on\\, with a comma\\; and a semicolon\\nand a line break\\, and then \
                some more of it until it has to be folded once again because it is long.";
    assert!(fields.values().any(|value| *value == Value::from(note)), "{fields:?}");
    assert_eq!(fields[&field("FN")], Value::from("FN:John Appleseed"));
}

#[test]
fn a_calendar_has_its_components_in_the_names() {
    let expected = "DTEND\nDTSTART\nEXDATE/#\nEXDATE/#\nRRULE\nSUMMARY\n\
        VEVENT/20240205T080000Z/SUMMARY\n\
        VEVENT/TZID=Europe|Berlin:20240129T090000/DTSTART\nVEVENT/TZID=Europe|Berlin:20240129T090000/SUMMARY\n\
        VEVENT/TZID=Europe|Berlin:20240129T090000/VALARM/#\n\
        ~DTSTAMP\n~UID\n~VCALENDAR/CALSCALE\n~VCALENDAR/PRODID\n~VCALENDAR/VERSION\n\
        ~VEVENT/20240205T080000Z/DTSTAMP\n~VEVENT/20240205T080000Z/RECURRENCE-ID\n~VEVENT/20240205T080000Z/UID\n\
        ~VEVENT/TZID=Europe|Berlin:20240129T090000/DTSTAMP\n~VEVENT/TZID=Europe|Berlin:20240129T090000/RECURRENCE-ID\n\
        ~VEVENT/TZID=Europe|Berlin:20240129T090000/UID\n\
        ~VTIMEZONE/Europe|Berlin/DAYLIGHT/#\n~VTIMEZONE/Europe|Berlin/LAST-MODIFIED\n\
        ~VTIMEZONE/Europe|Berlin/STANDARD/#\n~VTIMEZONE/Europe|Berlin/TZID\n~layout";
    assert_eq!(names(cards::SERIES), expected);
    let expected = "ATTENDEE/#\nATTENDEE/#\nCATEGORIES/#\nDTEND\nDTSTART\nORGANIZER\nSUMMARY\nVALARM/#\nVALARM/#\n\
        VCALENDAR/X-WR-CALNAME/#\nX-MOZ-GENERATION/#\n~CREATED\n~DTSTAMP\n~LAST-MODIFIED\n~SEQUENCE\n~UID\n\
        ~VCALENDAR/PRODID\n~VCALENDAR/VERSION\n~layout";
    assert_eq!(names(cards::MEETING), expected);
}

#[test]
fn a_component_whose_key_can_not_be_a_name_is_one_field() {
    for key in ["RECURRENCE-ID:a:b", "RECURRENCE-ID;X=a|b:1", "RECURRENCE-ID:\u{7}", "RECURRENCE-ID:"] {
        let event = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{key}\nSUMMARY:A\nEND:VEVENT\nEND:VCALENDAR\n");
        assert_eq!(names(event.as_bytes()), "VCALENDAR/VEVENT/#\n~layout", "{key}");
    }
    let zone = "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:a|b\nEND:VTIMEZONE\nEND:VCALENDAR\n";
    assert_eq!(names(zone.as_bytes()), "VCALENDAR/VTIMEZONE/#\n~layout");
}

#[test]
fn ids_are_the_same_on_every_machine() {
    let fields = read(b"BEGIN:VCARD\nTEL;type=home:1\nX-A:1\nEND:VCARD\n").fields;
    let names: Vec<_> = fields.keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["TEL/1b4ca5ae6088beee", "X-A/c7690248c484cb22", "~layout"]);
    // The case of names is no part of it, and that of values is.
    let tel = |line: &str| read(format!("BEGIN:VCARD\n{line}\nEND:VCARD\n").as_bytes()).fields.into_keys().next();
    assert_eq!(tel("tel;TYPE=home:1"), tel("TEL;type=home:1"));
    assert_ne!(tel("TEL;TYPE=HOME:1"), tel("TEL;TYPE=home:1"));
    assert_ne!(tel("TEL;TYPE=home:1"), tel("TEL;TYPE=home:2"));
    assert_ne!(tel("item1.TEL:1"), tel("item2.TEL:1"));
}

#[test]
fn what_stands_twice_is_two_fields() {
    let expected = "FN\nFN/#\nFN/#\nN\nN/#\nTEL/#\nTEL/#\nTEL/#\nTEL/#-2\nTEL/#-2\n~UID\n~VERSION\n~layout";
    assert_eq!(names(cards::SEVERAL), expected);
    let fields = read(cards::SEVERAL).fields;
    assert_eq!(fields[&field("FN")], Value::from("FN:First"), "the first is the one");
    // Which of two that are the same but for their spelling is the second depends on them, and not on their order.
    let (one, two) = ("TEL;TYPE=home:1\r\n", "tel;type=home:1\r\n");
    let swapped = edited(&edited(&edited(cards::SEVERAL, one, "?"), two, one), "?", two);
    assert_same_content("swapped", &swapped, &fields);
}

#[test]
fn what_says_nothing_is_null() {
    let expected = "ADR/empty\nFN\nN\nNOTE/empty\nTEL/empty\nTEL/empty-2\nX-A/empty\n~UID\n~VERSION\n~layout";
    assert_eq!(names(cards::EMPTY), expected);
    assert!(content(&read(cards::EMPTY).fields).values().all(|value| *value == Value::Null));
    for line in
        ["NOTE:.", "RRULE:x", "TEL: \u{a0}x", "PHOTO;ENCODING=b:AA==", "N:;;;;x", "X-A:0", "X-A:\\,", "URL:data:,"]
    {
        let card = format!("BEGIN:VCARD\nUID:1\n{line}\nEND:VCARD\n");
        assert!(content(&read(card.as_bytes()).fields).values().all(|value| !value.is_empty()), "{line}");
        let event = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n{line}\nEND:VEVENT\nEND:VCALENDAR\n");
        assert!(content(&read(event.as_bytes()).fields).values().all(|value| !value.is_empty()), "{line}");
    }
}

/// All properties without their values.
fn blanked(bytes: &[u8]) -> Vec<u8> {
    let unfolded = text(bytes).replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    let kept = ["BEGIN", "END", "VERSION", "UID", "RECURRENCE-ID", "TZID"];
    let blank = |line: &str| match line.split_once(':') {
        Some((head, _)) if !kept.iter().any(|name| head.split(';').next() == Some(name)) => {
            format!("{}:", head.split(';').next().unwrap_or_default())
        }
        _ => line.to_owned(),
    };
    unfolded.lines().map(blank).map(|line| line + "\n").collect::<String>().into_bytes()
}

#[test]
fn an_emptied_card_is_seen_to_be_empty() {
    for bytes in [cards::APPLE, cards::GOOGLE, cards::PHOTO, cards::SERIES, cards::TASK, cards::OUTLOOK_EVENT] {
        let before = content(&read(bytes).fields);
        assert!(before.values().any(|value| !value.is_empty()));
        let blanked = blanked(bytes);
        let after = read(&blanked).fields;
        assert!(content(&after).len() >= 2, "{}", text(&blanked));
        assert!(content(&after).values().all(Value::is_empty), "{}\n{after:?}", text(&blanked));
        assert_eq!(render(&after), blanked);
    }
}

fn assert_same_content(name: &str, changed: &[u8], before: &Fields) {
    let after = parse("changed.ics", changed.to_vec()).expect(name).fields;
    assert_ne!(after, *before, "{name}: nothing changed");
    assert_eq!(content(&after), content(before), "{name}\n{}", text(changed));
}

#[test]
fn the_order_of_lines_is_layout() {
    for (name, bytes) in
        CARDS.iter().filter(|(name, _)| !["several", "journal", "outlook", "nextcloud", "latin"].contains(name))
    {
        let fields = read(bytes).fields;
        let unfolded = text(bytes).replace("\r\n", "\n").replace("\n ", "\r ").replace("\n\t", "\r\t");
        let lines: Vec<_> = unfolded.lines().filter(|line| !line.is_empty()).collect();
        // Swaps neighbours; an edge stays where it is.
        let is_edge = |line: &str| line.to_uppercase().contains("BEGIN:") || line.to_uppercase().starts_with("END:");
        for at in 1..lines.len() {
            let mut lines = lines.clone();
            if is_edge(lines[at - 1]) || is_edge(lines[at]) || is_in_block(&lines[..at]) {
                continue;
            }
            lines.swap(at - 1, at);
            let changed = lines.join("\n").replace('\r', "\n") + "\n";
            assert_same_content(name, changed.as_bytes(), &fields);
        }
    }
}

/// Whether the line after these is inside of a component that is one field.
fn is_in_block(lines: &[&str]) -> bool {
    let count = |word: &str| lines.iter().filter(|line| line.starts_with(word)).count();
    let depth = count("BEGIN:") - count("END:");
    let is_calendar = lines.contains(&"BEGIN:VCALENDAR");
    let last = lines.iter().rev().find(|line| line.starts_with("BEGIN:"));
    depth > if is_calendar { 2 } else { 1 }
        || last.is_some_and(|line| ["BEGIN:VFREEBUSY", "BEGIN:X-NEW"].contains(line))
}

#[test]
fn how_lines_are_broken_is_layout() {
    for (name, bytes) in CARDS.iter().filter(|(name, _)| !["outlook", "nextcloud", "latin"].contains(name)) {
        let fields = read(bytes).fields;
        let unfolded = text(bytes).replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
        let folded = |line: &str| {
            if line.to_uppercase().contains("BEGIN:") || line.to_uppercase().starts_with("END:") {
                return line.to_owned();
            }
            line.chars().map(String::from).collect::<Vec<_>>().join("\r\n\t")
        };
        assert_same_content(name, (unfolded.clone() + "\n\n").as_bytes(), &fields);
        let folded: String = unfolded.lines().map(folded).map(|line| line + "\n").collect();
        assert_same_content(name, folded.as_bytes(), &fields);
    }
}

#[test]
fn bookkeeping_is_no_content() {
    for (bytes, from, to) in [
        (cards::APPLE, "REV:2024", "REV:2025"),
        (cards::APPLE, "iOS 17.2", "iOS 18"),
        (cards::APPLE, "VERSION:3.0", "VERSION:4.0"),
        (cards::APPLE, "UID:B0", "UID:B1"),
        (cards::MEETING, "DTSTAMP:2024", "DTSTAMP:2025"),
        (cards::MEETING, "SEQUENCE:3", "SEQUENCE:4"),
        (cards::MEETING, "LAST-MODIFIED:2024", "LAST-MODIFIED:2025"),
        (cards::MEETING, "CREATED:2024", "CREATED:2025"),
        (cards::SERIES, "CALSCALE:GREGORIAN\n", ""),
        (cards::SERIES, "TZNAME:CET", "TZNAME:MEZ"),
        (cards::SERIES, "LAST-MODIFIED:2023", "LAST-MODIFIED:2025"),
        (cards::OCCURRENCES, "METHOD:REQUEST", "METHOD:PUBLISH"),
    ] {
        assert_same_content(from, &edited(bytes, from, to), &read(bytes).fields);
    }
}
