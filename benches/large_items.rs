//! `vdir_sync` with one very large item: time and peak memory, flat and nested, beside the size of the file.
//!
//! `cargo bench --bench large_items`. Peak memory is read from `/proc` while the run lasts, so on Linux only.

#![allow(clippy::print_stdout, clippy::expect_used, reason = "a measurement is for people, and may stop")]
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::as_conversions, reason = "as above")]

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

const BYTES: usize = 100_000_000;
const DEPTH: usize = 10_000;

#[path = "../tests/vdir_case/tool.rs"]
#[allow(dead_code, unreachable_pub, reason = "it takes a part")]
mod tool;

fn main() {
    let tool = tool::binary();
    let line = |n: usize| format!("X-A{n:07}:value {n:07}\r\n");
    let flat: String = (0..BYTES / line(0).len()).map(line).collect();
    let card = |body: &str| format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u\r\nFN:Big\r\n{body}END:VCARD\r\n");
    let mut nested = String::new();
    let filler = "y".repeat(BYTES / DEPTH - 40);
    (0..DEPTH).for_each(|n| write!(nested, "BEGIN:X-N{n}\r\nX-P:{filler}\r\n").expect("memory"));
    (0..DEPTH).rev().for_each(|n| write!(nested, "END:X-N{n}\r\n").expect("memory"));
    let event = format!("BEGIN:VEVENT\r\nUID:u\r\nSUMMARY:Big\r\n{nested}END:VEVENT\r\n");
    let items = [
        ("one property", card(&format!("NOTE:{}\r\n", "x".repeat(BYTES))), "vcf"),
        ("many properties", card(&flat), "vcf"),
        ("nested 10,000 deep", format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{event}END:VCALENDAR\r\n"), "ics"),
    ];
    println!("{:<20} {:>10} {:>9} {:>12} {:>20}", "one item", "bytes", "time", "peak memory", "times the file");
    for (name, item, extension) in items {
        let (took, peak) = sync(tool, item.as_bytes(), extension);
        let share = peak as f64 / item.len() as f64;
        println!("{name:<20} {:>10} {took:>9.1?} {:>9} kB {share:>20.2}", item.len(), peak / 1000);
    }
}

/// Syncs one item to an empty folder; the time and the peak memory in bytes.
fn sync(tool: &Path, item: &[u8], extension: &str) -> (Duration, u64) {
    let here = std::env::temp_dir().join(format!("holdfast-large-{}", std::process::id()));
    let [left, right] = ["left", "right"].map(|side| here.join(side));
    fs::create_dir_all(left.join("all")).expect("a temporary folder");
    fs::create_dir_all(&right).expect("a temporary folder");
    let file = format!("all/item.{extension}");
    fs::write(left.join(&file), item).expect("an item");
    let begun = Instant::now();
    let mut child = Command::new(tool).arg(&left).arg(&right).arg("--json").spawn().expect("the tool");
    let mut peak_kb = 0;
    let status = loop {
        peak_kb = peak_kb.max(high_water_kb(child.id()));
        if let Some(status) = child.try_wait().expect("the tool") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let took = begun.elapsed();
    assert!(status.success() && fs::read(right.join(&file)).expect("the item") == item);
    fs::remove_dir_all(&here).expect("the temporary folder");
    (took, peak_kb * 1024)
}

fn high_water_kb(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|kb| kb.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
