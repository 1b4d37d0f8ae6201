//! What happens to the side at fault, and what people do in the meantime.

use std::{fs, path::Path};

use super::{
    cards,
    cell::{Books, Cell, Role, Row, Times},
    tree::{self, BOOKS, Tree},
    world::{CARDS, PEOPLE, Set, World, uid},
};

/// The two sides of a cell.
#[derive(Debug, Clone, Copy)]
pub struct Sides {
    pub faulty: &'static str,
    pub healthy: &'static str,
}

impl Sides {
    pub const fn of(role: Role) -> Self {
        match role {
            Role::Server => Self { faulty: "server", healthy: "a" },
            Role::Device => Self { faulty: "a", healthy: "server" },
        }
    }
}

/// What is to be true in the end.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// What everybody is to have: what the healthy side has, and what people did in the meantime.
    pub set: Set,
    /// What may be there besides: written on the side at fault after the fault.
    pub foreign: Set,
    /// Properties that may have another value, or two, in these cards.
    pub open: Vec<(String, &'static str)>,
}

/// Makes it happen.
pub fn befall(world: &World, cell: Cell) -> Wanted {
    let sides = Sides::of(cell.role);
    let mut wanted = Wanted::default();
    match cell.row {
        Row::OldBackup => old_backup(world, cell, sides),
        Row::OtherAccount | Row::OtherAccountSameIds => stranger(world, cell, sides),
        Row::OtherDeviceFirst => {
            lose(world, sides, CARDS);
            world.edit("b", 7, "NOTE", "B was here");
        }
        Row::Clock => conflicts(world, sides, &mut wanted),
        Row::StateLostKept | Row::StateLostApproved => {
            world.remove(sides.faulty, 181..=200);
            (1..=20).for_each(|n| world.edit(sides.faulty, n, "NOTE", "pending"));
            // Nobody knows any more which of both values was there first: both are shown.
            wanted.open.extend((1..=20).map(|n| (uid(n), "NOTE")));
        }
        Row::Emptied | Row::Drip => lose(world, sides, if cell.row == Row::Drip { 0 } else { CARDS }),
        Row::RootGone => tree::remove(&world.root(sides.faulty)),
        Row::CollectionsGone => tree::remove(&world.root(sides.faulty).join(PEOPLE)),
        Row::Lost(permille) => lose(world, sides, CARDS * permille / 1000),
        Row::CutListing(left) => world.remove(sides.faulty, left + 1..=CARDS),
        Row::MassDeleteKept | Row::MassDeleteApproved => lose(world, sides, CARDS * 95 / 100),
        Row::DeleteAllKept | Row::DeleteAllApproved => lose(world, sides, CARDS),
        Row::ZeroBytes => rewrite(world, cell, sides, CARDS, |_| Vec::new()),
        Row::EmptyFields => rewrite(world, cell, sides, CARDS, cards::blank),
        Row::EmptyFieldsOfMost => rewrite(world, cell, sides, CARDS - 2, cards::blank),
    }
    if cell.books == Books::Lost {
        tree::remove(&world.root(sides.faulty).join(BOOKS));
    }
    wanted.set = match cell.row {
        // What was done there on purpose is meant.
        Row::StateLostKept => world.set(sides.healthy).into_iter().chain(world.set(sides.faulty)).collect(),
        row if row.is_approved() => world.set(sides.faulty),
        Row::OtherDeviceFirst => {
            let mut set = world.set(sides.healthy);
            set.extend(world.set("b").into_iter().filter(|(name, _)| *name == uid(7)));
            set
        }
        _ => world.set(sides.healthy),
    };
    if cell.is_written {
        write_more(world, sides, &mut wanted);
    }
    wanted
}

fn lose(world: &World, sides: Sides, count: usize) {
    world.files(sides.faulty).iter().take(count).for_each(|file| tree::remove(file));
}

