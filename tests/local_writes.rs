//! Reading through an app's structs, and saving them back.

use holdfast::{
    act::memory::MemoryStore,
    compose::device::Device,
    decide::{
        guard::Guard,
        write::{Seen, Write},
    },
    values::{
        id::{CollectionId, IdError, RecordId, ReplicaId},
        register::Cause,
        shape::Shape,
        time::Timestamp,
    },
};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct NewPhone {
    id: String,
    number: String,
    extension: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct NewContact {
    name: String,
    nickname: Option<String>,
    tel: Vec<NewPhone>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct OldPhone {
    id: String,
    number: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct OldContact {
    name: String,
    tel: Vec<OldPhone>,
}

fn start() -> Result<(Device<MemoryStore>, CollectionId, RecordId, Shape), IdError> {
    let device = Device::new(MemoryStore::device(), ReplicaId::from_entropy(1)?, Guard::default());
    Ok((device, CollectionId::new("people")?, RecordId::new("ada")?, Shape::new().elements("tel", "id")))
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

fn phone(number: &str, extension: Option<&str>) -> NewPhone {
    NewPhone { id: "home".into(), number: number.into(), extension: extension.map(Into::into) }
}

#[test]
fn an_older_app_keeps_what_it_has_no_name_for_even_inside_an_element_that_it_edits() {
    let (mut device, people, ada, shape) = start().unwrap();
    let new = NewContact { name: "Ada".into(), nickname: Some("Countess".into()), tel: vec![phone("1", Some("42"))] };
    device.write(&Write::create(people.clone(), ada.clone(), &new, &shape, Cause::User).unwrap(), at(1)).unwrap();

    let seen: Seen<OldContact> = device.read(&people, &ada, &shape).unwrap().unwrap();
    device.write(&seen.edit(|old| old.tel[0].number = "2".into(), Cause::User).unwrap(), at(2)).unwrap();

    let seen: Seen<NewContact> = device.read(&people, &ada, &shape).unwrap().unwrap();
    assert_eq!(*seen, NewContact { tel: vec![phone("2", Some("42"))], ..new });
}

#[test]
fn an_app_that_knows_an_entry_can_clear_it_inside_an_element() {
    let (mut device, people, ada, shape) = start().unwrap();
    let new = NewContact { name: "Ada".into(), nickname: None, tel: vec![phone("1", Some("42"))] };
    device.write(&Write::create(people.clone(), ada.clone(), &new, &shape, Cause::User).unwrap(), at(1)).unwrap();

    let seen: Seen<NewContact> = device.read(&people, &ada, &shape).unwrap().unwrap();
    let cleared = NewContact { tel: vec![phone("1", None)], ..new };
    device.write(&seen.save(&cleared, Cause::User).unwrap(), at(2)).unwrap();

    let seen: Seen<NewContact> = device.read(&people, &ada, &shape).unwrap().unwrap();
    assert_eq!(*seen, cleared);
}

#[test]
fn saving_what_was_read_writes_nothing() {
    let (mut device, people, ada, shape) = start().unwrap();
    let new = NewContact { name: "Ada".into(), nickname: None, tel: vec![phone("1", None)] };
    device.write(&Write::create(people.clone(), ada.clone(), &new, &shape, Cause::User).unwrap(), at(1)).unwrap();
    let before = format!("{:?}", device.store());

    let seen: Seen<NewContact> = device.read(&people, &ada, &shape).unwrap().unwrap();
    let receipt = device.write(&seen.save(&seen, Cause::User).unwrap(), at(2)).unwrap();

    assert!(receipt.is_quiet());
    assert_eq!(format!("{:?}", device.store()), before);
}
