//! Edits of one item on two devices go together, field by field.

use holdfast::values::value::Value;

use crate::{
    cards,
    item::{ITEM, parse, render},
    made::{Fields, content, edited, field, merged, read, text},
};

/// Merges two edits of one file, each a text and its replacement, in both ways; what both give must be the same but for
/// its layout, and is returned in order.
#[track_caller]
fn both(bytes: &[u8], one: (&str, &str), two: (&str, &str)) -> Vec<String> {
    let base = read(bytes).fields;
    let one = read(&edited(bytes, one.0, one.1)).fields;
    let two = read(&edited(bytes, two.0, two.1)).fields;
    let mut written = Vec::new();
    for merged in [merged(&base, &one, &two), merged(&base, &two, &one)] {
        let bytes = render(&merged);
        let again = parse("merged.vcf", bytes.clone()).unwrap_or_else(|error| panic!("{error}\n{}", text(&bytes)));
        assert_eq!(content(&again.fields), content(&merged), "{}", text(&bytes));
        written.push(text(&bytes));
    }
    written
}

#[test]
fn two_people_who_edit_different_properties_both_get_what_they_want() {
    let from_two = both(cards::APPLE, ("555-0101", "555-0909"), ("FN:John Appleseed", "FN:Johnny"));
    for written in from_two {
        assert!(
            written.contains("FN:Johnny\r\n")
                && written.contains("TEL;type=CELL;type=VOICE;type=pref:+1 (202) 555-0909\r\n")
        );
        assert!(!written.contains("555-0101") && !written.contains("FN:John Appleseed"));
        let kept = written.lines().filter(|line| cards::APPLE.windows(line.len()).any(|part| part == line.as_bytes()));
        assert_eq!(kept.count(), text(cards::APPLE).lines().count() - 2, "all other lines are as they were\n{written}");
        assert_eq!(written.lines().count(), text(cards::APPLE).lines().count());
    }
}

#[test]
fn additions_stand_before_the_end_in_the_way_of_the_file() {
    let long = "NOTE:".to_owned() + &"ä".repeat(50) + "€" + &"ä".repeat(50);
    for written in both(cards::GOOGLE, ("END:VCARD", "TEL:1\nEND:VCARD"), ("END:VCARD", &format!("{long}\nEND:VCARD")))
    {
        assert!(!written.contains('\r'), "{written}");
        let unfolded = written.replace("\n ", "");
        assert!(unfolded.contains("\nTEL:1\n") && unfolded.contains(&format!("\n{long}\n")), "{written}");
        assert!(unfolded.trim_end().ends_with("END:VCARD"));
    }
    // A file that folds has its new lines folded, too.
    let fields = read(&edited(cards::APPLE, "TEL;type=HOME", "TEL;type=HOME;X-A=1")).fields;
    let mut with_note = fields.clone();
    with_note.insert(field("NOTE/1"), Value::from(long.as_str()));
    let written = text(&render(&with_note));
    let is_folded = |line: &str| line.trim_start().starts_with(['N', 'ä']) && line.contains('ä') && line.len() <= 78;
    assert_eq!(written.lines().filter(|line| is_folded(line)).count(), 3, "{written}");
    assert!(written.replace("\r\n ", "").contains(&long), "{written}");
    // In quoted-printable, the end of a line says something else.
    for length in 0..4 {
        let soft = format!("NOTE;ENCODING=QUOTED-PRINTABLE:{}{}", "x".repeat(length), "=3D".repeat(100));
        with_note.insert(field("NOTE/1"), Value::from(soft.as_str()));
        let again = read(&render(&with_note)).fields;
        assert!(again.values().any(|value| *value == Value::from(soft.as_str())), "{}", text(&render(&with_note)));
    }
}

#[test]
fn one_takes_away_and_one_adds() {
    for written in
        both(cards::APPLE, ("item2.X-ABADR:us\r\n", ""), ("TEL;type=HOME", "TEL;type=WORK:+1\r\nTEL;type=HOME"))
    {
        assert!(!written.contains("X-ABADR") && written.contains("TEL;type=WORK:+1\r\n"), "{written}");
    }
    for written in
        both(cards::MEETING, ("ATTENDEE;CN=Cho:mailto:cho@example.com\r\n", ""), ("TRIGGER:-PT15M", "TRIGGER:-PT20M"))
    {
        assert!(!written.contains("Cho") && written.contains("TRIGGER:-PT20M") && !written.contains("TRIGGER:-PT15M"));
    }
}

#[test]
fn one_empties_and_one_edits() {
    for written in both(cards::APPLE, ("FN:John Appleseed", "FN:"), ("Ridge Farm", "Valley Farm")) {
        assert!(written.contains("\r\nFN:\r\n") && written.contains("ORG:Valley Farm"), "{written}");
    }
    for written in both(cards::EMPTY, ("FN:\r\n", "FN:Somebody\r\n"), ("X-A:", "X-A:1")) {
        assert!(written.contains("FN:Somebody\r\n") && written.contains("X-A:1\r\n"), "{written}");
        assert!(written.contains("N:;;;;\r\n") && written.contains("TEL;TYPE=work:\r\n"), "{written}");
    }
}

