//! Random histories: devices and a server that write, sync, lose replies, repeat messages, hold, answer and undo.

use std::collections::BTreeSet;

use holdfast::{
    act::{receipt::Receipt, store::Store},
    decide::{
        changes::Changes,
        consent::{Trust, Verdict},
        guard::Inputs,
        ledger::RoundId,
        line::{LineKind, Revision},
        write::Write,
    },
    values::{register::Cause, time::Day},
};
use proptest::{
    prelude::*,
    test_runner::{FileFailurePersistence, RngSeed},
};

use crate::world::*;

pub(crate) const DEVICES: usize = 3;
pub(crate) const SERVER: usize = DEVICES;
const AT_START: usize = 20;
const RECORDS: usize = 26;
const RETENTION: u64 = 2;

/// One step of a history. Numbers are taken modulo what there is.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Create {
        device: usize,
        record: usize,
        cause: Cause,
    },
    Edit {
        device: usize,
        record: usize,
        field: usize,
        clear: bool,
        cause: Cause,
    },
    Delete {
        device: usize,
        record: usize,
    },
    /// Single deletes, too many for a round.
    Storm {
        device: usize,
        first: usize,
        count: usize,
    },
    DeleteMany {
        device: usize,
        first: usize,
        count: usize,
    },
    Restore {
        device: usize,
        record: usize,
    },
    /// Clears the same field in many records.
    Blank {
        device: usize,
        first: usize,
        field: usize,
    },
    Push {
        device: usize,
        reply_lost: bool,
    },
    Pull {
        device: usize,
        limit: usize,
    },
    /// An old message arrives once more, and late.
    Again {
        message: usize,
    },
    Answer {
        device: usize,
        verdict: Verdict,
    },
    Undo {
        device: usize,
        back: usize,
    },
    Day {
        side: usize,
    },
}

/// What a step did, for those who watch.
pub(crate) enum Event {
    Wrote { side: usize, before: Rows, after: Rows },
    Built { message: usize, side: usize },
    Delivered { message: usize, to: usize, receipt: Receipt },
    Purged { before: Rows, after: Rows },
}

pub(crate) struct Message {
    pub(crate) to: usize,
    pub(crate) changes: Changes,
}

/// What a run went through, so that no property holds of nothing.
#[derive(Debug, Default, Clone)]
pub(crate) struct Coverage {
    pub(crate) held: usize,
    pub(crate) hidden: usize,
    pub(crate) revived: usize,
    pub(crate) purged: usize,
    pub(crate) conflicts: usize,
    pub(crate) answers: usize,
    pub(crate) undone: usize,
    pub(crate) repeated: usize,
}

pub(crate) struct Cluster {
    pub(crate) devices: Vec<Phone>,
    pub(crate) server: Cloud,
    pub(crate) mail: Vec<Message>,
    pub(crate) coverage: Coverage,
    clock: fn(usize, i64) -> i64,
    round: u128,
    writes: i64,
    days: Vec<i64>,
    receipts: Vec<Vec<Receipt>>,
}

pub(crate) fn steady(_: usize, write: i64) -> i64 {
    write
}

impl Cluster {
    pub(crate) fn new(clock: fn(usize, i64) -> i64) -> Self {
        let devices = (1..).take(DEVICES).map(phone).collect();
        let mut cluster = Self {
            devices,
            server: cloud(),
            mail: Vec::new(),
            coverage: Coverage::default(),
            clock,
            round: 0,
            writes: 0,
            days: vec![0; DEVICES + 1],
            receipts: vec![Vec::new(); DEVICES],
        };
        for record in 0..AT_START {
            let _ = cluster.play(&Op::Create { device: 0, record, cause: Cause::User });
        }
        let _ = cluster.settle();
        cluster
    }

    /// Two rounds of all devices, with no fault.
    pub(crate) fn settle(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        for device in (0..DEVICES).chain(0..DEVICES) {
            events.extend(self.play(&Op::Push { device, reply_lost: false }));
            events.extend(self.play(&Op::Pull { device, limit: usize::MAX }));
        }
        events
    }

    pub(crate) fn rows(&self, side: usize) -> Rows {
        self.devices.get(side).map_or_else(|| rows(self.server.store()), |device| rows(device.store()))
    }

