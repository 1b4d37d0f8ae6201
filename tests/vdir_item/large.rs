//! Items that are large or deep.

use std::thread;

use holdfast::values::value::Value;

use crate::{
    item::{ITEM, Item, ItemError, parse, render},
    made::field,
};

/// Reads and writes it with little stack, and with at most `bytes_each` times its length in memory.
fn handled(bytes: Vec<u8>) -> Result<Item, ItemError> {
    let run = move || {
        let (before, length) = (bytes.clone(), u64::try_from(bytes.len()).expect("a length"));
        let mut item = None;
        let reading = allocation_counter::measure(|| item = Some(parse("large.vcf", bytes)));
        let item = item.expect("it ran")?;
        assert!(reading.bytes_max <= length * 3 / 2 + 200_000, "{} bytes to read {length}", reading.bytes_max);
        let mut written = Vec::new();
        let writing = allocation_counter::measure(|| written = render(&item.fields));
        assert!(writing.bytes_max <= length * 5 / 2 + 200_000, "{} bytes to write {length}", writing.bytes_max);
        assert!(written == before, "not as it was");
        Ok(item)
    };
    let thread = thread::Builder::new().stack_size(256 * 1024).spawn(run).expect("a thread");
    thread.join().expect("no panic, and no overflow of the stack")
}

fn is_whole(item: &Item) -> bool {
    item.fields.len() == 1 && matches!(item.fields.get(&field(ITEM)), Some(Value::Text(_) | Value::Bytes(_)))
}

#[test]
fn a_card_of_20_mb_is_kept_whole() {
    let photo = "A".repeat(70);
    let folded = format!(
        "BEGIN:VCARD\r\nUID:big\r\nFN:Big\r\nPHOTO:{}{photo}\r\nEND:VCARD\r\n",
        format!("{photo}\r\n ").repeat(280_000)
    );
    let one_line = format!("BEGIN:VCARD\r\nPHOTO:{}\r\nUID:big\r\nFN:Big\r\nEND:VCARD", photo.repeat(280_000));
    let many = format!("BEGIN:VCARD\n{}UID:big\nFN:Big\nEND:VCARD", "TEL:1\n".repeat(300_000));
    let soft = format!("BEGIN:VCARD\nUID:big\nNOTE;QUOTED-PRINTABLE:{}\nFN:Big\nEND:VCARD", "=\n".repeat(1_000_000));
    let mut bytes = one_line.clone().into_bytes();
    bytes[100] = 0xff;
    for large in [folded.into(), one_line.into(), many.into(), soft.into(), bytes] {
        let item = handled(large).expect("an item");
        assert!(is_whole(&item));
        assert_eq!((item.uid.as_deref(), item.name.as_deref()), (Some("big"), Some("Big")));
    }
}

#[test]
fn a_deep_item_is_kept_whole_without_recursion() {
    for depth in [7, 8, 10_000, 150_000] {
        let (begin, end) = ("BEGIN:X-A\n".repeat(depth), "END:X-A\n".repeat(depth));
        let card = format!("BEGIN:VCARD\nUID:deep\nFN:Deep\n{begin}FN:No\n{end}END:VCARD\n");
        let item = handled(card.into_bytes()).expect("an item");
        assert_eq!(is_whole(&item), depth > 7);
        assert_eq!((item.uid.as_deref(), item.name.as_deref()), (Some("deep"), Some("Deep")));
        let event = format!(
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:deep\n{begin}SUMMARY:No\n{end}SUMMARY:Deep\nEND:VEVENT\nEND:VCALENDAR\n"
        );
        let item = handled(event.into_bytes()).expect("an item");
        assert_eq!(is_whole(&item), depth > 6);
        assert_eq!((item.uid.as_deref(), item.name.as_deref()), (Some("deep"), Some("Deep")));
        let open = format!("BEGIN:VCARD\n{begin}{}", "END:X-A\n".repeat(depth - 1));
        assert!(matches!(handled(open.into_bytes()), Err(ItemError::Unterminated { .. })));
    }
}

#[test]
fn an_item_of_many_lines_is_kept_whole_from_a_limit_on() {
    for (lines, whole) in [(3_900, false), (4_100, true)] {
        let tels: String = (0..lines).map(|number| format!("TEL:{number}\n")).collect();
        let item = parse("a.vcf", format!("BEGIN:VCARD\n{tels}END:VCARD\n").into_bytes()).expect("an item");
        assert_eq!(is_whole(&item), whole);
    }
    for (length, whole) in [(1_000_000, false), (1_100_000, true)] {
        let note = "x".repeat(length);
        let item = parse("a.vcf", format!("BEGIN:VCARD\nNOTE:{note}\nEND:VCARD\n").into_bytes()).expect("an item");
        assert_eq!(is_whole(&item), whole);
    }
}

#[test]
fn long_names_are_kept_whole() {
    let long = "X".repeat(101);
    for lines in [format!("{long}:1"), format!("{long}.TEL:1"), format!("BEGIN:{long}\nEND:{long}")] {
        let card = format!("BEGIN:VCARD\n{lines}\nEND:VCARD\n");
        match parse("a.vcf", card.clone().into_bytes()) {
            Ok(item) => assert!(is_whole(&item) && render(&item.fields) == card.as_bytes()),
            Err(error) => assert!(lines.starts_with("BEGIN"), "{error}"),
        }
    }
    let key = "9".repeat(150);
    let event = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\nRECURRENCE-ID:{key}\nSUMMARY:A\nEND:VEVENT\nEND:VCALENDAR\n");
    assert!(render(&parse("a.ics", event.clone().into_bytes()).expect("an item").fields) == event.as_bytes());
}
