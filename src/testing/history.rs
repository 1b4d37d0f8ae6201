//! A history: what a seed draws. Each step stands by itself, so that any part of a history is one.

use alloc::vec::Vec;

use super::chance::{Chance, mixed};

/// A kind of step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Write,
    Answer,
    Sync,
    /// A whole session without a fault.
    Calm,
    /// A device deletes most of a collection and syncs, and so may another one: questions are open.
    Flood,
    Abort,
    Late,
    Day,
    Clock,
    Leave,
    /// "The server lost it, this device is right."
    Reseed,
    Image,
    RestoreDevice,
    CopyDevice,
    Backup,
    RestoreMarked,
    RestoreQuiet,
    Wipe,
    RowLoss,
    /// Rows are as they were in a backup, under an intact log.
    RowsBack,
    Swap,
    CatchUp,
    FailOver,
    /// The home is set back without a word, and goes on another way before all devices know.
    Fork,
}

/// One step. `word` decides all that is left open, modulo what there is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Op {
    pub(crate) kind: Kind,
    pub(crate) word: u64,
}

/// What the second server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Second {
    None,
    Follower,
    OtherHome,
}

/// How often what goes wrong, in a thousand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Rates {
    pub(crate) request_lost: u32,
    pub(crate) reply_lost: u32,
    pub(crate) request_twice: u32,
    pub(crate) reply_twice: u32,
    pub(crate) late_reply: u32,
    pub(crate) misdelivered: u32,
    pub(crate) device_down: u32,
    pub(crate) server_down: u32,
    pub(crate) unavailable: u32,
    pub(crate) barred: u32,
    pub(crate) other_server: u32,
    pub(crate) budget: u32,
    pub(crate) large: u32,
    pub(crate) away: u32,
}

/// What was drawn before there was anything else is drawn as before: other things come from a seed of their own.
const RESEEDS: u64 = 0x5eed_ed5e_ed5e_ed00;

/// Faults that a seed switches on or off.
const FAULTS: usize = 14;

impl Rates {
    fn draw(chance: &mut Chance) -> Self {
        let mut rates = Self::default();
        for at in 0..FAULTS {
            let rate = chance.pick(&[(5, 0), (2, 30), (2, 80), (1, 250)]).unwrap_or_default();
            rates.set(at, rate);
        }
        rates
    }

    fn set(&mut self, at: usize, rate: u32) {
        let place = match at {
            0 => &mut self.request_lost,
            1 => &mut self.reply_lost,
            2 => &mut self.request_twice,
            3 => &mut self.reply_twice,
            4 => &mut self.late_reply,
            5 => &mut self.misdelivered,
            6 => &mut self.device_down,
            7 => &mut self.server_down,
            8 => &mut self.unavailable,
            9 => &mut self.barred,
            10 => &mut self.other_server,
            11 => &mut self.budget,
            12 => &mut self.large,
            _ => &mut self.away,
        };
        *place = rate;
    }
}

/// What a history begins with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) devices: usize,
    pub(crate) collections: usize,
    pub(crate) records: usize,
    pub(crate) second: Second,
    pub(crate) page_bytes: usize,
    /// All devices hold all records when it begins.
    pub(crate) is_warm: bool,
    pub(crate) rates: Rates,
}

/// What a seed draws.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) seed: u64,
    pub(crate) setting: Setting,
    pub(crate) ops: Vec<Op>,
}

