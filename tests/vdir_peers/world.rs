//! Two devices and a server, each a folder with two hundred cards.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, SystemTime},
};

use super::{cards, tool, tree};

pub const CARDS: usize = 200;
/// The one collection.
pub const PEOPLE: &str = "people";
const YEAR: Duration = Duration::from_secs(31_556_952);

/// What a folder has: the lines of each card, sorted, by its UID, or by its file's name where it has none.
pub type Set = BTreeMap<String, Vec<String>>;

/// What a run came to.
#[derive(Debug, Clone)]
pub struct Ran {
    pub exit: i32,
    /// What it printed, on both outputs.
    pub said: String,
    /// `Null` if it was not asked for JSON.
    pub report: serde_json::Value,
}

#[derive(Debug)]
pub struct World {
    pub dir: PathBuf,
}

static COUNT: AtomicUsize = AtomicUsize::new(0);

impl World {
    /// `a`, `b` and `server`, in step.
    pub fn in_step() -> Self {
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let world = Self { dir: tool::scratch().join(format!("peers-{}-{n}", process::id())) };
        for side in ["a", "b", "server"] {
            fs::create_dir_all(world.dir.join(side).join(PEOPLE)).expect("a folder");
        }
        (1..=CARDS).for_each(|n| world.write("a", n, &cards::card(&uid(n), n)));
        for device in ["a", "b"] {
            world.synced(device);
        }
        world
    }

    pub fn root(&self, side: &str) -> PathBuf {
        self.dir.join(side)
    }

    pub fn file(&self, side: &str, n: usize) -> PathBuf {
        self.root(side).join(PEOPLE).join(format!("p{n:03}.vcf"))
    }

    /// As an editor writes: a new file in the place of the old one.
    pub fn write(&self, side: &str, n: usize, bytes: &[u8]) {
        put(&self.file(side, n), bytes);
    }

    /// Gives a property of a card another value.
    pub fn edit(&self, side: &str, n: usize, property: &str, value: &str) {
        let file = self.file(side, n);
        let bytes = fs::read(&file).expect("a card");
        put(&file, &cards::with(&bytes, property, Some(&format!("{property}:{value}"))));
    }

    pub fn remove(&self, side: &str, numbers: impl Iterator<Item = usize>) {
        numbers.for_each(|n| tree::remove(&self.file(side, n)));
    }

    /// Sets the clock of a file ten years ahead.
    pub fn age(&self, side: &str, n: usize) {
        let file = fs::File::options().append(true).open(self.file(side, n)).expect("a card");
        file.set_modified(SystemTime::now() + 10 * YEAR).expect("a time");
    }

    /// The files of a collection that are there, in the order of their names.
    pub fn files(&self, side: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.root(side).join(PEOPLE)) else { return Vec::new() };
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        files.sort();
        files
    }

    pub fn set(&self, side: &str) -> Set {
        let files = self.files(side).into_iter();
        let read = |file: PathBuf| {
            let bytes = fs::read(&file).expect("a card");
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (cards::uid(&bytes).unwrap_or(name), cards::plain(&bytes))
        };
        files.map(read).collect()
    }

    pub fn sync(&self, device: &str) -> Ran {
        self.run(&[device, "server", "--json"])
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let output = tool::run(&self.dir, &args, None);
        let report = serde_json::from_str(&output.stdout).unwrap_or_default();
        Ran { exit: output.exit.unwrap_or(-1), said: format!("{}{}", output.stdout, output.stderr), report }
    }

    /// Has to end in step.
    pub fn synced(&self, device: &str) {
        let ran = self.sync(device);
        assert_eq!(ran.exit, 0, "{}", ran.said);
    }

    /// Runs a line as a shell does.
    pub fn shell(&self, line: &str) -> Ran {
        let done = Command::new("sh").arg("-c").arg(line).current_dir(&self.dir).output().expect("a shell");
        let said = [done.stdout, done.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
        Ran { exit: done.status.code().unwrap_or(-1), said, report: serde_json::Value::Null }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::env::var_os("VDIR_KEEP").is_none() {
            tree::remove(&self.dir);
        }
    }
}

pub fn uid(n: usize) -> String {
    format!("p{n:03}@{PEOPLE}.example")
}

fn put(file: &Path, bytes: &[u8]) {
    let new = file.with_extension("new");
    fs::write(&new, bytes).expect("a file");
    fs::rename(&new, file).expect("a rename");
}
