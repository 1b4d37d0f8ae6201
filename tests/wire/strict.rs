//! What is no frame is refused, with the reason and the number.

use holdfast::{
    talk::{
        codec::{Direction, FrameError},
        extra::{Extra, MAX_EXTRA_BYTES},
        frame::{ReplyFrame, RequestFrame},
        limits::WireLimits,
        message::{Reply, Request},
    },
    values::codec::{DecodeError, DecodeLimits},
};

use crate::{
    examples::{Frame, contacts, patched, record, reply, request, whole},
    golden::golden,
    support::seal,
};

const CHECK: &str = "holdfast frame";
/// Bytes before the messages of a request, and of a reply.
const HEADS: [usize; 2] = [47, 30];

fn decode_any(bytes: &[u8]) -> [Result<Frame, FrameError>; 2] {
    let limits = WireLimits::default();
    [RequestFrame::decode(bytes, &limits).map(Frame::Request), ReplyFrame::decode(bytes, &limits).map(Frame::Reply)]
}

pub fn resealed(bytes: &[u8]) -> Vec<u8> {
    seal(CHECK, &bytes[..bytes.len() - 9])
}

/// The frame with these messages in the place of its own; its additions are empty.
pub fn with_messages(frame: &Frame, messages: &[u8]) -> Vec<u8> {
    let bytes = frame.encode(&WireLimits::default()).unwrap();
    let head = HEADS[usize::from(matches!(frame, Frame::Reply(_)))];
    assert_eq!(bytes[head], 0x80, "no messages before");
    seal(CHECK, &[&bytes[..head], messages, &[0xa0]].concat())
}

