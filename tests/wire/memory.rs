//! Memory that decoding takes is bounded by the bytes given, whatever they declare.

use holdfast::talk::{
    frame::{ReplyFrame, RequestFrame},
    limits::WireLimits,
};

use crate::{
    examples::{reply, request},
    golden::golden,
    strict::{resealed, with_messages},
};

/// Bytes allocated in all for each byte of input, at most.
const FOR_EACH_BYTE: u64 = 512;
/// Bytes allocated whatever the input, at most.
const AT_LEAST: u64 = 16 * 1024;

/// With limits that are no help.
pub fn check(what: &str, bytes: &[u8]) {
    let limits = WireLimits { max_items: usize::MAX, ..WireLimits::default() };
    let decode = || drop((RequestFrame::decode(bytes, &limits), ReplyFrame::decode(bytes, &limits)));
    let used = allocation_counter::measure(decode).bytes_total;
    let input = u64::try_from(bytes.len()).unwrap();
    assert!(used <= FOR_EACH_BYTE * input + AT_LEAST, "{what}: {used} bytes allocated for {input}");
}

/// The longest form of a head, declaring `count`.
fn declared(major: u8, count: u64) -> Vec<u8> {
    [&[major << 5 | 27][..], &count.to_be_bytes()].concat()
}

#[test]
fn golden_frames_cost_a_bounded_factor() {
    golden().iter().for_each(|(name, _, bytes)| check(name, bytes));
}

#[test]
fn declared_counts_reserve_nothing() {
    for (name, _, bytes) in golden() {
        for (count, major) in
            [1 << 16, 1 << 32, u64::MAX].into_iter().flat_map(|count| (2..=5).map(move |m| (count, m)))
        {
            for at in 0..bytes.len() - 9 {
                let bomb = [&bytes[..at], &declared(major, count), &bytes[at + 1..]].concat();
                check(name, &resealed(&bomb));
            }
        }
    }
}

#[test]
fn crowds_of_tiny_messages_cost_a_bounded_factor() {
    let (request, reply) = (request(vec![]), reply(vec![]));
    let crowd = |message: &[u8]| [&[0x99, 0x4e, 0x20][..], &message.repeat(20_000)].concat();
    let limits = WireLimits { max_items: 20_000, ..WireLimits::default() };
    let requests: &[&[u8]] = &[
        &[0x83, 0, 0x61, b'a', 0],
        &[0x87, 2, 0x61, b'a', 0xf6, 0x81, 0, 0, 0, 0],
        &[0x86, 4, 0x61, b'a', 0xf6, 0x81, 0x61, b'a', 0, 0],
        &[0x88, 3, 0x61, b'a', 0xf6, 0x80, 0xf4, 0xf4, 0xf6, 0x80],
    ];
    for message in requests {
        let bytes = with_messages(&request, &crowd(message));
        assert!(request.decode_alike(&bytes, &limits).is_ok(), "{message:02x?}");
        check("a crowd of requests", &bytes);
    }
    let replies: &[&[u8]] = &[&[0x82, 0, 0], &[0x85, 4, 0xf6, 0x80, 0xf6, 0xf6], &[0x82, 5, 0], &[0x82, 6, 1]];
    for message in replies {
        let bytes = with_messages(&reply, &crowd(message));
        assert!(reply.decode_alike(&bytes, &limits).is_ok(), "{message:02x?}");
        check("a crowd of replies", &bytes);
    }
}

/// A page of one list, after its tables.
fn page(tables: &[u8], offers: &[u8]) -> Vec<u8> {
    with_messages(&reply(vec![]), &[&[0x81, 0x85, 4][..], tables, offers, &[0xf6, 0xf6]].concat())
}

#[test]
fn crowds_of_tiny_patches_cost_a_bounded_factor() {
    let tables = [&[0x83, 0, 0x82, 0x50][..], &[7; 16], &[1, 0x82, 0x61, b'a', 0x61, b'b']].concat();
    let patch = [&[0x82, 0x61, b'a', 0x89, 0x48][..], &[9; 8], &[0, 0, 0, 0, 0, 0xf6, 1, 0xf6]].concat();
    let bytes = page(&tables, &[&[0x99, 0x27, 0x10][..], &patch.repeat(10_000)].concat());
    assert!(reply(vec![]).decode_alike(&bytes, &WireLimits::default()).is_ok());
    check("a crowd of patches", &bytes);

    let names: Vec<u8> = (0..64_u8).flat_map(|high| (0..64_u8).flat_map(move |low| [0x62, high, low])).collect();
    let many = [&[0x83, 0, 0x82, 0x50][..], &[7; 16], &[1, 0x99, 0x10, 0x00], &names].concat();
    let index =
        |at: u16| if at < 24 { vec![u8::try_from(at).unwrap()] } else { [&[0x19][..], &at.to_be_bytes()].concat() };
    let short = |at: u16| if (24..256).contains(&at) { vec![0x18, u8::try_from(at).unwrap()] } else { index(at) };
    let fields: Vec<u8> = (0..4_096).flat_map(|at| [short(at), vec![0xf6]].concat()).collect();
    let patch = [&[0x82, 0x61, b'a', 0x99, 0x20, 0x05, 0x48][..], &[9; 8], &[0, 0, 0, 0], &fields].concat();
    let bytes = page(&many, &[&[0x81][..], &patch].concat());
    assert!(reply(vec![]).decode_alike(&bytes, &WireLimits::default()).is_ok());
    check("a patch of many fields", &bytes);
    check("names that nobody uses", &page(&many, &[0x80]));
}

#[test]
fn depth_bombs_cost_no_more_than_their_length() {
    for opening in [&[0x81][..], &[0xa1, 0x61, b'a'], &[0xc1], &[0xa1]] {
        let bomb = opening.repeat(200_000);
        check("a depth bomb of messages", &with_messages(&request(vec![]), &bomb));
        check("a depth bomb in a page", &page(&[0xf6], &bomb));
        let bytes = request(vec![]).encode(&WireLimits::default()).unwrap();
        let extra = [&bytes[..bytes.len() - 10], &[0xa1, 1], &bomb, &[0; 9]].concat();
        check("a depth bomb of additions", &resealed(&extra));
    }
}
