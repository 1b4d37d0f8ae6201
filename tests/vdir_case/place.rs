//! Two or three folders of one test, for tests that are written out.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::tool;

/// Two or three folders of one test, gone with it.
pub struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

/// What a run said.
pub struct Ran {
    pub exit: i32,
    pub report: serde_json::Value,
    /// What it said beside the report.
    pub said: String,
}

impl Ran {
    /// What a side is called, and why.
    pub fn named(&self, side: &str) -> (&serde_json::Value, &str) {
        let sides = self.report["continuity"].as_array().expect("a list");
        let named = sides.iter().find(|named| named["side"] == side).expect("the side is named");
        (&named["continuity"], named["evidence"].as_str().expect("evidence"))
    }

    /// The commands of the way out that comes first.
    pub fn first_way_out(&self) -> Vec<String> {
        let commands = self.report["ways_out"][0]["commands"].as_array().expect("a way out");
        commands.iter().map(|command| command.as_str().expect("a command").to_owned()).collect()
    }

    pub fn digest(&self) -> String {
        self.report["held"][0]["digest"].as_str().expect("a hold").to_owned()
    }

    pub fn count(&self, list: &str) -> usize {
        self.report[list].as_array().expect("a list").len()
    }
}

impl Place {
    /// `L` with so many people, and an empty `R`.
    pub fn with_people(name: &str, count: usize) -> Self {
        let here = tool::scratch().join(format!("attack-{name}-{}", std::process::id()));
        let place = Self(here);
        fs::create_dir_all(place.0.join("L/c")).expect("a folder");
        fs::create_dir_all(place.0.join("R")).expect("a folder");
        (0..count).for_each(|n| place.write("L", n, &format!("note {n}")));
        place
    }

    pub fn write(&self, side: &str, n: usize, note: &str) {
        let card = format!(
            "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:p{n:03}\r\nFN:Person {n}\r\nTEL:+49{n}\r\nEMAIL:p{n}@example.org\r\nNOTE:{note}\r\nEND:VCARD\r\n"
        );
        fs::write(self.file(side, n), card).expect("a card");
    }

    pub fn file(&self, side: &str, n: usize) -> PathBuf {
        self.0.join(format!("{side}/c/p{n:03}.vcf"))
    }

    pub fn remove(&self, side: &str, range: std::ops::Range<usize>) {
        range.for_each(|n| fs::remove_file(self.file(side, n)).expect("a card"));
    }

    pub fn count(&self, folder: &str) -> usize {
        fs::read_dir(self.0.join(folder)).map_or(0, Iterator::count)
    }

    pub fn note(&self, side: &str, n: usize) -> String {
        let card = fs::read_to_string(self.file(side, n)).expect("a card");
        card.lines().find_map(|line| line.strip_prefix("NOTE:")).expect("a note").to_owned()
    }

    /// As `cp -a` does it: the copies are other files.
    pub fn copy(&self, from: &str, to: &str) {
        let done = Command::new("cp").arg("-a").arg(self.0.join(from)).arg(self.0.join(to)).status();
        assert!(done.expect("cp").success());
    }

    pub fn sync(&self, left: &str, right: &str, more: &[&str]) -> Ran {
        let args: Vec<String> = [&[left, right, "--json"], more].concat().into_iter().map(String::from).collect();
        let output = tool::run(&self.0, &args, None);
        let report = serde_json::from_str(&output.stdout).expect("JSON");
        Ran { exit: output.exit.expect("an exit"), report, said: output.stderr }
    }

    /// Runs a line as a shell does; gives its exit code.
    pub fn shell(&self, line: &str) -> i32 {
        let done = Command::new("sh").arg("-c").arg(line).current_dir(&self.0).output();
        done.expect("a shell").status.code().expect("an exit")
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}
