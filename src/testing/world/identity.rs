//! Devices that are restored, copied, and given another id.

use alloc::{format, vec::Vec};

use super::{Phone, World, write::crashed};
use crate::compose::{device::identity::TakeOverFailed, device_session::Report};
use crate::decide::row::Row;
use crate::testing::{
    chance::Chance,
    failure::{Broken, HARNESS, broken},
    ghost::{Why, Writer, name},
};

/// Images of devices that are kept.
const KEPT: usize = 4;

impl World {
    /// An image of a device is made.
    pub(super) fn image(&mut self, chance: &mut Chance) -> Result<(), Broken> {
        let at = chance.below(self.setting.devices);
        self.keep_image(at)?;
        self.say(|| format!("{}: an image of the device is made", name(at)));
        Ok(())
    }

    fn keep_image(&mut self, at: usize) -> Result<Phone, Broken> {
        let image = self.phone(at)?.clone();
        // From now on, the device writes what its image does not have.
        let install = self.ghost.installs.copy(image.writer.install);
        self.phone_mut(at)?.writer.install = install;
        if self.images.len() >= KEPT {
            self.images.remove(1);
        }
        self.images.push((at, image.clone()));
        Ok(image)
    }

    /// A device is set back to an image of it. Who notices gives it another id.
    pub(super) fn restore_device(&mut self, chance: &mut Chance) -> Result<(), Broken> {
        let Some((at, image)) = self.images.get(chance.below(self.images.len())).cloned() else { return Ok(()) };
        let is_noticed = chance.hits(400);
        let fault = match is_noticed {
            true => "a device is restored, and takes another id",
            false => "a device is restored under its id",
        };
        self.begin_from(at, image, is_noticed, fault)
    }

    /// A device begins as a copy of another one, which goes on.
    pub(super) fn copy_device(&mut self, chance: &mut Chance) -> Result<(), Broken> {
        if self.setting.devices < 2 {
            return Ok(());
        }
        let of = chance.below(self.setting.devices);
        let at = (of + chance.between(1, self.setting.devices - 1)) % self.setting.devices;
        let image = self.keep_image(of)?;
        let is_noticed = chance.hits(300);
        let fault = match is_noticed {
            true => "a device is copied, and the copy takes another id",
            false => "a device is copied, and both have one id",
        };
        self.say(|| format!("{} is copied to {}", name(of), name(at)));
        self.begin_from(at, image, is_noticed, fault)?;
        // Both go on with the same few records.
        for at in [of, at] {
            self.take_over(at, chance)?;
            for _ in 0..chance.below(3) {
                self.edit_some(at, chance)?;
            }
        }
        Ok(())
    }

    fn begin_from(&mut self, at: usize, image: Phone, is_noticed: bool, fault: &'static str) -> Result<(), Broken> {
        self.drop_session(at);
        let before = self.device_rows(at)?;
        let install = self.ghost.installs.copy(image.writer.install);
        let (id, own) = if is_noticed { self.mint()? } else { (image.id, image.writer.own) };
        if !is_noticed {
            self.ghost.installs.share(own);
        }
        *self.phone_mut(at)? = Phone { id, writer: Writer { own, install }, ..image };
        let after = self.device_rows(at)?;
        self.summary.fault(fault);
        self.say(|| format!("{}: {fault}", name(at)));
        self.ghost.damage(at, &before, &after)
    }

    fn device_rows(&self, at: usize) -> Result<Vec<(u8, Row)>, Broken> {
        let disk = &self.phone(at)?.disk;
        let rows = (0_u8..).zip(&self.names.collections);
        Ok(rows.flat_map(|(place, of)| disk.rows(of).into_iter().map(move |row| (place, row))).collect())
    }

    /// An id that nobody has had.
    fn mint(&mut self) -> Result<(crate::values::id::ReplicaId, u8), Broken> {
        let own = u8::try_from(self.ids).map_err(|_| Broken { check: HARNESS, what: format!("{} ids", self.ids) })?;
        let id = self.names.replica(self.ids)?;
        self.ids += 1;
        Ok((id, own))
    }

    /// Whether the store of a device was written under another id.
    pub(super) fn owes_takeover(&mut self, at: usize) -> Result<bool, Broken> {
        let id = self.phone(at)?.id;
        for of in self.names.clone().collections.clone() {
            let author = self.device(at)?.author(&of);
            if author.is_ok_and(|author| author.is_some_and(|author| author != id)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The device takes over what its store has written under another id, if it has.
    pub(super) fn take_over(&mut self, at: usize, chance: &mut Chance) -> Result<(), Broken> {
        for of in self.names.clone().collections.clone() {
            let crash = self.crash(chance, self.setting.rates.device_down);
            self.phone_mut(at)?.disk.crash = crash;
            let taken = self.device(at)?.take_over(&of);
            self.absorb(at, Why::Renamed)?;
            match taken {
                Ok(Some(receipt)) => {
                    self.summary.check("S5 collections taken over under another id");
                    if !receipt.changes.is_empty() {
                        return broken("S2", format!("{}: another id changes what is shown of {of}", name(at)));
                    }
                    self.say(|| format!("{}: takes {of} over: {receipt}", name(at)));
                }
                Ok(None) => {}
                Err(TakeOverFailed::Commit(error)) if crashed(&error) => return Ok(()),
                Err(error) => return broken("S5", format!("{}: {error}", name(at))),
            }
        }
        Ok(())
    }

    /// What a session learned of the device's id: it takes another one where it must, and only there.
    pub(super) fn check_identity(&mut self, at: usize, report: &Report) -> Result<(), Broken> {
        if report.collections.iter().all(|found| found.conflict.is_none()) {
            return Ok(());
        }
        let own = self.phone(at)?.writer.own;
        if !self.ghost.installs.is_shared(own) {
            return broken("S5", format!("{}: its id is said to be in use elsewhere, and is not", name(at)));
        }
        self.summary.check("S5 ids found in use elsewhere");
        let (id, own) = self.mint()?;
        let phone = self.phone_mut(at)?;
        (phone.id, phone.writer.own) = (id, own);
        self.say(|| format!("{}: takes another id", name(at)));
        let mut chance = Chance::new(self.draws);
        self.take_over(at, &mut chance)
    }
}
