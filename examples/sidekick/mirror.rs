//! A plain mirror sync, for comparison: what was written since goes up, and then the phone becomes what the server shows.
//!
//! It is what many syncs are at heart, and all is well for as long as the server is. Its copy on the phone is a cache, as it
//! was in 2009: a restart drops it, and the next sync fills it again.

use std::collections::BTreeMap;

use super::{
    house::{House, Result, Synced},
    records::{Contents, Edit, Item, Key, Kind},
};

#[derive(Debug, Default)]
pub(crate) struct Mirror {
    phones: Vec<Phone>,
    server: Contents,
    backups: BTreeMap<&'static str, Contents>,
}

#[derive(Debug, Default)]
struct Phone {
    shown: Contents,
    /// `None` for a delete.
    unsent: Vec<(Key, Option<Item>)>,
}

/// The whole of a plain mirror sync.
fn mirror(phone: &mut Phone, server: &mut Contents) {
    for (key, written) in phone.unsent.drain(..) {
        match written {
            Some(item) => drop(server.insert(key, item)),
            None => drop(server.remove(&key)),
        }
    }
    phone.shown = server.clone();
}

impl Mirror {
    pub(crate) fn new(phones: usize) -> Self {
        Self { phones: (0..phones).map(|_| Phone::default()).collect(), ..Self::default() }
    }

    fn at(&mut self, phone: usize) -> Result<&mut Phone> {
        Ok(self.phones.get_mut(phone).ok_or("there is no such phone")?)
    }
}

impl House for Mirror {
    fn create(&mut self, phone: usize, key: &Key, item: &Item) -> Result<()> {
        let phone = self.at(phone)?;
        phone.shown.insert(key.clone(), item.clone());
        phone.unsent.push((key.clone(), Some(item.clone())));
        Ok(())
    }

    fn edit(&mut self, phone: usize, key: &Key, edit: &Edit) -> Result<()> {
        let phone = self.at(phone)?;
        if let Some(item) = phone.shown.get_mut(key) {
            item.apply(edit);
            phone.unsent.push((key.clone(), Some(item.clone())));
        }
        Ok(())
    }

    fn delete(&mut self, phone: usize, key: &Key) -> Result<()> {
        let phone = self.at(phone)?;
        if phone.shown.remove(key).is_some() {
            phone.unsent.push((key.clone(), None));
        }
        Ok(())
    }

    fn sync(&mut self, phone: usize) -> Result<Synced> {
        mirror(self.phones.get_mut(phone).ok_or("there is no such phone")?, &mut self.server);
        Ok(Synced::default())
    }

    fn restart(&mut self, phone: usize) -> Result<()> {
        *self.at(phone)? = Phone::default();
        Ok(())
    }

    fn reinstall(&mut self, phone: usize) -> Result<()> {
        self.restart(phone)
    }

    fn buy_phone(&mut self) -> Result<()> {
        self.phones.push(Phone::default());
        Ok(())
    }

    fn back_up(&mut self, name: &'static str) {
        self.backups.insert(name, self.server.clone());
    }

    fn restore(&mut self, name: Option<&'static str>) {
        self.server = name.and_then(|name| self.backups.get(name)).cloned().unwrap_or_default();
    }

    fn pass_days(&mut self, _days: u32, _phones: &[usize]) -> Result<()> {
        Ok(())
    }

    fn rebuilt(&self, _kind: Kind) -> Result<Option<String>> {
        Ok(None)
    }

    fn phone(&self, phone: usize) -> Result<Contents> {
        Ok(self.phones.get(phone).ok_or("there is no such phone")?.shown.clone())
    }

    fn server(&self) -> Result<Contents> {
        Ok(self.server.clone())
    }
}
