//! Whole syncs of this library beside the floor and `crdts`, interleaved in one process: the figures are ratios.
//!
//!     cargo bench --bench side_by_side                  # to 100 000 records; BENCH_MILLION=1 for a million
//!     BENCH_QUICK=1 cargo bench --bench side_by_side    # to 10 000
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, clippy::arithmetic_side_effects)]
#![allow(clippy::as_conversions, clippy::indexing_slicing)]

mod peers;

use std::{collections::BTreeMap, time::Duration};

use peers::{
    Edit, Peer, Rec, Script, Wire, crdts_p::Cr, floor::Floor, generate, is_quick, ours::Ours, ours_online::OursOnline,
    sizes,
};
use rustix::time::{ClockId, clock_gettime};

/// CPU time of this process: the machine may be shared, and every replica here runs on one thread.
fn cpu() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let start = cpu();
    let done = work();
    ((cpu() - start).as_secs_f64() * 1e6, done)
}

/// Microseconds of CPU and bytes, by operation, size and replica library.
type Samples = BTreeMap<(&'static str, usize, &'static str), Vec<(f64, usize)>>;

struct World {
    base: Vec<Rec>,
    steps: Vec<(&'static str, Vec<Edit>, Vec<Edit>)>,
}

impl World {
    fn of(size: usize) -> Self {
        let base = generate(size, 1);
        let mut script = Script::new(&base, 2);
        let steps = [("10 changes", 10), ("10 % changed", size / 10), ("1 % changed", size / 100)];
        let steps = steps.into_iter().map(|(name, changes)| {
            let (ours, theirs) = script.step(changes);
            (name, ours, theirs)
        });
        Self { steps: steps.collect(), base }
    }

    /// The life of a pair of replicas.
    fn run<P: Peer>(&self, samples: &mut Samples) {
        let size = self.base.len();
        let mut note = |operation, micros, wire: Wire| {
            samples.entry((operation, size, P::NAME)).or_default().push((micros, wire.up + wire.down));
        };
        let mut server = P::server(&self.base);
        let mut device = P::device();
        let (micros, wire) = timed(|| P::sync(&mut device, &mut server));
        note("initial sync", micros, wire);
        assert_eq!(P::digest(&device), P::digest(&server), "{} after the initial sync", P::NAME);
        P::sync(&mut device, &mut server);
        for (name, ours, theirs) in &self.steps {
            P::settle(&mut server);
            P::sync(&mut device, &mut server);
            let (micros, ()) = timed(|| ours.iter().for_each(|edit| P::edit(&mut device, edit)));
            if *name == "1 % changed" {
                note("one local edit", micros / ours.len() as f64, Wire::default());
            }
            theirs.iter().for_each(|edit| P::edit(&mut server, edit));
            P::settle(&mut server);
            let (micros, wire) = timed(|| P::sync(&mut device, &mut server));
            note(name, micros, wire);
            assert_eq!(P::digest(&device), P::digest(&server), "{} after {name}", P::NAME);
        }
        let (micros, wire) = timed(|| (0..100).fold(Wire::default(), |_, _| P::sync(&mut device, &mut server)));
        note("quiet sync", micros / 100.0, wire);
    }
}

fn median(samples: &[(f64, usize)]) -> (f64, usize) {
    let mut sorted = samples.to_vec();
    sorted.sort_by(|left, right| left.0.total_cmp(&right.0));
    sorted[sorted.len() / 2]
}

fn print(samples: &Samples) {
    println!("CPU time, medians; `x` is the ratio to floor-field in this run.\n");
    println!(
        "| operation | N | holdfast x | online x | crdts x | holdfast us | online us | floor us | crdts us | holdfast bytes | \
         online bytes | floor bytes | crdts bytes |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for (operation, size, _) in samples.keys().filter(|key| key.2 == "holdfast") {
        let of = |peer| samples.get(&(*operation, *size, peer)).map_or((f64::NAN, 0), |found| median(found));
        let (ours, online) = (of("holdfast"), of("holdfast-online"));
        let (floor, crdts) = (of("floor-field"), of("crdts"));
        let [x, online_x, crdts_x] = [ours, online, crdts].map(|(micros, _)| micros / floor.0);
        let [us, online_us, floor_us, crdts_us] = [ours, online, floor, crdts].map(|(micros, _)| micros);
        let [bytes, online_bytes, floor_bytes, crdts_bytes] = [ours, online, floor, crdts].map(|(_, bytes)| bytes);
        println!(
            "| {operation} | {size} | {x:.1} | {online_x:.1} | {crdts_x:.1} | {us:.1} | {online_us:.1} | {floor_us:.1} | \
             {crdts_us:.1} | {bytes} | {online_bytes} | {floor_bytes} | {crdts_bytes} |"
        );
    }
    println!(
        "\nGrowth exponents (time ~ N^e):\n\n| operation | holdfast | floor-field | crdts |\n| --- | --- | --- | --- |"
    );
    let operations: std::collections::BTreeSet<_> = samples.keys().map(|key| key.0).collect();
    for operation in operations {
        let of = |peer| slope(samples, operation, peer);
        println!("| {operation} | {:.2} | {:.2} | {:.2} |", of("holdfast"), of("floor-field"), of("crdts"));
    }
}

/// The slope of a straight line through the medians, both axes logarithmic.
fn slope(samples: &Samples, operation: &str, peer: &str) -> f64 {
    let points = samples.iter().filter(|(key, _)| key.0 == operation && key.2 == peer);
    let points: Vec<(f64, f64)> = points.map(|(key, found)| ((key.1 as f64).ln(), median(found).0.ln())).collect();
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let rise: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    rise / points.iter().map(|point| (point.0 - x).powi(2)).sum::<f64>()
}

fn main() {
    // For a profiler: only this library, and only a thousand records.
    let is_alone = std::env::var_os("BENCH_ALONE").is_some();
    let largest = if is_alone { 1_000 } else { usize::MAX };
    let mut samples = Samples::new();
    for size in sizes().iter().copied().filter(|size| *size <= largest) {
        let world = World::of(size);
        let repetitions = match size {
            1_000 => 7,
            10_000 => 5,
            100_000 => 3,
            _ => 1,
        };
        for _ in 0..if is_quick() { 3 } else { repetitions } {
            world.run::<Ours>(&mut samples);
            world.run::<OursOnline>(&mut samples);
            if !is_alone {
                world.run::<Floor<true>>(&mut samples);
            }
            if !is_alone && size < 1_000_000 {
                world.run::<Cr>(&mut samples);
            }
        }
    }
    print(&samples);
}
