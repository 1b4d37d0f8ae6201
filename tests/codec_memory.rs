//! Memory that decoding takes is bounded by the bytes given, whatever they declare.

#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]

mod support;

use support::{PATCHES, Parts, decode, decode_patch, golden, golden_records, with_value};

/// Bytes allocated in all for each byte of input, at most. The worst are maps of one tiny entry, 332 bytes for each of theirs.
const FOR_EACH_BYTE: u64 = 512;
/// Bytes allocated whatever the input, at most.
const AT_LEAST: u64 = 16 * 1024;

fn check(what: &str, bytes: &[u8]) {
    let used = allocation_counter::measure(|| drop((decode(bytes), decode_patch(bytes)))).bytes_total;
    let input = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    assert!(used <= FOR_EACH_BYTE * input + AT_LEAST, "{what}: {used} bytes allocated for {input}");
}

/// The longest form of a head, declaring `count`.
fn declared(major: u8, count: u64) -> Vec<u8> {
    [&[major << 5 | 27][..], &count.to_be_bytes()].concat()
}

#[test]
fn declared_counts_reserve_nothing() {
    for count in [1 << 16, 1 << 32, 1 << 60, u64::MAX] {
        for major in 2..=5 {
            let bomb = declared(major, count);
            let in_a_tag = [&[0xc1][..], &bomb].concat();
            for item in [&bomb, &in_a_tag, &bomb.repeat(1_000)] {
                with_value(item).iter().for_each(|bytes| check("a value", bytes));
            }
            check("all", &bomb);
            let parts = |change: fn(&mut Parts, Vec<u8>)| {
                let mut parts = Parts::new();
                change(&mut parts, bomb.clone());
                assert!(parts.decode().is_err());
                check("a part", &parts.bytes());
            };
            parts(|parts, bomb| parts.context = bomb);
            parts(|parts, bomb| parts.fields_context = bomb);
            parts(|parts, bomb| parts.life = bomb);
            parts(|parts, bomb| parts.names = bomb);
            parts(|parts, bomb| parts.filled = bomb);
            parts(|parts, bomb| parts.exceptions = bomb);
            parts(|parts, bomb| parts.hints = bomb);
        }
    }
}

#[test]
fn depth_bombs_cost_no_more_than_their_length() {
    for opening in [&[0x81][..], &[0xa1, 0x61, b'a'], &[0xc1], &[0xa1]] {
        with_value(&opening.repeat(200_000)).iter().for_each(|bytes| check("a depth bomb", bytes));
    }
}

#[test]
fn crowds_of_tiny_things_cost_a_bounded_factor() {
    let nulls = [&[0x99, 0x9c, 0x40][..], &[0xf6; 40_000]].concat();
    let tiny_maps = [&[0x99, 0x27, 0x10][..], &[0xa1, 0x60, 0xf6].repeat(10_000)].concat();
    let opaques = [&[0x99, 0x9c, 0x40][..], &[0xf7; 40_000]].concat();
    for item in [nulls, tiny_maps, opaques] {
        with_value(&item).iter().for_each(|bytes| check("a crowd of values", bytes));
        assert!(with_value(&item).iter().any(|bytes| decode(bytes).is_ok()));
    }
    let crowd = crowd_of_fields();
    assert!(decode(&crowd).is_ok());
    check("a crowd of fields", &crowd);
}

/// A record of 4096 fields with names of two bytes, each null.
fn crowd_of_fields() -> Vec<u8> {
    let names = (0..64_u8).flat_map(|high| (0..64_u8).flat_map(move |low| [0x62, high, low]));
    let names = [0x99, 0x10, 0x00].into_iter().chain(names).collect();
    let filled = [0x59, 0x02, 0x00].into_iter().chain([0; 512]).collect();
    Parts { names, filled, body: vec![0xf6; 4096], ..Parts::new() }.bytes()
}

#[test]
fn golden_records_cost_a_bounded_factor() {
    golden_records().iter().for_each(|(name, bytes, _)| check(name, bytes));
    PATCHES.map(golden).iter().for_each(|(name, bytes, _)| check(name, bytes));
}
