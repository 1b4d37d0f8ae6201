//! Two devices and a server, each a folder; what is meant to be in them; and what the last run did.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use super::{
    cards::Item,
    file::Roles,
    report::{Held, Report},
    tool::{self, Output},
    tree::{self, Tree},
    universal,
};

/// A folder that is synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    A,
    B,
    Server,
}

/// A collection and a UID.
pub type Key = (String, String);

/// One run of the tool.
#[derive(Debug, Clone)]
pub struct Run {
    /// The device that was the left side.
    pub device: Place,
    pub output: Output,
    /// None if it was not asked for one, or printed none.
    pub report: Option<Report>,
    /// The whole trees of left and right.
    pub before: [Tree; 2],
    pub after: [Tree; 2],
    /// The digests that it was given as answers.
    pub answered: Vec<String>,
    pub is_dry: bool,
}

#[derive(Debug)]
pub struct World {
    dir: PathBuf,
    roots: BTreeMap<Place, PathBuf>,
    roles: Roles,
    /// Where a device's books are, if they are not in its folder.
    pub states: BTreeMap<Place, PathBuf>,
    /// What people meant to have.
    pub meant: BTreeMap<Key, Item>,
    /// What may be there or not, such as deletes that nobody had synced when the books were lost.
    pub optional: BTreeMap<Key, Item>,
    /// Files that are no items, and that people put there.
    pub strange: BTreeSet<String>,
    /// How many items a collection was given.
    pub given: BTreeMap<String, usize>,
    /// Edits made, so that each has a text of its own.
    pub edits: usize,
    /// Years that the clock of a folder is ahead.
    pub ahead: BTreeMap<Place, i64>,
    pub backups: BTreeMap<String, Tree>,
    /// Digests and receipts under names.
    pub noted: BTreeMap<String, Vec<String>>,
    pub receipts: BTreeMap<Place, String>,
    /// What was held when a device was synced last.
    pub held: BTreeMap<Place, Vec<Held>>,
    pub last: Option<Run>,
    /// What the last dry run said.
    pub dry: Option<Report>,
    /// How long the longest whole run took.
    pub took: Duration,
    /// Of a small generator that is the same every day.
    pub chance: u64,
    complaints: Vec<String>,
}

static COUNT: AtomicUsize = AtomicUsize::new(0);

impl World {
    pub fn new(label: &str, roles: Roles) -> Self {
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = tool::scratch().join(format!("{}-{n}", process::id()));
        let roots = [(Place::A, "a"), (Place::B, "b"), (Place::Server, "server")];
        let roots: BTreeMap<Place, PathBuf> = roots.into_iter().map(|(place, name)| (place, dir.join(name))).collect();
        for root in roots.values() {
            fs::create_dir_all(root).expect("a folder to work in");
        }
        fs::create_dir_all(dir.join("outside")).expect("a folder to work in");
        let chance = label.bytes().fold(0x9E37_79B9, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        Self {
            dir,
            roots,
            roles,
            states: BTreeMap::new(),
            meant: BTreeMap::new(),
            optional: BTreeMap::new(),
            strange: BTreeSet::new(),
            given: BTreeMap::new(),
            edits: 0,
            ahead: BTreeMap::new(),
            backups: BTreeMap::new(),
            noted: BTreeMap::new(),
            receipts: BTreeMap::new(),
            held: BTreeMap::new(),
            last: None,
            dry: None,
            took: Duration::ZERO,
            chance,
            complaints: Vec::new(),
        }
    }

    pub fn place(&self, word: &str) -> Result<Place, String> {
        let (faulty, healthy) = match self.roles {
            Roles::Named => (None, None),
            Roles::ServerFaulty => (Some(Place::Server), Some(Place::A)),
            Roles::DeviceFaulty => (Some(Place::A), Some(Place::Server)),
        };
        let place = match word {
            "A" => Some(Place::A),
            "B" => Some(Place::B),
            "server" => Some(Place::Server),
            "faulty" => faulty,
            "healthy" => healthy,
            _ => None,
        };
        place.ok_or_else(|| format!("no folder '{word}'"))
    }

    pub fn device(&self, word: &str) -> Result<Place, String> {
        match self.place(word)? {
            Place::Server => Err("a device is wanted".into()),
            device => Ok(device),
        }
    }

    pub fn root(&self, place: Place) -> &Path {
        &self.roots[&place]
    }

    pub fn outside(&self) -> PathBuf {
        self.dir.join("outside")
    }

    /// The folder lives elsewhere from now on.
    pub fn relocate(&mut self, place: Place) -> Result<(), String> {
        let to = self.dir.join(format!("moved-{place:?}"));
        fs::rename(self.root(place), &to).map_err(|error| error.to_string())?;
        self.roots.insert(place, to);
        Ok(())
    }

    pub fn last(&self) -> Result<&Run, String> {
        self.last.as_ref().ok_or_else(|| "nothing ran".into())
    }

    pub fn report(&self) -> Result<&Report, String> {
        let run = self.last()?;
        run.report.as_ref().ok_or_else(|| format!("no report: {}{}", run.output.stdout, run.output.stderr))
    }

    /// The name that a report gives to a place, of the run that it reports.
    pub fn side(&self, place: Place) -> Result<&'static str, String> {
        match place {
            Place::Server => Ok("right"),
            device if device == self.last()?.device => Ok("left"),
            other => Err(format!("{other:?} was not synced")),
        }
    }