    pub(crate) fn all_rows(&self) -> Vec<Rows> {
        (0..=SERVER).map(|side| self.rows(side)).collect()
    }

    pub(crate) fn play(&mut self, op: &Op) -> Vec<Event> {
        match op {
            Op::Push { device, reply_lost } => self.push(device % DEVICES, *reply_lost),
            Op::Pull { device, limit } => self.pull(device % DEVICES, *limit),
            Op::Again { message } => self.again(*message),
            Op::Day { side } => self.day(side % (DEVICES + 1)),
            Op::Answer { device, verdict } => self.answer(device % DEVICES, *verdict),
            Op::Undo { device, back } => self.undo(device % DEVICES, *back),
            _ => self.write(op),
        }
    }

    fn write(&mut self, op: &Op) -> Vec<Event> {
        self.writes += 1;
        let (Op::Create { device, .. }
        | Op::Edit { device, .. }
        | Op::Delete { device, .. }
        | Op::Storm { device, .. }
        | Op::DeleteMany { device, .. }
        | Op::Restore { device, .. }
        | Op::Blank { device, .. }) = op
        else {
            unreachable!("no write: {op:?}")
        };
        let side = device % DEVICES;
        let now = at((self.clock)(side, self.writes));
        let text = format!("v{}", self.writes);
        let device = &mut self.devices[side];
        let before = rows(device.store());
        let many = |first: &usize, count: usize| {
            let first = *first;
            (0..count).map(move |n| rec((first + n) % RECORDS))
        };
        let edit = |device: &mut Phone, record, field: usize, value, cause| {
            edit_as(device, &people(), &record, &[(FIELDS[field % FIELDS.len()], value)], (cause, now))
        };
        match op {
            Op::Create { record, cause, .. } => {
                let filled = fields(&[("name", &text), ("phone", &text), ("town", "Kiel")]);
                let write = Write::create_fields(people(), rec(record % RECORDS), filled, *cause);
                let _ = device.write(&write, now);
            }
            Op::Edit { record, field, clear, cause, .. } => {
                let value = (!clear).then_some(text.as_str());
                let _ = edit(device, rec(record % RECORDS), *field, value, *cause);
            }
            Op::Blank { first, field, .. } => {
                many(first, 9).for_each(|record| drop(edit(device, record, *field, None, Cause::User)));
            }
            Op::Delete { record, .. } => {
                let _ = device.write(&Write::delete(people(), rec(record % RECORDS), Cause::User), now);
            }
            Op::Storm { first, count, .. } => {
                for record in many(first, *count) {
                    let _ = device.write(&Write::delete(people(), record, Cause::User), now);
                }
            }
            Op::DeleteMany { first, count, .. } => {
                let alive = |record: &_| before.get(record).is_some_and(|row| row.version.is_alive());
                let records = many(first, *count).filter(alive).collect();
                let _ = device.write(&Write::delete_many(people(), records, Cause::User), now).unwrap();
            }
            Op::Restore { record, .. } => {
                let _ = device.write(&Write::restore(people(), rec(record % RECORDS)), now);
            }
            _ => {}
        }
        let after = rows(device.store());
        let dead = |rows: &Rows, record| rows.get(record).is_some_and(|row| !row.version.is_alive());
        let revived = after.iter().filter(|(record, row)| row.version.is_alive() && dead(&before, record));
        self.coverage.revived += revived.count();
        vec![Event::Wrote { side, before, after }]
    }

