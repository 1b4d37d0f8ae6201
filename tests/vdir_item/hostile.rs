//! Fields from a peer: no field brings in another line, and no layout costs more than its length.

use std::{thread, time::Instant};

use holdfast::values::value::Value;

use crate::{
    cards::{self, CARDS},
    item::{ITEM, parse, render},
    made::{Fields, content, field, read, text},
};

/// Writes a small card with one more field.
fn with(name: &str, value: impl Into<Value>) -> String {
    let mut fields = read(b"BEGIN:VCARD\nVERSION:3.0\nUID:1\nFN:A\nEND:VCARD\n").fields;
    fields.insert(field(name), value.into());
    text(&render(&fields))
}

#[test]
fn a_value_that_is_not_one_line_of_its_property_is_left_out() {
    let plain = text(b"BEGIN:VCARD\nVERSION:3.0\nUID:1\nFN:A\nEND:VCARD\n");
    for (name, value) in [
        ("TEL/1", "TEL:1\nUID:2"),
        ("TEL/1", "TEL:1\r\nUID:2"),
        ("TEL/1", "TEL:1\rUID:2"),
        ("TEL/1", "TEL:1\n"),
        ("TEL/1", "TEL:1\0"),
        ("TEL/1", "UID:2"),
        ("TEL/1", " TEL:1"),
        ("TEL/1", "TEL"),
        ("TEL/1", "TEL 1"),
        ("TEL/1", "BEGIN:TEL"),
        ("TEL/1", "END:VCARD"),
        ("TEL/1", "BEGIN:TEL\nEND:TEL\nEND:VCARD\nBEGIN:VCARD"),
        ("TEL/1", "BEGIN:TEL\nEND:TEL\nUID:2"),
        ("TEL/1", "BEGIN:OTHER\nA:1\nEND:OTHER"),
        ("A/1", &("BEGIN:A\n".repeat(9) + "END:A\n".repeat(9).trim_end())),
        ("TEL/1", "BEGIN:TEL\nBEGIN:A\nEND:TEL\nEND:A"),
        ("TEL/1", "BEGIN:TEL\nno property\nEND:TEL"),
        ("TEL/1", "BEGIN:TEL\n folded:1\nEND:TEL"),
        ("TEL/1", "TEL;ENCODING=QUOTED-PRINTABLE:1="),
        ("TEL/1/2", "TEL:1"),
        ("tel/1", "TEL:1"),
        ("~TEL/1", "TEL:1"),
        ("REV", "REV:1"),
        ("BEGIN", "BEGIN:VCARD"),
        ("END", "END:VCARD"),
        ("END/1", "END:VCARD"),
        ("A\nUID:2", "A:1"),
        ("VEVENT/1/SUMMARY", "SUMMARY:1"),
        ("/", "TEL:1"),
        ("~", "TEL:1"),
        ("ITEM", "not an item"),
        ("ITEM", "BEGIN:VCARD\nUID:2\n"),
    ] {
        assert_eq!(with(name, value), plain, "{name} {value:?}");
    }
    assert_eq!(with("TEL/1", 1), plain);
    assert_eq!(with("TEL/1", Value::List(vec!["TEL:1".into()])), plain);
    assert_eq!(with("TEL/1", Value::Bytes(b"TEL:\xff".to_vec())), plain.replace("END", "TEL:\u{fffd}\nEND"));
    assert_eq!(with("TEL/1", Value::Null), plain.replace("END", "TEL:\nEND"));
    assert_eq!(with("TEL/1", "TEL:\u{1b}[2J"), plain.replace("END", "TEL:\u{1b}[2J\nEND"));
    let occurrence = [
        ("~VEVENT/20240205T080000Z/RECURRENCE-ID", Value::from("RECURRENCE-ID:20240101T000000Z")),
        ("~VEVENT/20240205T080000Z/RECURRENCE-ID", Value::Null),
    ];
    for (name, value) in occurrence {
        let mut fields = read(cards::SERIES).fields;
        fields.insert(field(name), value);
        assert_eq!(text(&render(&fields)).matches("RECURRENCE-ID").count(), 2);
        assert_eq!(content(&parse("a.ics", render(&fields)).expect("an item").fields), content(&fields));
    }
}