    pub fn args(&self, device: Place, more: &[String]) -> Vec<String> {
        let path = |path: &Path| path.display().to_string();
        let mut args = vec![path(self.root(device)), path(self.root(Place::Server))];
        if let Some(state) = self.states.get(&device) {
            args.extend(["--state".into(), path(state)]);
        }
        args.extend(more.iter().cloned());
        args
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn trees(&self, device: Place) -> [Tree; 2] {
        [device, Place::Server].map(|place| tree::whole(self.root(place)))
    }

    /// Runs the tool, and checks what must be true of every run.
    pub fn sync(&mut self, device: Place, answers: &[(&str, String)], more: &[&str]) {
        let mut args: Vec<String> = more.iter().map(|word| (*word).into()).collect();
        for (option, digest) in answers {
            args.extend([(*option).into(), digest.clone()]);
            if *option == "--approve" {
                args.extend(["--by".into(), "ann".into()]);
            }
        }
        let before = self.trees(device);
        let begun = Instant::now();
        let output = tool::run(&self.dir, &self.args(device, &args), None);
        self.took = self.took.max(begun.elapsed());
        let is_json = more.contains(&"--json");
        let parsed = is_json.then(|| Report::parse(&output.stdout));
        let report = match parsed {
            Some(Ok(report)) => Some(report),
            Some(Err(why)) if output.exit != Some(2) => {
                let Output { stdout, stderr, exit } = &output;
                let shown: String = stdout.chars().take(300).collect();
                self.complaints.push(format!("exit {exit:?}, no report: {why} in '{shown}', and '{stderr}'"));
                None
            }
            _ => None,
        };
        if let Some(receipt) = report.as_ref().and_then(|report| report.receipt.clone()) {
            self.receipts.insert(device, receipt);
        }
        if let Some(report) = &report {
            self.held.insert(device, report.held.clone());
        }
        let after = self.trees(device);
        let answered = answers.iter().map(|(_, digest)| digest.clone()).collect();
        let is_dry = more.contains(&"--dry-run");
        let run = Run { device, output, report, before, after, answered, is_dry };
        self.complaints.extend(universal::complaints(&run));
        self.last = Some(run);
    }

    /// What was wrong with the runs since this was asked last.
    pub fn complaints(&mut self) -> Vec<String> {
        std::mem::take(&mut self.complaints)
    }

    pub fn random(&mut self, below: usize) -> usize {
        self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.chance >> 33).expect("31 bits") % below.max(1)
    }

    /// Where the folders are, if they are kept for a look.
    pub fn kept(&self) -> String {
        if is_keeping() { format!(" [kept in {}]", self.dir.display()) } else { String::new() }
    }
}

fn is_keeping() -> bool {
    env::var_os("VDIR_KEEP").is_some()
}

impl Drop for World {
    fn drop(&mut self) {
        if !is_keeping() {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}
