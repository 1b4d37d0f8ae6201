//! An address book meets an empty server, and then a server full of deletes. Nobody loses anyone.
//!
//! Run it with `cargo run --example first_hold`. It ends with an error as soon as one of its claims does not hold.

#![allow(clippy::print_stdout, reason = "it tells a story")]

use std::{cell::Cell, collections::BTreeMap, error::Error};

use holdfast::{
    Cause, CollectionId, Device, Guard, Hold, Inputs, Limits, MemoryStore, RecordId, ReplicaId, RoundId, Seen, Server,
    Shape, Timestamp, Trust, Write, exchange,
};
use vcards::{Contact, address_book};

mod vcards;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

fn main() -> Result<()> {
    let app = App::new(address_book()?)?;
    let [mut ada, mut ben, mut stranger] = [app.phone("Ada", 1)?, app.phone("Ben", 2)?, app.phone("a stranger", 3)?];
    let mut server = app.server(4)?;

    chapter("1. Two phones and a server are in step.");
    app.fill(&mut ada)?;
    app.sync([&mut ada, &mut ben, &mut stranger], &mut server)?;
    app.claim_everybody_is_on([&ada, &ben, &stranger])?;

    chapter("2. The server loses its disks, and an empty one answers in its place.");
    let mut server = app.server(5)?;
    app.sync([&mut ada, &mut ben], &mut server)?;
    app.claim_everybody_is_on([&ada, &ben])?;

    chapter("3. A stranger deletes everybody. The empty server has nobody to lose, and takes all of it.");
    app.delete_everybody(&mut stranger)?;
    app.sync([&mut stranger], &mut server)?;
    app.sync([&mut ada, &mut ben], &mut server)?;
    app.claim_everybody_is_on([&ada, &ben])?;
    let question = ada.device.hold(&app.people)?.ok_or("Ada is not asked")?;
    app.show(&question, &ada)?;

    chapter("4. Life goes on meanwhile: Ben writes down a new number, and it reaches Ada.");
    let edited = app.add_number(&mut ben, "+44 20 7946 0999")?;
    app.sync([&mut ben, &mut ada], &mut server)?;
    app.claim_number(&ada, &edited, "+44 20 7946 0999")?;

    chapter("5. Ada answers, once: keep.");
    println!("   Ada on her phone            {}", ada.device.keep(&app.people, question.digest, "Ada", app.now())?);
    for _round in 0..2 {
        let held = app.sync([&mut ada, &mut ben], &mut server)?;
        claim(held == 0, "the answer trips no guard anywhere")?;
    }
    app.claim_everybody_is_on([&ada, &ben])?;
    app.claim_number(&ada, &edited, "+44 20 7946 0999")?;
    app.claim_all_agree_and_nobody_is_asked([&ada, &ben], &server)
}

/// What an app has around the library: its collection, the shape of its structs, and a source of time and ids. Here
/// these are made up, so that every run tells the same story.
struct App {
    people: CollectionId,
    shape: Shape,
    contacts: Vec<Contact>,
    ticks: Cell<u32>,
}

struct Phone {
    owner: &'static str,
    device: Device<MemoryStore>,
}

impl App {
    fn new(contacts: Vec<Contact>) -> Result<Self> {
        let shape = Shape::new().elements("phones", "id").elements("emails", "id").elements("addresses", "id");
        let shape = shape.elements("others", "id").set("groups");
        Ok(Self { people: CollectionId::new("people")?, shape, contacts, ticks: Cell::new(0) })
    }

    /// A contact without a name is as good as lost, so the guard is told which family that is.
    fn guard(&self) -> Guard {
        let people = Limits { identifying: Some("name".into()), ..Limits::STANDARD };
        Guard::default().with_collection(self.people.clone(), &people)
    }

    fn phone(&self, owner: &'static str, entropy: u128) -> Result<Phone> {
        let device = Device::new(MemoryStore::device(), ReplicaId::from_entropy(entropy)?, self.guard());
        Ok(Phone { owner, device })
    }

    fn server(&self, entropy: u128) -> Result<Server<MemoryStore>> {
        Ok(Server::new(MemoryStore::server(), ReplicaId::from_entropy(entropy)?, self.guard()))
    }

    fn tick(&self) -> u32 {
        self.ticks.set(self.ticks.get().saturating_add(1));
        self.ticks.get()
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_micros(i64::from(self.tick()))
    }

    fn fill(&self, phone: &mut Phone) -> Result<()> {
        for contact in &self.contacts {
            let id = RecordId::new(&contact.uid)?;
            let create = Write::create(self.people.clone(), id, contact, &self.shape, Cause::User)?;
            phone.device.write(&create, self.now())?;
        }
        Ok(())
    }