#[test]
fn another_item_does_not_get_into_a_calendar() {
    for (name, value) in [
        ("~UID", "UID:other"),
        ("~UID/1", "UID:other"),
        ("~VEVENT/20240205T080000Z/UID", "UID:other"),
        ("VCALENDAR/VEVENT/1", "BEGIN:VEVENT\nUID:other\nSUMMARY:Other\nEND:VEVENT"),
        ("VCALENDAR/X/1", "BEGIN:X\nUID:other\nEND:X"),
    ] {
        let mut fields = read(cards::SERIES).fields;
        fields.insert(field(name), Value::from(value));
        let written = render(&fields);
        let again = parse("a.ics", written.clone()).unwrap_or_else(|error| panic!("{error}\n{}", text(&written)));
        assert_eq!(content(&again.fields), content(&read(cards::SERIES).fields), "{name}\n{}", text(&written));
        let whole = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nno property\nEND:VEVENT\nEND:VCALENDAR\n";
        let beside = Fields::from([(field(ITEM), whole.into()), (field(name), value.into())]);
        assert_eq!(text(&render(&beside)), whole);
    }
}

/// Writes an item with this layout; it must be the same item.
fn laid_out(bytes: &[u8], layout: &str) -> String {
    let mut fields = read(bytes).fields;
    fields.insert(field("~layout"), Value::from(layout));
    let written = render(&fields);
    let again = parse("a.ics", written.clone()).unwrap_or_else(|error| panic!("{error}\n{layout}\n{}", text(&written)));
    assert_eq!(content(&again.fields), content(&fields), "{layout}\n{}", text(&written));
    text(&written)
}

#[test]
fn a_layout_that_lies_changes_no_content() {
    let open = "+\tBEGIN:VCARD\n";
    let style = "1 lf 75\n";
    for layout in [
        "",
        "2 crlf 75",
        "1 lf",
        "1 lf 99999999999999999999999",
        "1 lf 1",
        "1 xx 4 bom bom",
        &format!("{style}+\tBEGIN:VCARD\nNOTE:injected\n=FN"),
        &format!("{style}{open}{open}{open}-END:VCARD\n-END:VCARD\n_\n=FN"),
        &format!("{style}-END:VCARD\n-END:VCARD\n{open}"),
        &format!("{style}=FN\n{open}=FN\n=FN\n-END:NOTHING"),
        &format!("{style}+\tBEGIN:VCALENDAR\n{open}=FN"),
        &format!("{style}+VCALENDAR\tBEGIN:VCARD\n=FN"),
        &format!("{style}+VCARD\tBEGIN:VCARD\n=FN"),
        &format!("{style}{open}0FN\tUID:2\n0NOTE/x\tNOTE:1\n*FN\n.NOTE:1\n.\n."),
        &format!("{style}{open}~0a17g\n=FN\n~3a3a11g\n=N"),
        &format!("{style}{open}~17i\n=FN\n~3i\n0FN\tFN:\n=N\n"),
        &format!("{style}{open}0FN\tFN:injected\n0N\tN:;injected\n"),
        &format!("{style}{open}0FN\tX-B:\n0N\tX-B:;;\n"),
        &format!("{style}{open}~1i\n=FN\n~17i\n=FN\n~19i\n=N\n_"),
        &format!("{style}{open}~3e14g\n=FN\n~99999999999999999999a\n=N\n~a\n~\n~x\n_"),
        &format!("{style}{open}~0i\n_\n~5i\n_\n=FN"),
        &format!("{style}{open}+VEVENT/1\tBEGIN:VEVENT\n-END:VEVENT\n+VTIMEZONE/1\tBEGIN:VTIMEZONE\n"),
        &format!("{style}=FN\n\n\n\n{open}=FN"),
    ] {
        let written = laid_out(cards::APPLE, layout);
        assert!(!written.contains("injected"), "{written}");
        if !layout.contains("VCALENDAR") {
            laid_out(cards::EMPTY, layout);
        }
    }
    let second = read(cards::SEVERAL).fields.into_keys().find(|name| name.as_str().starts_with("FN/")).expect("one");
    laid_out(cards::SEVERAL, &format!("{style}{open}={}\n=FN", second.as_str()));
    for layout in [
        "1 lf 75\n+VCALENDAR\tBEGIN:VCALENDAR\n+VEVENT/20240205T080000Z\tBEGIN:VTODO\n=VEVENT/20240205T080000Z/SUMMARY",
        "1 lf 75\n+VCALENDAR\tBEGIN:VCALENDAR\n+\tBEGIN:VEVENT\n-END:VEVENT\n+\tBEGIN:VEVENT\n-END:VEVENT",
        "1 lf 75\n+VCALENDAR\tBEGIN:VCALENDAR\n+\tBEGIN:VALARM\n=SUMMARY",
        "1 lf 75\n+VCALENDAR\tBEGIN:VCALENDAR\n+\tBEGIN:VEVENT\n+\tBEGIN:VEVENT\n=SUMMARY\n=DTSTART\n-END:VEVENT\n+\tBEGIN:VEVENT",
        "1 lf 75\n+VCALENDAR\tBEGIN:VCALENDAR\n+VEVENT/20240205T080000Z\tBEGIN:VEVENT\n=SUMMARY\n+\tBEGIN:VEVENT\n=SUMMARY",
        "1 lf 75\n+VEVENT/new\tBEGIN:VEVENT\n+VCALENDAR\tBEGIN:VCALENDAR\n+VEVENT/new\tBEGIN:VEVENT\n_\n-END:VEVENT\n_\n",
        "1 lf 75\n+\tBEGIN:VEVENT\n=SUMMARY\n-END:VEVENT\n+VCALENDAR\tBEGIN:VCALENDAR\n-END:VCALENDAR\n+\tBEGIN:VEVENT",
    ] {
        assert_eq!(laid_out(cards::SERIES, layout).matches("BEGIN:VEVENT").count(), 3, "{layout}");
        laid_out(cards::MEETING, layout);
    }
}

