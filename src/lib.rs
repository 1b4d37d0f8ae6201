//! A two-way sync engine that refuses to let a sync wipe a good copy.
//!
//! In October 2009 a service lost its main store and its backup. The phones of some 800,000 people held only a volatile
//! copy of what the service held. People who restarted their phone got an empty address book from an empty server, and
//! the last good copy was gone. Every sync did what it was told.
//!
//! Holdfast keeps replicas of structured records (contacts, appointments, to-dos, photo metadata) in step between
//! devices and a server, in both directions, offline first. Nothing is removed on the word of an empty server, and
//! nothing much on the word of a flooded one: removals and overwrites that look like damage are *held*. The good copy
//! stays, everything else goes on syncing, and a person is asked once. A holdfast is the root that keeps kelp in place.
//!
//! It is a library of pure functions, without a clock, a random source, a thread, a socket or a file: `no_std` with
//! `alloc`. Time, ids and entropy come in as arguments, and a [`Store`] of two methods is all it asks of a database.
//!
//! # A first program
//!
//! Two phones and a server. Then somebody's deletes of everything arrive by way of a server that has lost its memory.
//!
//! ```
//! use holdfast::*;
//! use std::{collections::BTreeMap, error::Error};
//!
//! fn main() -> Result<(), Box<dyn Error>> {
//!     let people = CollectionId::new("people")?;
//!     let names = ["Ada", "Ben", "Cho", "Dee", "Eve", "Fay", "Gus", "Hal", "Ivy", "Jon"];
//!     let id = |entropy| ReplicaId::from_entropy(entropy); // 128 random bits, from your app
//!     let phone = |bits| Ok::<_, IdError>(Device::new(MemoryStore::device(), id(bits)?, Guard::default()));
//!     let (mut ada, mut ben, mut thief) = (phone(1)?, phone(2)?, phone(3)?);
//!     let mut server = Server::new(MemoryStore::server(), id(4)?, Guard::default());
//!     let (now, round) = (Timestamp::from_micros, |n| Inputs::new(RoundId(n), Trust::Account));
//!
//!     for name in names {
//!         let contact = BTreeMap::from([("name", name)]); // any struct of your app that has serde
//!         let write = Write::create(people.clone(), RecordId::new(name)?, &contact, &Shape::new(), Cause::User)?;
//!         ada.write(&write, now(1))?;
//!     }
//!     exchange(&mut ada, &mut server, &people, &round(1))?;
//!     exchange(&mut ben, &mut server, &people, &round(2))?;
//!     exchange(&mut thief, &mut server, &people, &round(3))?;
//!
//!     let mut server = Server::new(MemoryStore::server(), id(5)?, Guard::default()); // the disks were lost
//!     for name in names {
//!         thief.write(&Write::delete(people.clone(), RecordId::new(name)?, Cause::User), now(2))?;
//!     }
//!     exchange(&mut thief, &mut server, &people, &round(4))?;
//!
//!     let flood = exchange(&mut ada, &mut server, &people, &round(5))?.pulled;
//!     assert_eq!(flood.held.len(), 10); // nobody is removed ..
//!     let hold = ada.hold(&people)?.expect("a question"); // .. and Ada is asked
//!     println!("{hold}");
//!     ada.keep(&people, hold.digest, "Ada", now(3))?;
//!
//!     exchange(&mut ada, &mut server, &people, &round(6))?;
//!     exchange(&mut ben, &mut server, &people, &round(7))?;
//!     assert_eq!(ben.records(&people, None, 100)?.len(), 10);
//!     assert!(ben.hold(&people)?.is_none() && server.hold(&people)?.is_none()); // nobody else is asked
//!     Ok(())
//! }
//! ```
//!
//! `cargo run --example first_hold` tells the same story with 320 people and an edit in the middle, and
//! `cargo run --example sidekick` the whole of 2009, next to what a plain mirror sync does.
//!
//! # How it works
//!
//! Decide, then do, with a plain value between; and between the two a type that only the guard can make.
//!
//! ```text
//! Slice (what we hold) ┐
//!                      ├─> Diff ──> Draft ──> Guard::review ──> Approved ──> Plan ──> commit ──> Receipt ──> Journal
//! Changes (what came)  ┘   facts    nobody    consents in       what goes on,                       │
//!                                   agreed                      what is held     Ledger <───────────┘
//! ```
//!
//! - [`values`]: what exists. Versions are compared by *version vector*, which is what many call a *vector clock*:
//!   no clock is trusted to say which write is the later one. Concurrent writes are both kept, field by field.
//! - [`decide`]: what should happen. Pure and total, and it can not name a store.
//! - [`act`]: the plan, the receipt, and the smallest [`Store`].
//! - [`talk`]: what crosses a network, as values and as bytes. `docs/wire.md` is the specification.
//! - [`compose`]: all of it together, a page each: [`Device`], [`Server`], [`exchange`]. Read these first. Over a network the
//!   two sides are [`Device::converse`] and [`Server::serve`]; the pure parts of them are [`compose::device_session`] and
//!   [`compose::serve`].
//!
//! A server that lost something says how it is rebuilt, by [`Server::rebuild`]; a person who knows that it did, and that this
//! device is right, says so by [`Device::reseed`]. A device that was restored or cloned takes over what its store wrote under
//! another id, by [`Device::take_over`], and a new one in place of its own by [`Device::rotate`]; `docs/identity.md` is the guide.
//!
//! An app whose contacts live in a store that it can only list takes them in with [`Device::observe`] and writes them
//! with [`Device::unshown`].
//!
//! There is no way past the guard: a [`Draft`](decide::draft::Draft) can not be applied, a
//! [`Plan`](act::plan::Plan) is made of [`Approved`](decide::guard::Approved) only, and there is no `force`.
//!
//! # What it guarantees
//!
//! S for safety, L for liveness; the letters are those of the tests.
//!
//! - **S1** Two replicas that have seen the same writes of a record hold the same content.
//! - **S2** A sync takes no value away from all replicas together, except by a later write that somebody authored and
//!   the guard let through, or by the consent of a person to exactly that line.
//! - **S3** What a replica has seen replaced, it never shows again.
//! - **S4** A message never removes by leaving something out. Take entries out of it, and it can only take less. A
//!   complete [listing](decide::listing) of this replica's own native store may propose removals of what it lacks, all or
//!   none, and asks about more than a few; an incomplete one proposes none.
//! - **S5** One name, one write: a write's number is durable before any message carries it, and a device that its server knows to
//!   be further than itself writes nothing under that id.
//! - **S6** How far a device has read is worth something only in the history that it was read in, and moves with the data.
//! - **S7** A server's history has a random name, new at every creation and at every restore or loss that is noticed.
//! - **S8** A device counts a record as synced when the server has named that very version as durable, no sooner.
//! - **S9** What a replica says it has seen, it has received; a message speaks only for the records in it.
//! - **S10** After a crash at any point, all of a step is there or none of it.
//! - **S11** A consent releases the lines that it names, while they stand, once. It never grows.
//! - **S12** Between two answers, whatever the number of syncs, their order, the clock and the peers, at most half of a
//!   collection of 8 or more can be lost, and at most half of every first part of it. What counts as a loss is in
//!   [`Loss`](decide::harm::Loss).
//! - **S13** What is stored and what crosses the network is canonical and bounded: damaged or hostile bytes give an
//!   error, never a panic.
//! - **S14** A clock can choose which of two conflicting values is *shown*. It never decides what survives.
//! - **S15** Work and memory are bounded by the bytes that came and the records they touch.
//! - **S16** A device authors under its own id only. Others' writes are taken from it while a loss is being mended.
//! - **S17** The same inputs give the same bytes, on every target.
//! - **S18** Fields and kinds of value that an older app does not know pass through it unharmed.
//! - **S19** An error changes nothing. (A hold is not an error.)
//! - **S20** What a sync hid can be brought back for the whole retention.
//! - **L1** Once faults stop, replicas agree within two rounds; held records within two rounds of the answer.
//! - **L2** After any loss of a server, two rounds bring back all that any device holds.
//! - **L3** A sync with nothing to do writes nothing, and is one short request.
//! - **L4** One bad record delays no other.
//! - **L5** Every hold and every error names its way out, and one decision is asked once, not once per replica.
//! - **L6** Who resumes after a crash gets where it would have got without.
//! - **L7** Planning ends.
//!
//! # What can not be promised
//!
//! - Data that is on no surviving replica is gone.
//! - Somebody with valid credentials can remove, round by round, what stays under the limits. Only the trash helps.
//! - What is judged is what each change takes. Somebody with valid credentials who first pads records, or replaces their
//!   values a few at a time, is bounded in each round and not over many. Undo helps, for the whole retention.
//! - In a list of fewer than 8 records the floor does not apply, so several small rounds can take it away. The trash
//!   helps there, too, and an account of 3 or more records never goes to none.
//! - A device whose own disk lies, by losing what it said was written, can not be seen through.
//! - A full image of a device, cloned, at the same time as the server forgets that device, can not be told from it.
//! - The app owns its database and can always delete from it directly.
//!
//! # What it is not
//!
//! No network, no storage format of its own, no encryption, no accounts, no merging of text letter by letter, no
//! transactions over several records, and no server to install. It is the part between the app's database and the wire
//! that decides.

