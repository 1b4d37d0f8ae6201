//! What holds for all frames, and for all bytes.

use holdfast::talk::{
    frame::{ReplyFrame, RequestFrame},
    limits::WireLimits,
    offer::Sent,
};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::{
    arbitrary,
    examples::{Frame, whole},
    golden::golden,
    memory::check,
    strict::resealed,
    support::{decode, with_value},
};

/// Decodes as both, within the memory that the bytes allow; what is accepted is encoded as it was.
fn take(bytes: &[u8]) -> bool {
    let limits = WireLimits::default();
    check("a frame", bytes);
    let frames = [
        RequestFrame::decode(bytes, &limits).map(Frame::Request),
        ReplyFrame::decode(bytes, &limits).map(Frame::Reply),
    ];
    frames.into_iter().flatten().inspect(|frame| assert_eq!(frame.encode(&limits).unwrap(), bytes)).count() > 0
}

/// A change of some bytes.
#[derive(Debug, Clone)]
enum Change {
    Set(Index, u8),
    Cut(Index, Index),
    Insert(Index, Vec<u8>),
    Repeat(Index, Index),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Cut(from, to)),
        (any::<Index>(), vec(any::<u8>(), 1..12)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Change::Repeat(from, to)),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: Vec<Change>) -> Vec<u8> {
    for change in changes {
        let place = |index: Index| index.index(bytes.len() + 1);
        let range = |from, to| place(from).min(place(to))..place(from).max(place(to));
        match change {
            Change::Set(at, byte) => {
                let at = at.index(bytes.len().max(1));
                bytes.get_mut(at).into_iter().for_each(|old| *old = byte);
            }
            Change::Cut(from, to) => drop(bytes.drain(range(from, to))),
            Change::Insert(at, more) => drop(bytes.splice(place(at)..place(at), more)),
            Change::Repeat(from, to) => {
                let range = range(from, to);
                let (end, part) = (range.end, bytes[range].to_vec());
                bytes.splice(end..end, part);
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_frame_is_what_it_was_after_encoding_and_decoding(frame in arbitrary::frame()) {
        let limits = WireLimits::default();
        let bytes = frame.encode(&limits).unwrap();
        let again = frame.decode_alike(&bytes, &limits);
        prop_assert_eq!(again.as_ref(), Ok(&frame));
        prop_assert_eq!(again.unwrap().encode(&limits).unwrap(), bytes);
        prop_assert!(!frame.to_json().is_null());
    }

    #[test]
    fn a_record_that_is_sent_fits_in_any_company(one in arbitrary::offer(), others in vec(arbitrary::offer(), 0..4)) {
        let frame = |offers| crate::examples::reply(vec![holdfast::talk::message::Reply::Whole { offers, now: None, accepted: None }]);
        let together = frame([others, vec![one.clone()]].concat());
        let bytes = together.encode(&WireLimits::default()).unwrap();
        let Ok(Frame::Reply(found)) = together.decode_alike(&bytes, &WireLimits::default()) else { panic!("refused") };
        let holdfast::talk::message::Reply::Whole { offers, .. } = &found.replies[0] else { panic!("another message") };
        prop_assert_eq!(offers.last(), Some(&one));
        if let (Sent::Patch(sent), Some(Sent::Patch(found))) = (&one.version, offers.last().map(|offer| &offer.version)) {
            prop_assert_eq!(sent.encode(), found.encode());
        }
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in vec(any::<u8>(), 0..300)) {
        take(&bytes);
        let head = [&[0x88, 0x01, 0x01][..], &bytes, &[0x48; 9]].concat();
        take(&resealed(&head));
    }

    #[test]
    fn no_change_of_a_golden_frame_makes_a_decoder_panic(nth in any::<Index>(), changes in vec(change(), 1..5)) {
        let golden = golden();
        let (_, _, bytes) = nth.get(&golden);
        let body = changed(bytes[..bytes.len() - 9].to_vec(), changes);
        take(&resealed(&[&body[..], &[0; 9]].concat()));
    }
}

#[test]
fn unknown_kinds_of_value_pass_through_a_frame() {
    for item in [&[0xf7][..], &[0xf9, 0x7e, 0x01], &[0xc1, 0x18, 0x01], &[0xa1, 0x01, 0x02]] {
        let [filled, _] = with_value(item);
        let version = decode(&filled).unwrap();
        let offer = holdfast::talk::offer::SentOffer { version: Sent::Whole(version), ..whole("ada", "new_contact") };
        let frame = crate::examples::reply(vec![holdfast::talk::message::Reply::Whole {
            offers: vec![offer],
            now: None,
            accepted: None,
        }]);
        let bytes = frame.encode(&WireLimits::default()).unwrap();
        assert!(bytes.windows(filled.len()).any(|part| part == filled), "byte for byte");
        assert_eq!(frame.decode_alike(&bytes, &WireLimits::default()), Ok(frame));
    }
}