    fn inputs(&mut self) -> Inputs<'static> {
        self.round += 1;
        Inputs::new(RoundId(self.round), Trust::Account)
    }

    fn push(&mut self, device: usize, reply_lost: bool) -> Vec<Event> {
        let changes = self.devices[device].pending(&people(), usize::MAX).unwrap();
        if changes.offers.is_empty() {
            return Vec::new();
        }
        self.mail.push(Message { to: SERVER, changes });
        let message = self.mail.len() - 1;
        let (event, reply) = self.deliver(message);
        if let Some(reply) = reply.filter(|_| !reply_lost) {
            self.devices[device].acknowledged(&reply).unwrap();
        }
        vec![Event::Built { message, side: device }, event]
    }

    fn pull(&mut self, device: usize, limit: usize) -> Vec<Event> {
        let taken = self.devices[device].taken(&people(), self.server.replica()).unwrap();
        let changes = self.server.since(&people(), taken, limit).unwrap();
        self.mail.push(Message { to: device, changes });
        let message = self.mail.len() - 1;
        let (event, _) = self.deliver(message);
        vec![Event::Built { message, side: SERVER }, event]
    }

    fn again(&mut self, message: usize) -> Vec<Event> {
        if self.mail.is_empty() {
            return Vec::new();
        }
        self.coverage.repeated += 1;
        let (event, _) = self.deliver(message % self.mail.len());
        vec![event]
    }

    fn deliver(&mut self, message: usize) -> (Event, Option<holdfast::decide::changes::Acknowledgement>) {
        let inputs = self.inputs();
        let Message { to, changes } = &self.mail[message];
        let (to, changes) = (*to, changes.clone());
        let (receipt, reply) = if to == SERVER {
            let (receipt, reply) = self.server.take_in(changes, &inputs).unwrap();
            (receipt, Some(reply))
        } else {
            let receipt = self.devices[to].take_in(changes, &inputs).unwrap();
            self.receipts[to].push(receipt.clone());
            (receipt, None)
        };
        self.coverage.held += receipt.held.len();
        self.coverage.hidden += receipt.count(holdfast::act::receipt::Effect::Hidden);
        self.coverage.conflicts += receipt.changes.iter().filter(|change| !change.conflicts.is_empty()).count();
        (Event::Delivered { message, to, receipt }, reply)
    }

    fn answer(&mut self, side: usize, verdict: Verdict) -> Vec<Event> {
        self.writes += 1;
        let now = at((self.clock)(side, self.writes));
        let device = &mut self.devices[side];
        let Some(hold) = device.hold(&people()).unwrap() else { return Vec::new() };
        let before = rows(device.store());
        let _ = match verdict {
            Verdict::Consent => device.consent(&people(), hold.digest, "ada", now).unwrap(),
            Verdict::Keep => device.keep(&people(), hold.digest, "ada", now).unwrap(),
        };
        self.coverage.answers += 1;
        vec![Event::Wrote { side, before, after: self.rows(side) }]
    }

    fn undo(&mut self, side: usize, back: usize) -> Vec<Event> {
        self.writes += 1;
        let now = at((self.clock)(side, self.writes));
        let known = self.receipts[side].iter().rev().filter_map(|receipt| receipt.id.clone()).nth(back);
        let Some(id) = known else { return Vec::new() };
        let before = self.rows(side);
        let undone = self.devices[side].undo(&id, "ada", now);
        self.coverage.undone += usize::from(undone.is_ok_and(|receipt| !receipt.changes.is_empty()));
        vec![Event::Wrote { side, before, after: self.rows(side) }]
    }

    fn day(&mut self, side: usize) -> Vec<Event> {
        self.days[side] += 1;
        let today = Day(self.days[side]);
        let before = self.rows(side);
        let _ = match self.devices.get_mut(side) {
            Some(device) => device.pass_day(&people(), today, RETENTION).unwrap(),
            None => self.server.pass_day(&people(), today, RETENTION).unwrap(),
        };
        let after = self.rows(side);
        let emptied = |row: &holdfast::decide::row::Row| row.version.field_heads().is_empty();
        self.coverage.purged += after.values().filter(|row| emptied(row) && !emptied(&before[&row.record])).count();
        vec![Event::Purged { before, after }]
    }

    /// Answers every open question, one device after the other, with two rounds after each answer. Returns how many
    /// answers it took.
    pub(crate) fn answer_all(&mut self, verdict: Verdict) -> usize {
        let mut answers = 0;
        for device in 0..DEVICES {
            if !self.answer(device, verdict).is_empty() {
                answers += 1;
                let _ = self.settle();
            }
        }
        answers
    }

    pub(crate) fn open_lines(&self) -> BTreeSet<(usize, String, LineKind)> {
        let of = |side: usize| {
            let hold = match self.devices.get(side) {
                Some(device) => device.hold(&people()).unwrap(),
                None => self.server.hold(&people()).unwrap(),
            };
            let open = hold.into_iter().flat_map(|hold| hold.open().cloned().collect::<Vec<_>>());
            open.map(move |line| (side, line.record.to_string(), line.kind)).collect::<Vec<_>>()
        };
        (0..=SERVER).flat_map(of).collect()
    }

    pub(crate) fn revisions(&self) -> Vec<Revision> {
        let head = |store: &holdfast::act::memory::MemoryStore| {
            store.read(&holdfast::decide::slice::ReadSet::head(people())).unwrap().head.revision
        };
        self.devices.iter().map(Phone::store).chain([self.server.store()]).map(head).collect()
    }
}

