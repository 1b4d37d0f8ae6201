//! A run of `vdir_sync` that has nothing to do, beside a bare walk of the same two folders.
//!
//! `cargo bench --bench quiet_run`. Both are measured in turn, in one process tree; the ratio is what counts.

#![allow(clippy::print_stdout, clippy::expect_used, reason = "a measurement is for people, and may stop")]
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "as above")]

use std::{
    env, fs, hint,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

const FILES: usize = 10_000;
const TURNS: usize = 15;

#[path = "../tests/vdir_case/tool.rs"]
#[allow(dead_code, unreachable_pub, reason = "it takes a part")]
mod tool;

fn main() {
    let tool = tool::binary();
    let here = env::temp_dir().join(format!("holdfast-quiet-{}", std::process::id()));
    let sides = ["left", "right"].map(|side| here.join(side));
    for side in &sides {
        fs::create_dir_all(side.join("people")).expect("a temporary folder");
    }
    for n in 0..FILES {
        let card = format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{n}\r\nFN:Person {n}\r\nTEL:+49 {n}\r\nEND:VCARD\r\n");
        fs::write(sides[0].join(format!("people/{n:08}.vcf")), card).expect("a card");
    }
    // The second run notes what the first one wrote; from the third on there is nothing to do.
    (0..2).for_each(|_| sync(tool, &sides));
    let (mut walks, mut runs) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        walks.push(time(|| sides.iter().for_each(|side| bare_walk(side))));
        runs.push(time(|| sync(tool, &sides)));
    }
    let (walk, run) = (median(walks), median(runs));
    println!("two folders of {FILES} files each, medians of {TURNS} turns");
    println!("a bare walk of both       {walk:>10.1?}");
    println!("a run with nothing to do  {run:>10.1?}   {:.2} times the walk", run.as_secs_f64() / walk.as_secs_f64());
    fs::remove_dir_all(&here).expect("the temporary folder");
}

/// Lists every folder and looks at every file, and no more.
fn bare_walk(root: &Path) {
    for collection in fs::read_dir(root).expect("a folder").flatten() {
        for file in fs::read_dir(collection.path()).expect("a folder").flatten() {
            hint::black_box(file.metadata().expect("a file").len());
        }
    }
}

fn sync(tool: &Path, [left, right]: &[PathBuf; 2]) {
    let output = Command::new(tool).arg(left).arg(right).output().expect("the tool");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn time(what: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    what();
    begun.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