#[test]
fn every_truncation_of_a_golden_frame_is_rejected() {
    for (name, _, bytes) in golden() {
        for length in 0..bytes.len() {
            assert!(decode_any(&bytes[..length]).iter().all(Result::is_err), "{name} cut to {length}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(decode_any(&longer).iter().all(Result::is_err), "{name} and one byte more");
    }
}

#[test]
fn every_bit_flip_of_a_golden_frame_is_rejected() {
    for (name, _, mut bytes) in golden() {
        for at in 0..bytes.len() * 8 {
            bytes[at / 8] ^= 1 << (at % 8);
            let found = decode_any(&bytes);
            assert!(found.iter().all(Result::is_err), "{name}: bit {at}");
            if at / 8 > 1 {
                // Behind the version nothing is looked at, not even which way the frame goes.
                assert_eq!(
                    found,
                    [Err(DecodeError::Damaged.into()), Err(DecodeError::Damaged.into())],
                    "{name}: bit {at}"
                );
            }
            bytes[at / 8] ^= 1 << (at % 8);
        }
    }
}

#[test]
fn what_passes_with_a_bit_flipped_and_the_check_repaired_is_canonical() {
    let (mut passed, limits) = (0, WireLimits::default());
    for (name, _, mut bytes) in golden() {
        for at in 0..(bytes.len() - 9) * 8 {
            bytes[at / 8] ^= 1 << (at % 8);
            let repaired = resealed(&bytes);
            for frame in decode_any(&repaired).into_iter().flatten() {
                passed += 1;
                assert_eq!(frame.encode(&limits).unwrap(), repaired, "{name}: bit {at}");
            }
            bytes[at / 8] ^= 1 << (at % 8);
        }
    }
    assert!(passed > 1000, "{passed}");
}

#[test]
fn a_frame_of_another_version_says_which_are_spoken() {
    for (name, _, mut bytes) in golden() {
        bytes[1] = 2;
        for result in decode_any(&bytes) {
            assert_eq!(result, Err(FrameError::Version { found: 2, least: 1, greatest: 1 }), "{name}");
        }
    }
    let of_the_future = [0x82, 0x19, 0x01, 0x00, 0xf6];
    let error = RequestFrame::decode(&of_the_future, &WireLimits::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected version 1 to 1 of the protocol, found version 256; nothing was changed. Update the older side"
    );
}

#[test]
fn a_frame_that_goes_the_other_way_is_refused() {
    let [_, request_as_reply] = decode_any(&request(vec![]).encode(&WireLimits::default()).unwrap());
    assert_eq!(request_as_reply, Err(FrameError::WrongDirection { expected: Direction::Reply, found: 0 }));
    let [reply_as_request, _] = decode_any(&reply(vec![]).encode(&WireLimits::default()).unwrap());
    assert_eq!(reply_as_request, Err(FrameError::WrongDirection { expected: Direction::Request, found: 1 }));
}

#[test]
fn a_message_of_an_unknown_kind_is_named() {
    for (frame, least) in [(request(vec![]), 7_u8), (reply(vec![]), 8)] {
        for kind in [least, 23] {
            let bytes = with_messages(&frame, &[0x81, 0x82, kind, 0xf6]);
            let error = frame.decode_alike(&bytes, &WireLimits::default());
            assert_eq!(error, Err(FrameError::UnknownKind { kind: kind.into() }));
        }
        let bytes = with_messages(&frame, &[0x81, 0x81, 0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        let error = frame.decode_alike(&bytes, &WireLimits::default());
        assert_eq!(error, Err(FrameError::UnknownKind { kind: u64::MAX }));
    }
}

#[test]
fn an_unknown_way_to_compare_is_named() {
    // [kind, "c", null, method, null] and [kind, method, null]
    let asked = with_messages(&request(vec![]), &[0x81, 0x85, 6, 0x61, b'c', 0xf6, 1, 0xf6]);
    let said = with_messages(&reply(vec![]), &[0x81, 0x83, 7, 1, 0xf6]);
    let limits = WireLimits::default();
    assert_eq!(request(vec![]).decode_alike(&asked, &limits), Err(FrameError::UnknownMethod { method: 1 }));
    assert_eq!(reply(vec![]).decode_alike(&said, &limits), Err(FrameError::UnknownMethod { method: 1 }));
}

#[test]
fn each_limit_is_refused_with_its_number() {
    let five = request(vec![Request::Fetch {
        collection: contacts(),
        at: None,
        records: vec![record("a"); 5],
        record_bytes: 16_777_216,
        accepted: 7,
    }]);
    let page = reply(vec![Reply::Whole { offers: vec![whole("ada", "conflict")], now: None, accepted: None }]);
    let patches =
        reply(vec![Reply::Whole { offers: vec![patched("ada", "long_patch"); 5], now: None, accepted: None }]);
    let (limits, small) = (WireLimits::default(), DecodeLimits::default());
    let bytes = page.encode(&limits).unwrap();
    let too_many = |what, limit, found| FrameError::Decode(DecodeError::TooMany { what, limit, found });
    let record = |record| WireLimits { record, ..limits };
    let size = support_size();
    for (frame, limits, expected) in [
        (&page, WireLimits { max_frame_bytes: bytes.len() - 1, ..limits }, {
            FrameError::TooLong { limit: bytes.len() - 1, found: bytes.len() }
        }),
        (&five, WireLimits { max_items: 4, ..limits }, too_many("items of one list", 4, 5)),
        (&page, record(DecodeLimits { max_bytes: size - 1, ..small }), too_many("bytes", size - 1, size)),
        (&page, record(DecodeLimits { max_fields: 5, ..small }), too_many("fields", 5, 6)),
        (&patches, record(DecodeLimits { max_fields: 1, ..small }), too_many("fields", 1, 2)),
        (&patches, record(DecodeLimits { max_replicas: 0, ..small }), too_many("replicas", 0, 1)),
        (&page, record(DecodeLimits { max_replicas: 1, ..small }), too_many("replicas", 1, 2)),
    ] {
        let bytes = frame.encode(&WireLimits::default()).unwrap();
        assert_eq!(frame.decode_alike(&bytes, &limits).as_ref(), Err(&expected));
        assert_eq!(frame.encode(&limits), Err(expected), "what would be refused is not sent");
    }
    let exact = WireLimits { max_frame_bytes: bytes.len(), max_items: 1, record: record_limits(size), ..limits };
    assert_eq!(page.decode_alike(&bytes, &exact), Ok(page));
}

fn support_size() -> usize {
    crate::examples::version("conflict").as_bytes().len()
}

const fn record_limits(max_bytes: usize) -> DecodeLimits {
    DecodeLimits { max_bytes, max_fields: 6, max_replicas: 2 }
}

#[test]
fn many_messages_and_long_claims_meet_the_same_limit() {
    let tight = WireLimits { max_items: 1, ..WireLimits::default() };
    let expected = FrameError::Decode(DecodeError::TooMany { what: "items of one list", limit: 1, found: 2 });
    let names = ["prove", "push", "page_of_patches"];
    for (name, frame, bytes) in golden().into_iter().filter(|(name, ..)| names.contains(name)) {
        assert_eq!(frame.decode_alike(&bytes, &tight).as_ref(), Err(&expected), "{name}");
        assert_eq!(frame.encode(&tight).as_ref(), Err(&expected), "{name}");
    }
    let (_, frame, bytes) = golden().into_iter().find(|(name, ..)| *name == "judged").unwrap();
    let found = DecodeError::TooMany { what: "items of one list", limit: 1, found: 11 };
    assert_eq!(frame.decode_alike(&bytes, &tight), Err(found.into()));
}

#[test]
fn additions_pass_through_byte_for_byte() {
    let items: &[&[u8]] =
        &[&[0xf7], &[0xf9, 0x3c, 0x00], &[0xd8, 0x20, 0x61, b'x'], &[0x82, 0x01, 0xa1, 0x61, b'a', 0xf6]];
    for (_, frame, _) in golden() {
        let mut more = frame.clone();
        for (number, item) in (0..).map(|n| n * 1_000).zip(items) {
            more.extra().insert(number, item.to_vec()).unwrap();
        }
        let bytes = more.encode(&WireLimits::default()).unwrap();
        let again = more.decode_alike(&bytes, &WireLimits::default()).unwrap();
        assert_eq!(again, more);
        assert_eq!(again.encode(&WireLimits::default()).unwrap(), bytes);
    }
}

#[test]
fn additions_are_whole_items_in_their_one_form_and_bounded() {
    let mut extra = Extra::default();
    for bad in [&[][..], &[0x61], &[0x01, 0x02], &[0x18, 0x01], &[0x9f, 0xff], &[0x81; 40]] {
        assert!(extra.insert(1, bad.to_vec()).is_err(), "{bad:02x?}");
    }
    let long = |bytes: u16| [&[0x59][..], &bytes.to_be_bytes(), &vec![0; usize::from(bytes)]].concat();
    let room = u16::try_from(MAX_EXTRA_BYTES).unwrap() - 5; // the map, the number, the head of the bytes
    let expected =
        DecodeError::TooMany { what: "bytes of additions", limit: MAX_EXTRA_BYTES, found: MAX_EXTRA_BYTES + 1 };
    assert_eq!(extra.insert(1, long(room + 1)), Err(expected.clone()));
    assert!(extra.is_empty(), "nothing was added");
    extra.insert(1, long(room)).unwrap();
    let mut most = request(vec![]);
    *most.extra() = extra;
    let bytes = most.encode(&WireLimits::default()).unwrap();
    assert_eq!(most.decode_alike(&bytes, &WireLimits::default()), Ok(most.clone()));

    let head = HEADS[0];
    let beyond = [&bytes[..head], &[0x80, 0xa1, 0x01], &long(room + 1)].concat();
    assert_eq!(most.decode_alike(&seal(CHECK, &beyond), &WireLimits::default()), Err(expected.into()));
    let unordered = [&bytes[..head], &[0x80, 0xa2, 0x02, 0xf6, 0x01, 0xf6]].concat();
    let expected = FrameError::Decode(DecodeError::NotCanonical);
    assert_eq!(most.decode_alike(&seal(CHECK, &unordered), &WireLimits::default()), Err(expected));
}

#[test]
fn an_id_has_one_form() {
    let fetch = |id: &str| {
        request(vec![Request::Fetch {
            collection: contacts(),
            at: None,
            records: vec![record(id)],
            record_bytes: 16_777_216,
            accepted: 0,
        }])
    };
    let bytes = |id: &str| fetch(id).encode(&WireLimits::default()).unwrap();
    let uuid = "6fa459ea-ee8a-4ca4-894e-db77e160355e";
    let others = ["6FA459EA-EE8A-4CA4-894E-DB77E160355E", "6fa459eaee8a4ca4894edb77e160355e", "a"];
    assert_eq!(
        bytes(uuid).len() + 20 + 1,
        bytes(&others[0].replace('F', "G")).len(),
        "16 bytes, not 36 and a longer head"
    );
    for id in others {
        assert_eq!(fetch(id).decode_alike(&bytes(id), &WireLimits::default()), Ok(fetch(id)), "{id}");
    }
    let fetch = [&[0x81, 0x86, 0x04, 0x68][..], b"contacts", &[0xf6, 0x81, 0x78, 36], uuid.as_bytes()].concat();
    let as_text = [fetch, vec![0x1a, 1, 0, 0, 0, 0]].concat();
    let found = request(vec![]).decode_alike(&with_messages(&request(vec![]), &as_text), &WireLimits::default());
    assert_eq!(found, Err(FrameError::Decode(DecodeError::NotCanonical)));
}
