//! The built example, as a process.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
    thread,
    time::{Duration, Instant},
};

#[path = "../support/example.rs"]
mod example;

/// Longer than any case takes, shorter than anyone waits: a run that is not done by then hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a process left behind.
#[derive(Debug, Clone, Default)]
pub struct Output {
    /// None if it was killed.
    pub exit: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

static BINARY: LazyLock<PathBuf> = LazyLock::new(|| example::built("vdir_sync"));

/// The example, built.
#[allow(dead_code, reason = "cases have no need of it")]
pub fn binary() -> &'static Path {
    &BINARY
}

/// Where cases run. In memory where there is such a folder: the tool syncs every file it writes to the disk.
pub fn scratch() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { memory } else { Path::new(env!("CARGO_TARGET_TMPDIR")) };
    folder.join("vdir_cases")
}

/// Runs it in `dir`; kills it after `life`, if that is given and it still runs then.
pub fn run(dir: &Path, args: &[String], life: Option<Duration>) -> Output {
    let [stdout, stderr] = ["stdout", "stderr"].map(|name| dir.join(name));
    let file = |path: &Path| File::create(path).expect("a file for the output");
    let mut command = Command::new(&*BINARY);
    command.current_dir(dir).args(args).stdin(Stdio::null()).stdout(file(&stdout)).stderr(file(&stderr));
    let begun = Instant::now();
    let mut child = command.spawn().expect("the example runs");
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            break status;
        }
        if begun.elapsed() >= life.unwrap_or(PATIENCE) {
            child.kill().expect("a child can be killed");
            break child.wait().expect("a child can be waited for");
        }
        thread::sleep(Duration::from_millis(1));
    };
    let text = |path: &Path| String::from_utf8_lossy(&fs::read(path).expect("the output")).into_owned();
    Output { exit: status.code(), stdout: text(&stdout), stderr: text(&stderr) }
}

/// Runs two at once.
pub fn run_both(dir: &Path, first: &[String], second: &[String]) -> [Output; 2] {
    let other = dir.join("beside");
    fs::create_dir_all(&other).expect("a folder");
    thread::scope(|scope| {
        let second = scope.spawn(|| run(&other, second, None));
        [run(dir, first, None), second.join().expect("it does not panic")]
    })
}