/// With work that grows with the square of the layout, this takes hours.
#[test]
fn a_layout_costs_no_more_than_its_length() {
    let begun = Instant::now();
    for line in [
        "_\n",
        "+\tBEGIN:VCARD\n",
        "-END:VCARD\n",
        "=FN\n",
        "0FN\tFN:\n",
        "*FN\n.FN\n",
        "*NOTE/empty\n",
        ".x\n",
        "~1a\n",
        "~9i\n_\n",
    ] {
        let layout = "1 lf 75\n+\tBEGIN:VCARD\n".to_owned() + &line.repeat(200_000);
        let mut fields = read(cards::EMPTY).fields;
        fields.insert(field("~layout"), Value::from(layout.as_str()));
        fields.insert(field("VALARM/empty"), Value::Null);
        let written = render(&fields);
        assert!(written.len() <= layout.len() + 2_000, "{line:?}");
    }
    let folds = "1 lf 75\n+\tBEGIN:VCARD\n~".to_owned() + &"0a".repeat(1_000_000) + "17g\n=FN\n";
    assert!(laid_out(cards::APPLE, &folds).len() < 2 * folds.len());
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}

#[test]
fn a_layout_of_another_item_is_followed_as_far_as_it_goes() {
    for (name, bytes) in CARDS {
        let is_calendar = text(bytes).to_uppercase().contains("VCALENDAR");
        for (other, layout) in CARDS {
            if text(layout).to_uppercase().contains("VCALENDAR") != is_calendar {
                continue;
            }
            let layout = read(layout).fields[&field("~layout")].clone();
            let mut fields = read(bytes).fields;
            fields.insert(field("~layout"), layout);
            let written = render(&fields);
            let again = parse("a.ics", written.clone()).unwrap_or_else(|error| panic!("{error} {name} {other}"));
            assert_eq!(content(&again.fields), content(&fields), "{name} as {other}\n{}", text(&written));
        }
    }
}

#[test]
fn an_item_kept_whole_from_a_peer_is_written_only_if_it_is_one() {
    for (value, expected) in [
        (Value::from("BEGIN:VCARD\nUID:2\nEND:VCARD\n"), "BEGIN:VCARD\nUID:2\nEND:VCARD\n"),
        (
            Value::from("BEGIN:VCARD\nEND:VCARD\nBEGIN:VCARD\nEND:VCARD\n"),
            "BEGIN:VCARD\r\nVERSION:3.0\r\nEND:VCARD\r\n",
        ),
        (Value::Bytes(b"\x7fELF".to_vec()), "BEGIN:VCARD\r\nVERSION:3.0\r\nEND:VCARD\r\n"),
        (Value::Null, "BEGIN:VCARD\r\nVERSION:3.0\r\nEND:VCARD\r\n"),
    ] {
        assert_eq!(text(&render(&Fields::from([(field(ITEM), value)]))), expected);
    }
}

#[test]
fn a_deep_value_needs_no_stack() {
    let deep = "BEGIN:A\n".repeat(50_000) + &"END:A\n".repeat(50_000);
    let render = move || with("A/1", deep.trim_end());
    let run = thread::Builder::new().stack_size(256 * 1024).spawn(render).expect("a thread");
    assert!(!run.join().expect("no overflow").contains("BEGIN:A"));
}
