//! A process that writes all the time is killed at any moment.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::{
    scratch::{Scratch, listing, lock_again, names, print},
    vdir_sync::{
        book::{read_body, read_index, write},
        folder::{Expect, Put, Root, Writer},
    },
};

/// A test that runs again as a process of its own, in a folder of the first one's: there it plays the other part.
pub(crate) struct Child(std::process::Child);

impl Child {
    pub(crate) const DIR: &str = "VDIR_FOLDER_DIR";

    /// Runs the test that calls this once more.
    pub(crate) fn start(dir: &Path) -> Self {
        let thread = thread::current();
        let test = thread.name().expect("a test");
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "--nocapture", test]).env(Self::DIR, dir);
        Self(command.stdout(Stdio::null()).spawn().unwrap())
    }

    /// Where this process is the other one: its folder.
    pub(crate) fn dir() -> Option<PathBuf> {
        env::var_os(Self::DIR).map(PathBuf::from)
    }

    /// Waits until it has made a file.
    pub(crate) fn wait_for(&mut self, file: &str, dir: &Path) {
        let until = Instant::now() + Duration::from_secs(60);
        while fs::remove_file(dir.join(file)).is_err() {
            assert!(self.0.try_wait().unwrap().is_none(), "it ended by itself");
            assert!(Instant::now() < until, "it does not get on");
            thread::sleep(Duration::from_micros(100));
        }
    }

    /// Kills it as nothing can be caught.
    pub(crate) fn kill(&mut self) {
        self.0.kill().unwrap();
        let status = self.0.wait().unwrap();
        assert!(status.code().is_none(), "it ended by itself: {status}");
    }
}

/// Also where the test that started it failed.
impl Drop for Child {
    fn drop(&mut self) {
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// A version of an item, all of one letter, of another size than its neighbours.
fn version(n: u8) -> Vec<u8> {
    vec![b'a' + n % 26; 100_000 + usize::from(n % 26)]
}

fn write_all_the_time(dir: &Path) {
    let root = Root::open(dir.join("root")).unwrap();
    let lock = lock_again(&dir.join("state"));
    // Nobody kills it if the other test is killed.
    let until = Instant::now() + Duration::from_secs(60);
    for (round, n) in (0..=u8::MAX).cycle().enumerate().take_while(|_| Instant::now() < until) {
        let mut writer = Writer::new(&root, &lock, &root.walk().unwrap());
        let old = print(&root, "people", "ada.vcf");
        let bytes = version(n);
        let put = |file, expect| Put { collection: "people", file, bytes: &bytes, expect };
        if n % 2 == 0 {
            writer.put("people", "ada.vcf", &bytes, Expect::Print(old)).unwrap();
        } else {
            let many = ["1.vcf", "2.vcf", "3.vcf"].map(|file| put(file, Expect::Absent));
            let made = writer.put_all(&[&many[..], &[put("ada.vcf", Expect::Print(old))]].concat());
            for (made, put) in made.into_iter().zip(many) {
                writer.remove("people", put.file, made.unwrap()).unwrap();
            }
        }
        let made = writer.put("people", "comes and goes.vcf", &bytes, Expect::Absent).unwrap();
        writer.remove("people", "comes and goes.vcf", made).unwrap();
        writer.finish().unwrap();
        write(&lock, &vec![n; 1000], &vec![n; 100_000]).unwrap();
        if round == 0 {
            fs::write(dir.join("running"), "").unwrap();
        }
    }
}

#[test]
fn a_kill_at_any_moment_leaves_before_or_after() {
    if let Some(dir) = Child::dir() {
        return write_all_the_time(&dir);
    }
    let (scratch, root, lock) = Scratch::with_card();
    drop(lock);
    fs::write(scratch.join("root/people/ada.vcf"), version(0)).unwrap();
    let (mut versions, mut unfinished, mut books) = (0, 0, 0);
    let mut last = version(0);
    for round in 0..60 {
        let mut child = Child::start(&scratch);
        child.wait_for("running", &scratch);
        thread::sleep(Duration::from_micros(397 * (round * 37 % 60)));
        child.kill();

        // It died with the process.
        let lock = lock_again(&scratch.join("state"));
        let walk = root.walk().unwrap();
        for item in &listing(&walk, "people").items {
            let bytes = root.read("people", &item.file, &item.print).unwrap();
            assert!(bytes == version(bytes[0] - b'a'), "'{}' is a mixture", item.file);
            if item.file == "ada.vcf" && bytes != last {
                versions += 1;
                last = bytes;
            }
        }
        unfinished += u32::from(names(&scratch.join("root/people")).iter().any(|name| name.starts_with('.')));
        if let Some((index, book)) = read_index::<Vec<u8>>(lock.state()).unwrap() {
            let body: Vec<u8> = read_body(book).unwrap();
            assert!(index == vec![body[0]; 1000] && body == vec![body[0]; 100_000], "the bookkeeping is a mixture");
            books += 1;
        }

        let writer = Writer::new(&root, &lock, &walk);
        let left = names(&scratch.join("root/people"));
        assert!(left.iter().all(|name| !name.starts_with('.')), "{left:?}");
        assert!(left.contains(&"ada.vcf".to_owned()), "at no moment is it gone");
        writer.finish().unwrap();
        for item in listing(&walk, "people").items.iter().filter(|item| item.file != "ada.vcf") {
            fs::remove_file(scratch.join("root/people").join(&item.file)).unwrap();
        }
    }
    assert!(versions > 5 && unfinished > 0 && books > 5, "{versions} versions, {unfinished} unfinished, {books} books");
}
