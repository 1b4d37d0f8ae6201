//! What a walk sees, and what it must not conclude.

use std::{
    ffi::{OsStr, OsString},
    fs, io,
    os::unix::{ffi::OsStrExt, fs::symlink, net::UnixListener},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{
    scratch::{Scratch, listing, names, shown},
    vdir_sync::{
        book::{StateDir, read_index},
        folder::{
            Contents, Listing, Root, RootError,
            disk::{Dir, Entry, Kind, other},
        },
    },
};

#[test]
fn a_root_that_is_not_there_is_not_an_empty_one() {
    let scratch = Scratch::new();
    assert!(matches!(Root::open(scratch.join("nobody")), Err(RootError::Missing { .. })));
    fs::write(scratch.join("file"), "").unwrap();
    assert!(matches!(Root::open(scratch.join("file")), Err(RootError::NotAFolder { .. })));
    symlink(scratch.join("loop"), scratch.join("loop")).unwrap();
    let error = Root::open(scratch.join("loop")).unwrap_err();
    assert!(matches!(error, RootError::Unreadable { .. }), "{error}");
    assert!(error.to_string().contains("/loop' can not be read"), "{error}");
    symlink(&*scratch, scratch.join("link")).unwrap();
    Root::open(scratch.join("link")).expect("where the root is is the user's choice");
}

#[test]
fn items_are_plain_files_with_an_extension() {
    let scratch = Scratch::new();
    for path in ["a/b.vcf", "a/B.VCF", "a/c.Ics", "a/README", "a/x.txt", "a/.hidden.vcf", "a/.vcf", "a/vcf", "b/-.ics"]
    {
        fs::create_dir_all(scratch.join(path).parent().unwrap()).unwrap();
        fs::write(scratch.join(path), path).unwrap();
    }
    fs::create_dir_all(scratch.join("a/deeper/still.vcf/x")).unwrap();
    fs::create_dir(scratch.join(".holdfast")).unwrap();
    fs::write(scratch.join(".holdfast/z.vcf"), "").unwrap();
    fs::write(scratch.join("loose.vcf"), "").unwrap();
    fs::create_dir(scratch.join("empty")).unwrap();
    let walk = Root::open(&*scratch).unwrap().walk().unwrap();
    assert_eq!(walk.collections.iter().map(|collection| &*collection.name).collect::<Vec<_>>(), ["a", "b", "empty"]);
    let files = |name| listing(&walk, name).items.iter().map(|item| &*item.file).collect::<Vec<_>>();
    assert_eq!(files("a"), ["B.VCF", "b.vcf", "c.Ics"]);
    assert_eq!(files("b"), ["-.ics"]);
    assert_eq!(files("empty"), [""; 0]);
    assert!(walk.errors.is_empty() && listing(&walk, "a").errors.is_empty());
    assert_eq!(listing(&walk, "a").items[1].print.size, 7);
}

#[test]
fn odd_things_are_named_and_all_others_go_on() {
    let scratch = Scratch::new();
    let people = scratch.join("root/people");
    fs::create_dir_all(&people).unwrap();
    fs::create_dir(scratch.join("outside")).unwrap();
    fs::write(scratch.join("outside/secret.vcf"), "").unwrap();
    let odd = ["new\nline.vcf", "rtl\u{202e}.vcf", "c:.vcf", "back\\slash.vcf", "tab\t.ics", "ünï.vcf", "zero.vcf"];
    for name in odd {
        fs::write(people.join(name), "").unwrap();
    }
    fs::write(people.join(OsStr::from_bytes(b"latin\xe9.vcf")), "").unwrap();
    fs::create_dir(people.join("folder.vcf")).unwrap();
    symlink(scratch.join("outside/secret.vcf"), people.join("link.vcf")).unwrap();
    symlink("nowhere", people.join("dangling.vcf")).unwrap();
    let _socket = UnixListener::bind(people.join("socket.vcf")).unwrap();
    fs::create_dir(scratch.join("root").join(OsStr::from_bytes(b"caf\xe9"))).unwrap();
    symlink(scratch.join("outside"), scratch.join("root/way out")).unwrap();
    symlink("nowhere", scratch.join("root/lost")).unwrap();
    symlink(people.join("zero.vcf"), scratch.join("root/handy")).unwrap();

    let walk = Root::open(scratch.join("root")).unwrap().walk().unwrap();
    assert_eq!(walk.collections.len(), 1);
    let people = listing(&walk, "people");
    let mut files: Vec<_> = people.items.iter().map(|item| &*item.file).collect();
    let mut expected = odd.to_vec();
    files.sort_unstable();
    expected.sort_unstable();
    assert_eq!(files, expected);
    assert_eq!(
        shown(&people.errors),
        [
            "'people/dangling.vcf': expected a file, found a symbolic link in the way; it was left as it is",
            "'people/folder.vcf': expected a file, found a folder in the way; it was left as it is",
            "'people/latin\\xe9.vcf': expected a name in UTF-8, found other bytes; it was left as it is",
            "'people/link.vcf': expected a file, found a symbolic link in the way; it was left as it is",
            "'people/socket.vcf': expected a file, found a pipe, a socket or a device in the way; it was left as it is",
        ]
    );
    assert!(people.errors.iter().any(|error| error.file.as_deref() == Some("folder.vcf")), "its name is known");
    assert_eq!(
        shown(&walk.errors),
        [
            "'caf\\xe9': expected a name in UTF-8, found other bytes; it was left as it is",
            "'lost': expected a folder, found a symbolic link in the way; it was left as it is",
            "'way out': expected a folder, found a symbolic link in the way; it was left as it is",
        ]
    );
}

/// Lists with an error at the `nth` entry.
fn with_error_at(dir: &Path, nth: usize) -> io::Result<Listing> {
    let dir = Dir::root(dir)?;
    let entries = dir.entries()?.enumerate();
    let broken = entries.map(|(n, entry)| if n == nth { Err(io::Error::other("input/output error")) } else { entry });
    Listing::gather("people", broken, |file| dir.look(file))
}

#[test]
fn other_systems_see_the_same() {
    let (scratch, _root, _lock) = Scratch::with_card();
    symlink("ada.vcf", scratch.join("root/people/link.vcf")).unwrap();
    fs::create_dir(scratch.join("root/people/folder.vcf")).unwrap();
    let [here, there] = [&*scratch.join("root"), &*scratch.join("root/people/ada.vcf")];
    assert!(other::Dir::root(there).is_err());
    let (unix, other) = (Dir::root(here).unwrap(), other::Dir::root(here).unwrap());
    let (unix, other) = (unix.child("people").unwrap(), other.child("people").unwrap());
    for name in ["ada.vcf", "link.vcf", "folder.vcf"] {
        let [here, there] = [unix.look(name).unwrap(), other.look(name).unwrap()];
        assert_eq!((here.kind, here.print.size), (there.kind, there.print.size));
        assert_eq!(here.print.mtime_nanos, there.print.mtime_nanos);
    }
    assert_eq!(other.entries().unwrap().count(), 3);
    assert!(other.open("ada.vcf").is_ok() && other.open("link.vcf").is_err() && other.child("ada.vcf").is_err());
}

#[test]
fn an_error_in_the_middle_of_a_listing_is_not_its_end() {
    let scratch = Scratch::new();
    for n in 0..5 {
        fs::write(scratch.join(format!("{n}.vcf")), "").unwrap();
    }
    for nth in 0..5 + 2 {
        assert!(with_error_at(&scratch, nth).is_err(), "an error at entry {nth}");
    }
    assert_eq!(with_error_at(&scratch, 99).unwrap().items.len(), 5);
}

#[test]
fn a_file_that_can_not_be_looked_at_is_there_all_the_same() {
    let entries = || ["gone.vcf", "stuck.vcf"].map(|name| Ok(Entry { name: OsString::from(name), hint: Kind::File }));
    let look = |name: &OsStr| {
        Err(if name == "gone.vcf" { io::ErrorKind::NotFound.into() } else { io::Error::other("input/output error") })
    };
    let listing = Listing::gather("people", entries().into_iter(), look).unwrap();
    assert!(listing.items.is_empty());
    assert_eq!(
        shown(&listing.errors),
        ["'people/stuck.vcf': could not look at it: input/output error; it was left as it is"]
    );
    assert_eq!(listing.errors[0].file.as_deref(), Some("stuck.vcf"));
}

#[test]
fn a_root_that_is_removed_while_it_is_open_is_not_an_empty_one() {
    let (scratch, root, _lock) = Scratch::with_card();
    fs::rename(scratch.join("root"), scratch.join("elsewhere")).unwrap();
    assert!(matches!(root.walk(), Err(RootError::Missing { .. })));
    fs::create_dir(scratch.join("root")).unwrap();
    assert!(matches!(root.walk(), Err(RootError::Unreadable { .. })));
    fs::remove_dir_all(scratch.join("elsewhere")).unwrap();
    assert!(root.walk().is_err());
}

/// Stops the other thread even where an assertion fails, so that the test ends.
struct OnDrop<F: Fn()>(F);

impl<F: Fn()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        self.0();
    }
}