impl History {
    pub(crate) fn draw(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let setting = Setting {
            devices: chance.pick(&[(1, 1), (4, 2), (4, 3), (2, 4), (1, 5), (1, 6)]).unwrap_or(2),
            collections: chance.pick(&[(6, 1), (2, 2), (1, 3)]).unwrap_or(1),
            records: chance.pick(&[(200, 1), (300, 3), (400, 9), (300, 16), (100, 40), (6, 80), (2, 300)]).unwrap_or(3),
            second: chance
                .pick(&[(4, Second::None), (2, Second::Follower), (2, Second::OtherHome)])
                .unwrap_or(Second::None),
            page_bytes: chance.pick(&[(3, 256 << 10), (2, 400), (1, 150)]).unwrap_or(256 << 10),
            is_warm: chance.hits(800),
            rates: if chance.hits(250) { Rates::default() } else { Rates::draw(&mut chance) },
        };
        let kinds = kinds(&mut chance, setting.second);
        let steps = chance.between(5, 24);
        let op = |chance: &mut Chance| Some(Op { kind: chance.pick(&kinds)?, word: chance.next() });
        let mut ops: Vec<Op> = (0..steps).filter_map(|_| op(&mut chance)).collect();
        let mut chance = Chance::new(mixed(seed ^ RESEEDS));
        let reseeds = if chance.hits(300) { chance.between(1, 3) } else { 0 };
        for _ in 0..reseeds {
            let at = chance.between(0, ops.len());
            ops.insert(at, Op { kind: Kind::Reseed, word: chance.next() });
        }
        Self { seed, setting, ops }
    }

    /// The same without some of its steps.
    pub(crate) fn without(&self, from: usize, count: usize) -> Self {
        let kept = self.ops.iter().enumerate().filter(|(at, _)| *at < from || *at >= from + count);
        Self { ops: kept.map(|(_, op)| *op).collect(), ..self.clone() }
    }

    /// The same with less of what surrounds the steps, one way after another.
    pub(crate) fn simpler(&self) -> Vec<Self> {
        let Setting { devices, records, collections, rates, .. } = self.setting;
        let with = |setting: Setting| Self { setting, ..self.clone() };
        let mut simpler = Vec::new();
        if devices > 1 {
            simpler.push(with(Setting { devices: devices - 1, ..self.setting }));
        }
        if records > 1 {
            simpler.push(with(Setting { records: records / 2, ..self.setting }));
            simpler.push(with(Setting { records: records - 1, ..self.setting }));
        }
        if collections > 1 {
            simpler.push(with(Setting { collections: 1, ..self.setting }));
        }
        for at in 0..FAULTS {
            let mut fewer = rates;
            fewer.set(at, 0);
            if fewer == rates {
                continue;
            }
            simpler.push(with(Setting { rates: fewer, ..self.setting }));
        }
        simpler
    }
}

/// Which kinds of steps a history has, and how often.
fn kinds(chance: &mut Chance, second: Second) -> Vec<(u32, Kind)> {
    let mut kinds = Vec::from([(22, Kind::Write), (26, Kind::Sync), (8, Kind::Calm), (2, Kind::Answer)]);
    let loses = chance.hits(750);
    for kind in [
        Kind::Abort,
        Kind::Flood,
        Kind::Late,
        Kind::Day,
        Kind::Clock,
        Kind::Leave,
        Kind::Backup,
        Kind::RestoreMarked,
        Kind::RestoreQuiet,
        Kind::Wipe,
        Kind::RowLoss,
        Kind::RowsBack,
        Kind::Fork,
    ] {
        let is_loss = kind >= Kind::RestoreMarked;
        if (!is_loss || loses) && chance.hits(450) {
            kinds.push((chance.pick(&[(2, 2), (1, 5)]).unwrap_or(2), kind));
        }
        if kind == Kind::Backup && loses {
            kinds.push((3, kind));
        }
    }
    if chance.hits(300) {
        kinds.extend([(3, Kind::Image), (3, Kind::RestoreDevice), (2, Kind::CopyDevice)]);
    }
    match second {
        Second::None => {}
        Second::Follower => {
            kinds.push((4, Kind::CatchUp));
            if loses {
                kinds.push((2, Kind::FailOver));
            }
        }
        Second::OtherHome => {
            if loses {
                kinds.push((3, Kind::Swap));
            }
        }
    }
    kinds
}
