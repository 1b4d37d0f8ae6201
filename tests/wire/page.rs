//! `docs/wire.md` says what the code does: its example is a golden frame, and its numbers are those of the code.

use holdfast::talk::{codec::PROTOCOL, extra::MAX_EXTRA_BYTES, limits::WireLimits};

use crate::{
    golden::golden,
    support::{annotated, spaced},
};

const PAGE: &str = include_str!("../../docs/wire.md");

#[test]
fn the_example_is_the_golden_frame() {
    let bytes: Vec<u8> = annotated(PAGE).into_iter().flat_map(|(bytes, _)| bytes).collect();
    let (_, _, frame) = golden().into_iter().find(|(name, ..)| *name == "page_of_patches").unwrap();
    assert_eq!(bytes, frame);
}

#[test]
fn what_is_said_of_each_text_in_the_example_is_what_it_holds() {
    let text = |bytes: &[u8]| match bytes {
        [0x61..=0x77, text @ ..] | [0x78, _, text @ ..] => Some(String::from_utf8(text.to_vec()).unwrap()),
        _ => None,
    };
    let texts: Vec<_> = annotated(PAGE).into_iter().filter_map(|(bytes, said)| Some((text(&bytes)?, said))).collect();
    assert_eq!(texts.len(), 5);
    texts.iter().for_each(|(text, said)| assert_eq!(text, said));
}

#[test]
fn every_golden_frame_is_of_a_message_on_the_page() {
    let spoken: Vec<_> = golden().iter().map(|(name, ..)| name.split('_').next().unwrap()).collect();
    let messages = ["greet", "prove", "pull", "push", "fetch", "audit", "reconcile"];
    let answers = ["welcome", "judged", "page", "taken", "whole", "audited", "refused", "reconciled"];
    for (kind, name) in (0..).zip(messages).chain((0..).zip(answers)) {
        assert!(PAGE.contains(&format!("| {kind} | {name} |")), "{kind} is {name}");
        assert!(spoken.contains(&name), "{name} has a golden frame");
    }
}

#[test]
fn the_numbers_on_the_page_are_those_of_the_code() {
    let limits = WireLimits::default();
    for (what, number) in [
        ("bytes of one frame", spaced(limits.max_frame_bytes)),
        ("items of one list", spaced(limits.max_items)),
        ("bytes of records in a page, after which no more are added", spaced(limits.page_bytes)),
        ("bytes of additions", format!("{}, always", spaced(MAX_EXTRA_BYTES))),
    ] {
        assert!(PAGE.contains(&format!("| {what} | {number} |")), "{what}: {number}");
    }
    assert!(PAGE.contains(&format!("version {PROTOCOL} of the protocol")));
}
