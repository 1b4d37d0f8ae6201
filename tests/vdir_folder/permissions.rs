//! What may not be read is not empty. The superuser may read everything, so nobody looks.

use std::{
    env, fs,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use crate::{
    kill::Child,
    scratch::{Scratch, listing},
    vdir_sync::{
        book::{BookError, Lock, LockError, StateDir, read_index},
        folder::{Contents, Expect, Problem, Root, RootError, Writer},
    },
};

const NOBODY: u32 = 65534;

#[test]
fn what_may_not_be_read_is_not_empty() {
    if let Some(dir) = Child::dir() {
        return nobody_looks(&dir);
    }
    let scratch = Scratch::new();
    let for_nobody = scratch.join("for nobody");
    fs::create_dir(&for_nobody).unwrap();
    let program = scratch.join("test");
    fs::copy(env::current_exe().unwrap(), &program).unwrap();
    let mut command = Command::new(&program);
    command
        .args(["--exact", "--nocapture", "permissions::what_may_not_be_read_is_not_empty"])
        .env(Child::DIR, &for_nobody);
    if fs::metadata(&for_nobody).unwrap().uid() == 0 {
        chown(&for_nobody, Some(NOBODY), Some(NOBODY)).unwrap();
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn nobody_looks(dir: &Path) {
    let [root, closed, open, state] = ["root", "root/closed", "root/open", "state"].map(|name| dir.join(name));
    [&root, &closed, &open, &state].into_iter().for_each(|path| fs::create_dir(path).unwrap());
    for path in [closed.join("a.vcf"), open.join("a.vcf"), open.join("b.vcf"), state.join("book")] {
        fs::write(path, "x").unwrap();
    }
    set_mode(&closed, 0o000);
    set_mode(&open.join("b.vcf"), 0o000);
    let opened = Root::open(&root).unwrap();
    let walk = opened.walk().unwrap();
    assert!(matches!(&walk.collections[0].contents, Contents::Unreadable(error)
        if error.to_string() == "'closed': could not open it: Permission denied (os error 13); it was left as it is"));
    let items = &listing(&walk, "open").items;
    assert_eq!(items.len(), 2);
    assert_eq!(opened.read("open", "a.vcf", &items[0].print).unwrap(), b"x");
    let error = opened.read("open", "b.vcf", &items[1].print).unwrap_err();
    assert!(matches!(error.problem, Problem::Disk { doing: "open it", .. }), "{error}");

    // One that may be entered but not listed, and one that may be listed but not entered.
    set_mode(&closed, 0o300);
    assert!(matches!(opened.walk().unwrap().collections[0].contents, Contents::Unreadable(_)));
    set_mode(&closed, 0o600);
    let walk = opened.walk().unwrap();
    let is_empty = matches!(&walk.collections[0].contents, Contents::Listed(listing) if listing.errors.is_empty());
    assert!(!is_empty, "{walk:?}");

    // One that may be read but not written.
    set_mode(&open, 0o500);
    let lock = Lock::take(dir.join("own")).unwrap();
    let mut writer = Writer::new(&opened, &lock, &walk);
    let problem = writer.put("open", "a.vcf", b"y", Expect::Print(listing(&walk, "open").items[0].print)).unwrap_err();
    assert!(matches!(problem.problem, Problem::Disk { doing: "create a file beside it", .. }), "{problem}");
    let problem = writer.remove("open", "a.vcf", listing(&walk, "open").items[0].print).unwrap_err();
    assert!(matches!(problem.problem, Problem::Disk { doing: "rename it", .. }), "{problem}");
    assert_eq!(fs::read(open.join("a.vcf")).unwrap(), b"x");

    set_mode(&state.join("book"), 0o000);
    assert!(matches!(read_index::<u8>(&StateDir::at(&state)), Err(BookError::Unreadable { .. })));
    set_mode(&state, 0o000);
    assert!(matches!(read_index::<u8>(&StateDir::at(&state)), Err(BookError::Unreadable { .. })));
    assert!(matches!(Lock::take(&state), Err(LockError::Disk { .. })));

    for mode in [0o000, 0o300, 0o600] {
        set_mode(&root, mode);
        let error = Root::open(&root).unwrap_err();
        assert!(matches!(error, RootError::Unreadable { .. }), "{mode:o}: {error}");
        assert!(opened.walk().is_err());
    }
    [&root, &closed, &open, &state].into_iter().for_each(|path| set_mode(path, 0o700));
}
