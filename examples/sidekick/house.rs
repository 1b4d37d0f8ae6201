//! A household: phones and the server that they sync with. The drills know no more of a sync engine than this.

use std::{collections::BTreeMap, error::Error};

use super::records::{Contents, Edit, Item, Key, Kind};

pub(crate) type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// Phones are known by their place, from 0.
pub(crate) trait House {
    /// Somebody writes down something new. The phone may be without signal.
    fn create(&mut self, phone: usize, key: &Key, item: &Item) -> Result<()>;
    /// Somebody changes what their phone shows; nothing, if it does not show it.
    fn edit(&mut self, phone: usize, key: &Key, edit: &Edit) -> Result<()>;
    /// Somebody deletes what their phone shows; nothing, if it does not show it.
    fn delete(&mut self, phone: usize, key: &Key) -> Result<()>;

    fn sync(&mut self, phone: usize) -> Result<Synced>;

    /// The phone is switched off and on.
    fn restart(&mut self, phone: usize) -> Result<()>;
    /// The phone is set up from nothing.
    fn reinstall(&mut self, phone: usize) -> Result<()>;
    /// One more phone, with nothing on it.
    fn buy_phone(&mut self) -> Result<()>;

    fn back_up(&mut self, name: &'static str);
    /// The server is what it was at that backup. Without one, an empty server answers.
    fn restore(&mut self, name: Option<&'static str>);
    /// Days pass at the server and on these phones.
    fn pass_days(&mut self, days: u32, phones: &[usize]) -> Result<()>;

    /// What the server says of how a collection is rebuilt, if it knows that anything was lost.
    fn rebuilt(&self, kind: Kind) -> Result<Option<String>>;

    /// What a phone shows.
    fn phone(&self, phone: usize) -> Result<Contents>;
    /// What the server would show to anybody.
    fn server(&self) -> Result<Contents>;
}

/// A loss of the server's, in the engine's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) loss: String,
    pub(crate) evidence: String,
}

/// What a sync said.
#[derive(Debug, Default)]
pub(crate) struct Synced {
    /// In which collections the server was found to have lost something.
    pub(crate) named: BTreeMap<Kind, Named>,
    /// The report of each collection.
    pub(crate) reports: BTreeMap<Kind, String>,
    /// Records that the phone sent.
    pub(crate) sent: u64,
    /// What the person is asked on this phone afterwards.
    pub(crate) questions: Vec<String>,
}