    /// One sync of each phone. Returns how many records were newly set aside, on the phones and on the server.
    fn sync<const N: usize>(&self, phones: [&mut Phone; N], server: &mut Server<MemoryStore>) -> Result<usize> {
        let mut held = 0_usize;
        for phone in phones {
            let round = Inputs::new(RoundId(self.tick().into()), Trust::Account);
            let done = exchange(&mut phone.device, server, &self.people, &round)?;
            for (way, receipt) in [("to the server", done.pushed.as_ref()), ("from the server", Some(&done.pulled))] {
                let Some(receipt) = receipt.filter(|receipt| !receipt.is_quiet()) else { continue };
                let report = receipt.to_string().replace('\n', "\n   ");
                println!("   {:<11}{way:<16}{report}", phone.owner);
                held = held.saturating_add(receipt.held.len());
            }
        }
        Ok(held)
    }

    fn ids(&self, phone: &Phone) -> Result<Vec<RecordId>> {
        Ok(phone.device.records(&self.people, None, usize::MAX)?)
    }

    fn read(&self, phone: &Phone, id: &RecordId) -> Result<Seen<Contact>> {
        let seen = phone.device.read(&self.people, id, &self.shape)?;
        Ok(seen.ok_or_else(|| format!("{} has lost {id}", phone.owner))?)
    }

    /// One by one, as a thief with the password would, or a clean-up gone wrong.
    fn delete_everybody(&self, phone: &mut Phone) -> Result<()> {
        for id in self.ids(phone)? {
            phone.device.write(&Write::delete(self.people.clone(), id, Cause::User), self.now())?;
        }
        claim(self.ids(phone)?.is_empty(), "the stranger's copy is empty")
    }

    fn add_number(&self, phone: &mut Phone, number: &str) -> Result<RecordId> {
        let id = RecordId::new(&self.contacts.first().ok_or("there is nobody")?.uid)?;
        let seen = self.read(phone, &id)?;
        let mut contact = seen.clone().into_inner();
        contact.phones.push(vcards::Phone { id: "new".into(), kind: "cell".into(), number: number.into() });
        phone.device.write(&seen.save(&contact, Cause::User)?, self.now())?;
        Ok(id)
    }

    /// What an app would put on the screen: the hold speaks of ids, the app knows the names.
    fn show(&self, hold: &Hold, phone: &Phone) -> Result<()> {
        let names = hold.open().take(3).map(|line| Ok(self.read(phone, &line.record)?.name.clone()));
        let names = names.collect::<Result<Vec<_>>>()?.join(", ");
        println!("\n   {} is shown this; by name it begins with {names}:\n", phone.owner);
        hold.to_string().lines().for_each(|line| println!("   | {line}"));
        Ok(())
    }

    fn claim_everybody_is_on<const N: usize>(&self, phones: [&Phone; N]) -> Result<()> {
        for phone in phones {
            for contact in &self.contacts {
                self.read(phone, &RecordId::new(&contact.uid)?)?;
            }
            claim(self.ids(phone)?.len() == self.contacts.len(), "there is nobody else")?;
            println!("   {:<11}has all {} people", phone.owner, self.contacts.len());
        }
        Ok(())
    }

    fn claim_number(&self, phone: &Phone, id: &RecordId, number: &str) -> Result<()> {
        let contact = self.read(phone, id)?;
        claim(contact.phones.iter().any(|phone| phone.number == number), "the new number is there")?;
        println!("   {:<11}reads the new number of {}", phone.owner, contact.name);
        Ok(())
    }

    fn claim_all_agree_and_nobody_is_asked(&self, phones: [&Phone; 2], server: &Server<MemoryStore>) -> Result<()> {
        let shown = server.since(&self.people, Default::default(), usize::MAX)?.offers;
        let shown: BTreeMap<_, _> = shown.iter().map(|offer| (&offer.record, offer.version.digest())).collect();
        claim(shown.len() == self.contacts.len(), "the server has everybody")?;
        claim(server.hold(&self.people)?.is_none(), "the server waits for no answer")?;
        for phone in phones {
            for id in self.ids(phone)? {
                let row = phone.device.row(&self.people, &id)?.ok_or("a row for every record")?;
                claim(shown.get(&id) == Some(&row.version.digest()), "the phone and the server hold the same")?;
            }
            claim(phone.device.hold(&self.people)?.is_none(), "nobody is asked any more")?;
        }
        println!("\nBoth phones and the server hold the same {} people. One person was asked, once.", shown.len());
        Ok(())
    }
}

fn chapter(title: &str) {
    println!("\n{title}");
}

fn claim(holds: bool, what: &str) -> Result<()> {
    if holds { Ok(()) } else { Err(format!("a claim does not hold: {what}").into()) }
}