/// Twenty newer edits, twenty newer cards and five deletes, all of them synced; and then last week's folder again.
fn old_backup(world: &World, cell: Cell, sides: Sides) {
    let before = tree::whole(&world.root(sides.faulty));
    let (book, image) = (world.root(sides.faulty).join(BOOKS).join("book"), world.dir.join("image"));
    fs::hard_link(&book, &image).expect("a link");
    // The healthy side's own, or of the other device.
    let author = if cell.role == Role::Server { "a" } else { "b" };
    (1..=20).for_each(|n| world.edit(author, n, "NOTE", &format!("newer {n}")));
    (201..=220).for_each(|n| world.write(author, n, &cards::card(&uid(n), n)));
    // No more at a time than what nobody is asked about.
    for deleted in [101..=103, 104..=105] {
        world.remove(author, deleted);
        for device in [author, if author == "a" { "b" } else { "a" }] {
            world.synced(device);
        }
    }
    put_back(world, cell, sides, &before);
    if cell.books == Books::Image {
        fs::rename(image, book).expect("a rename");
    }
}

/// Puts a whole folder in the place of the one at fault.
fn put_back(world: &World, cell: Cell, sides: Sides, tree: &Tree) {
    let keeps_books = |path: &Path| cell.books == Books::Left && path.starts_with(BOOKS);
    tree::put_back(&world.root(sides.faulty), tree, keeps_books, cell.times == Times::Old);
}

/// The folder of somebody else, who has synced it with a folder of theirs, stands where ours was.
fn stranger(world: &World, cell: Cell, sides: Sides) {
    for (side, count) in [("c", CARDS), ("cloud", 0)] {
        fs::create_dir_all(world.root(side).join(PEOPLE)).expect("a folder");
        for n in 1..=count {
            let name = if cell.row == Row::OtherAccount { format!("x{n:03}@else.example") } else { uid(n) };
            let card = cards::rewritten(&cards::card(&name, n + 7));
            world.write(side, n, &card);
        }
    }
    assert_eq!(world.run(&["c", "cloud", "--json"]).exit, 0, "the stranger's own sync");
    let theirs = if cell.role == Role::Server { "cloud" } else { "c" };
    match cell.books {
        // As a disk that is mounted in the place of another.
        Books::Along => {
            fs::rename(world.root(sides.faulty), world.root("ours")).expect("a rename");
            fs::rename(world.root(theirs), world.root(sides.faulty)).expect("a rename");
            if cell.times == Times::Fresh {
                let again = tree::whole(&world.root(sides.faulty));
                tree::put_back(&world.root(sides.faulty), &again, |path| path.starts_with(BOOKS), false);
            }
        }
        _ => put_back(world, cell, sides, &tree::whole(&world.root(theirs))),
    }
}

fn rewrite(world: &World, cell: Cell, sides: Sides, count: usize, how: impl Fn(&[u8]) -> Vec<u8>) {
    for n in 1..=count {
        let file = world.file(sides.faulty, n);
        let modified = tree::whole(&file).values().next().map(|node| node.modified);
        let bytes = how(&fs::read(&file).expect("a card"));
        world.write(sides.faulty, n, &bytes);
        if let (Times::Old, Some(modified)) = (cell.times, modified) {
            tree::set_modified(&file, modified);
        }
    }
}

/// Ten cards that both sides edit, the healthy side later; the clock of the other one is ten years ahead.
fn conflicts(world: &World, sides: Sides, wanted: &mut Wanted) {
    for n in 1..=10 {
        world.edit(sides.faulty, n, "NOTE", &format!("skewed {n}"));
        world.age(sides.faulty, n);
        world.edit(sides.healthy, n, "NOTE", &format!("later {n}"));
        wanted.open.push((uid(n), "NOTE"));
    }
}

/// Three new cards, and two edits of cards that are still there.
fn write_more(world: &World, sides: Sides, wanted: &mut Wanted) {
    fs::create_dir_all(world.root(sides.faulty).join(PEOPLE)).expect("a folder");
    for n in 301..=303 {
        let name = format!("f{n}@{PEOPLE}.example");
        world.write(sides.faulty, n, &cards::card(&name, n));
        wanted.foreign.insert(name.clone(), cards::plain(&cards::card(&name, n)));
    }
    for n in 198..=199 {
        let file = world.file(sides.faulty, n);
        if fs::read(&file).is_ok_and(|bytes| cards::uid(&bytes) == Some(uid(n))) {
            world.edit(sides.faulty, n, "NICKNAME", "foreign");
            wanted.open.push((uid(n), "NICKNAME"));
        }
    }
}

/// Loses five percent of what is left.
pub fn drip(world: &World, sides: Sides) {
    let count = world.files(sides.faulty).len() / 20;
    lose(world, sides, count);
}
