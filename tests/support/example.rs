//! The built examples, as programs.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// An example, built beside this test, and up to date: cargo builds no example for a single test file.
pub(crate) fn built(example: &str) -> PathBuf {
    let test = env::current_exe().expect("this test has a path");
    let profile = test.parent().and_then(Path::parent).expect("target/<profile>/deps");
    let name = profile.file_name().expect("a profile").to_string_lossy();
    let name = if name == "debug" { "dev" } else { &*name };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    cargo.args(["build", "--quiet", "--example", example, "--profile", name]);
    cargo.arg("--target-dir").arg(profile.parent().expect("a target folder"));
    assert!(cargo.status().expect("cargo runs").success(), "the example {example} does not build");
    profile.join("examples").join(format!("{example}{}", env::consts::EXE_SUFFIX))
}