#![no_std]
#![doc(test(attr(deny(warnings), allow(dead_code, unused_variables))))]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod values;
pub mod decide;
pub mod act;
pub mod talk;
pub mod compose;
#[cfg(feature = "testing")]
pub mod testing;

// The paved path. Everything else stays under its module.
pub use act::{memory::MemoryStore, receipt::Receipt, store::Store};
pub use compose::{
    device::{Device, online::ChangeState},
    device_session::{CollectionReport, DeviceSession, Opening, Report},
    exchange::exchange,
    explain::Explanation,
    rebuild::RebuildReport,
    serve::{Access, Call, Role},
    server::Server,
};
pub use decide::{
    consent::Trust,
    guard::{Guard, Inputs},
    ledger::RoundId,
    limits::Limits,
    line::Hold,
    position::PositionKey,
    write::{Seen, Write},
};
pub use talk::limits::WireLimits;
pub use values::{
    entropy::Entropy,
    id::{AccountId, CollectionId, IdError, RecordId, ReplicaId},
    register::Cause,
    shape::Shape,
    time::Timestamp,
    version_vector::VersionVector,
};

/// The code in the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// So does the code in the guide.
#[cfg(doctest)]
#[doc = include_str!("../docs/conversation.md")]
struct Conversation;

/// And in the guide to identity.
#[cfg(doctest)]
#[doc = include_str!("../docs/identity.md")]
struct Identity;
