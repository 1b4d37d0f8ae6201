//! What a run of `vdir_sync` costs: how many files it reads, and how much memory one very large item takes.
//!
//! Times are measured in `benches/quiet_run.rs` and `benches/large_items.rs`.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "a test may stop")]
#![allow(dead_code, unreachable_pub, reason = "it takes a part of the runner of the cases")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

#[path = "vdir_case/tool.rs"]
mod tool;

/// A folder for one test, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let here = tool::scratch().join(format!("cost-{name}-{}", std::process::id()));
        fs::create_dir_all(here.join("left/all")).expect("a folder");
        fs::create_dir_all(here.join("right")).expect("a folder");
        Self(here)
    }

    fn write(&self, file: &str, contents: &str) {
        fs::write(self.0.join("left/all").join(file), contents).expect("an item");
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

fn card(uid: &str, body: &str) -> String {
    format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:Person {uid}\r\n{body}END:VCARD\r\n")
}

/// Files read on the left and on the right.
fn files_read(dir: &Path) -> [u64; 2] {
    let output = tool::run(dir, &["left", "right", "--json"].map(String::from), None);
    assert_eq!(output.exit, Some(0), "{}{}", output.stdout, output.stderr);
    let report: serde_json::Value = serde_json::from_str(&output.stdout).expect("JSON");
    ["left", "right"].map(|side| report["files_read"][side].as_u64().expect("a number"))
}

#[test]
fn a_quiet_run_reads_nothing_and_one_changed_file_is_one_that_is_read() {
    let scratch = Scratch::new("quiet");
    for n in 0..300 {
        scratch.write(&format!("{n}.vcf"), &card(&n.to_string(), ""));
    }
    thread::sleep(Duration::from_millis(50)); // files that were written just now are read again, to be sure
    assert_eq!(files_read(&scratch.0), [300, 0]);
    assert_eq!(files_read(&scratch.0), [0, 0]);
    scratch.write("7.vcf", &card("7", "NOTE:changed\r\n"));
    thread::sleep(Duration::from_millis(50));
    assert_eq!(files_read(&scratch.0), [1, 0]);
    // The same size, and its time of change set back: it is another file all the same.
    let was = fs::metadata(scratch.0.join("left/all/8.vcf")).and_then(|file| file.modified()).expect("a time");
    scratch.write("8.vcf", &card("8", "").replace("Person", "Parson"));
    let file = fs::File::options().write(true).open(scratch.0.join("left/all/8.vcf")).expect("a file");
    file.set_modified(was).expect("a time");
    drop(file);
    thread::sleep(Duration::from_millis(50));
    assert_eq!(files_read(&scratch.0), [1, 0]);
    let right = fs::read_to_string(scratch.0.join("right/all/8.vcf")).expect("an item");
    assert!(right.contains("Parson"));
    assert_eq!(files_read(&scratch.0), [0, 0]);
}

/// The limit of the address space is the harder one: what the process maps counts, too.
#[cfg(target_os = "linux")]
#[test]
fn a_very_large_item_takes_at_most_eight_times_its_size() {
    const BYTES: usize = 24 << 20;
    let filler = "x".repeat(2_000);
    let depth = 10_000;
    let nested: String = (0..depth)
        .map(|n| format!("BEGIN:X-N{n}\r\nX-P:{filler}\r\n"))
        .chain((0..depth).rev().map(|n| format!("END:X-N{n}\r\n")))
        .collect();
    let shapes = [
        ("one property", card("u", &format!("NOTE:{}\r\n", "x".repeat(BYTES)))),
        ("many properties", card("u", &(0..BYTES / 16).map(|n| format!("X-A{n:07}:{n}\r\n")).collect::<String>())),
        (
            "nested",
            format!(
                "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:u\r\n{nested}END:VEVENT\r\nEND:VCALENDAR\r\n"
            ),
        ),
    ];
    for (name, item) in shapes {
        let scratch = Scratch::new("large");
        scratch.write("item.ics", &item);
        // Builds it first, without a limit, and finds it.
        let tool = tool::binary();
        let limit_kb = item.len() * 8 / 1024;
        let script = format!("ulimit -v {limit_kb}; exec '{}' left right", tool.display());
        let output = Command::new("sh").args(["-c", &script]).current_dir(&scratch.0).output().expect("a shell");
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(fs::read(scratch.0.join("right/all/item.ics")).expect("the item") == item.as_bytes(), "{name}");
    }
}