pub(crate) const FIELDS: [&str; 4] = ["name", "phone", "town", "note"];

fn cause() -> impl Strategy<Value = Cause> {
    prop_oneof![6 => Just(Cause::User), 1 => Just(Cause::App), 1 => Just(Cause::Import), 1 => Just(Cause::Listing)]
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![Just(Verdict::Consent), Just(Verdict::Keep)]
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    let device = 0..DEVICES;
    // A few records that everybody works on, so that writes meet.
    let record = || prop_oneof![3 => 0..3_usize, 1 => 0..RECORDS];
    let at = || (device.clone(), record());
    let field = || prop_oneof![2 => Just(0_usize), 1 => 1..4_usize];
    prop_oneof![
        2 => (at(), cause()).prop_map(|((device, record), cause)| Op::Create { device, record, cause }),
        9 => (at(), field(), prop::bool::weighted(0.3), cause())
            .prop_map(|((device, record), field, clear, cause)| Op::Edit { device, record, field, clear, cause }),
        3 => at().prop_map(|(device, record)| Op::Delete { device, record }),
        2 => (at(), 3..14_usize).prop_map(|((device, first), count)| Op::Storm { device, first, count }),
        1 => (at(), 2..9_usize).prop_map(|((device, first), count)| Op::DeleteMany { device, first, count }),
        2 => at().prop_map(|(device, record)| Op::Restore { device, record }),
        1 => (at(), field()).prop_map(|((device, first), field)| Op::Blank { device, first, field }),
        6 => (device.clone(), any::<bool>()).prop_map(|(device, reply_lost)| Op::Push { device, reply_lost }),
        6 => (device.clone(), prop_oneof![Just(1), Just(usize::MAX)])
            .prop_map(|(device, limit)| Op::Pull { device, limit }),
        4 => any::<usize>().prop_map(|message| Op::Again { message }),
        2 => (device.clone(), verdict()).prop_map(|(device, verdict)| Op::Answer { device, verdict }),
        1 => (device.clone(), 0..3_usize).prop_map(|(device, back)| Op::Undo { device, back }),
        2 => (0..=SERVER).prop_map(|side| Op::Day { side }),
    ]
}

pub(crate) fn history(steps: usize) -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(op(), 1..steps * 3 / 2)
}

/// The run of every day is the same every day; with `PROPTEST_CASES` set, the histories are ones never seen.
pub(crate) fn everyday_seed() -> RngSeed {
    if std::env::var_os("PROPTEST_CASES").is_some() { RngSeed::Random } else { RngSeed::Fixed(2009) }
}

/// Runs a check on many random histories and adds up what they went through.
pub(crate) fn explore(cases: u32, steps: usize, check: impl Fn(&[Op]) -> Result<Coverage, TestCaseError>) -> Coverage {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(cases);
    let total = std::cell::RefCell::new(Coverage::default());
    let seeds = Box::new(FileFailurePersistence::Direct("tests/promise/regressions/histories.txt"));
    let config = ProptestConfig {
        failure_persistence: Some(seeds),
        max_shrink_iters: 2_000,
        rng_seed: everyday_seed(),
        ..ProptestConfig::with_cases(cases)
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let outcome = runner.run(&history(steps), |ops| {
        let new = check(&ops)?;
        total.borrow_mut().add(&new);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    total.into_inner()
}

impl Coverage {
    fn add(&mut self, new: &Self) {
        self.held += new.held;
        self.hidden += new.hidden;
        self.revived += new.revived;
        self.purged += new.purged;
        self.conflicts += new.conflicts;
        self.answers += new.answers;
        self.undone += new.undone;
        self.repeated += new.repeated;
    }

    /// Stops if some kind of event never happened: then the property has held of less than it says.
    pub(crate) fn assert_full(&self) {
        let Self { held, hidden, revived, purged, conflicts, answers, undone, repeated } = *self;
        let all = [held, hidden, revived, purged, conflicts, answers, undone, repeated];
        assert!(all.iter().all(|count| *count > 0), "something never happened: {self:?}");
    }
}