#[test]
fn a_collection_that_is_removed_while_it_is_listed_is_not_an_empty_one() {
    let scratch = Scratch::new();
    let root = Root::open(&*scratch).unwrap();
    let [new, people, old] = [".new", "people", ".old"].map(|name| scratch.join(name));
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        // Wherever there are people, Ada is among them.
        scope.spawn(|| {
            for round in (0..200).cycle().take_while(|_| !is_done.load(Ordering::Relaxed)) {
                fs::create_dir(&new).unwrap();
                fs::write(new.join("ada.vcf"), "").unwrap();
                fs::rename(&new, &people).unwrap();
                thread::sleep(Duration::from_micros(round));
                fs::rename(&people, &old).unwrap();
                fs::remove_dir_all(&old).unwrap();
            }
        });
        let _stop = OnDrop(|| is_done.store(true, Ordering::Relaxed));
        let (mut listed, begun) = (0, Instant::now());
        while listed < 50 || begun.elapsed() < Duration::from_millis(500) {
            assert!(begun.elapsed() < Duration::from_secs(60), "nothing was listed");
            for collection in root.walk().unwrap().collections {
                if let Contents::Listed(listing) = collection.contents {
                    assert_eq!(listing.items.len(), 1, "{listing:?}");
                    listed += 1;
                }
            }
        }
    });
}

#[test]
fn looking_leaves_no_trace() {
    let scratch = Scratch::new();
    fs::create_dir(scratch.join("people")).unwrap();
    fs::write(scratch.join("people/.holdfast-tmp-1-1"), "another's unfinished work").unwrap();
    let before =
        (fs::metadata(&*scratch).unwrap().modified().unwrap(), names(&scratch), names(&scratch.join("people")));
    let root = Root::open(&*scratch).unwrap();
    root.walk().unwrap();
    assert!(read_index::<u8>(&StateDir::at(scratch.join(".holdfast"))).unwrap().is_none());
    let after = (fs::metadata(&*scratch).unwrap().modified().unwrap(), names(&scratch), names(&scratch.join("people")));
    assert_eq!(before, after);
}