#[test]
fn an_occurrence_that_one_deleted_and_the_other_edited_keeps_the_edit() {
    let occurrence = text(cards::SERIES);
    let begin = occurrence.find("BEGIN:VEVENT\nUID:series-1\nDTSTAMP:20240101T120000Z\nRECURRENCE-ID;").expect("one");
    let end = occurrence[begin..].find("END:VEVENT\n").expect("its end") + begin + "END:VEVENT\n".len();
    let gone = &occurrence[begin..end];
    for written in both(cards::SERIES, (gone, ""), ("Choir (later)", "Choir (latest)")) {
        assert!(written.contains("RECURRENCE-ID;TZID=Europe/Berlin:20240129T090000\n"), "{written}");
        assert!(written.contains("SUMMARY:Choir (latest)\n"), "{written}");
        assert_eq!(written.matches("UID:series-1\n").count(), 3);
    }
    // But the stamps of a program do not bring it back.
    for written in both(cards::SERIES, (gone, ""), (gone, &gone.replace("DTSTAMP:20240101", "DTSTAMP:20240102"))) {
        assert_eq!(written.matches("BEGIN:VEVENT").count(), 2, "{written}");
    }
}

#[test]
fn both_add_an_occurrence() {
    let occurrence = |day: u8| {
        format!(
            "END:VEVENT\nBEGIN:VEVENT\nUID:series-1\nRECURRENCE-ID:202403{day:02}T080000Z\nSUMMARY:{day}\nEND:VEVENT\nBEGIN:VTIMEZONE"
        )
    };
    let place = "END:VEVENT\nBEGIN:VTIMEZONE";
    for written in both(cards::SERIES, (place, &occurrence(1)), (place, &occurrence(2))) {
        assert_eq!(written.matches("BEGIN:VEVENT").count(), 5, "{written}");
        assert_eq!(written.matches("END:VEVENT").count(), 5, "{written}");
        assert!(written.contains("SUMMARY:1\n") && written.contains("SUMMARY:2\n"));
    }
}

#[test]
fn an_edit_beside_an_item_that_is_kept_whole_is_added_to_it() {
    let garbage = ("ORG:Ridge Farm;", "no property");
    for (bytes, whole, edit, expected) in [
        (cards::APPLE, garbage, ("FN:John Appleseed", "FN:Johnny"), "FN:Johnny\r\nEND:VCARD\r\n"),
        (
            cards::MEETING,
            ("SEQUENCE:3", "no property"),
            ("PT15M", "PT9M"),
            "END:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        ),
        (cards::MEETING, ("SEQUENCE:3", "no property"), ("X-WR-CALNAME:Work", "X-A:1"), "X-A:1\r\nEND:VCALENDAR\r\n"),
        (
            cards::SERIES,
            ("SUMMARY:Choir\n", "no property\n"),
            ("SUMMARY:Choir (UTC)", "SUMMARY:New"),
            "BEGIN:VEVENT\nRECURRENCE-ID:20240205T080000Z\nSUMMARY:New\nEND:VEVENT\nEND:VCALENDAR\n",
        ),
    ] {
        let base = read(bytes).fields;
        let (one, two) = (read(&edited(bytes, whole.0, whole.1)).fields, read(&edited(bytes, edit.0, edit.1)).fields);
        for fields in [merged(&base, &one, &two), merged(&base, &two, &one)] {
            let written = text(&render(&fields));
            assert!(written.contains("no property") && written.ends_with(expected), "{written}");
            assert!(parse("a.ics", written.into_bytes()).is_ok());
        }
    }
}

#[test]
fn the_version_stands_first_where_there_is_no_layout() {
    let mut fields = Fields::from([(field("FN"), Value::from("FN:A")), (field("TEL/1"), Value::from("TEL:1"))]);
    assert_eq!(text(&render(&fields)), "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:A\r\nTEL:1\r\nEND:VCARD\r\n");
    fields.insert(field("~VERSION"), Value::from("VERSION:4.0"));
    fields.insert(field("~UID"), Value::from("UID:1"));
    assert_eq!(text(&render(&fields)), "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:1\r\nFN:A\r\nTEL:1\r\nEND:VCARD\r\n");
    assert_eq!(text(&render(&Fields::new())), "BEGIN:VCARD\r\nVERSION:3.0\r\nEND:VCARD\r\n");
    let fields = Fields::from([(field("DUE"), Value::from("DUE:20240101")), (field("~UID"), Value::from("UID:1"))]);
    let expected = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//holdfast//vdir_sync//EN\r\nBEGIN:VTODO\r\nUID:1\r\n\
                    DUE:20240101\r\nEND:VTODO\r\nEND:VCALENDAR\r\n";
    assert_eq!(text(&render(&fields)), expected);
    assert!(!fields.contains_key(&field(ITEM)));
}
