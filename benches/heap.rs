//! Heap that a replica holds for each record: the live bytes of building it.
//!
//!     cargo bench --bench heap
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, clippy::arithmetic_side_effects)]
#![allow(clippy::as_conversions)]

mod peers;

use peers::{Peer, crdts_p::Cr, floor::Floor, generate, is_quick, ours::Ours};

/// Live bytes of a device after its initial sync with a server that holds `size` records, by record.
fn device_bytes<P: Peer>(size: usize) -> f64 {
    let mut server = P::server(&generate(size, 1));
    let mut device = P::device();
    let mut heap = 0;
    let measured = allocation_counter::measure(|| {
        let mut arrived = P::device();
        P::sync(&mut arrived, &mut server);
        device = arrived;
    });
    heap += measured.bytes_current;
    drop(device);
    heap as f64 / size as f64
}

/// Live bytes of one encoded record, and the bytes of its encoding.
fn version_bytes() -> (i64, usize) {
    let size = 1_000;
    let server = Ours::server(&generate(size, 1));
    let changes =
        server.server.as_ref().unwrap().since(&peers::ours::people(), Default::default(), usize::MAX).unwrap();
    let encoded = changes.offers.iter().map(|offer| offer.version.as_bytes().len()).sum::<usize>() / size;
    let mut carried = None;
    let measured = allocation_counter::measure(|| carried = Some(peers::ours::carry(&changes)));
    drop(carried);
    (measured.bytes_current / size as i64, encoded)
}

fn main() {
    let (decoded, encoded) = version_bytes();
    println!("One record: {encoded} bytes encoded; {decoded} bytes of heap as an offer that was decoded.\n");
    println!("Heap of a device after its initial sync, bytes per record:\n");
    println!("| N | holdfast | floor-field | crdts |\n| --- | --- | --- | --- |");
    for size in if is_quick() { vec![10_000] } else { vec![10_000, 100_000] } {
        let (ours, floor) = (device_bytes::<Ours>(size), device_bytes::<Floor<true>>(size));
        println!("| {size} | {ours:.0} | {floor:.0} | {:.0} |", device_bytes::<Cr>(size));
    }
}
