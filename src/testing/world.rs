//! Devices, servers and the network between them, from one seed.

mod compare;
mod host;
mod identity;
mod reseed;
mod serve;
mod session;
mod settle;
mod shadow;
mod sync;
mod write;

use alloc::{
    borrow::ToOwned,
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    sync::Arc,
    vec::Vec,
};

use super::{
    chance::{Chance, mixed},
    disk::{Commit, Disk},
    failure::{Broken, Failure, HARNESS, Summary},
    ghost::{Ghost, Why, Writer, name},
    history::{History, Kind, Op, Second, Setting},
    names::{HOME, Names, REPLICAS},
    truth::{Timeline, Truth},
};
use crate::act::memory::MemoryStore;
use crate::compose::{device::Device, device_session::DeviceSession};
use crate::decide::{guard::Guard, line::Revision, position::PositionKey};
use crate::talk::{frame::ReplyFrame, limits::WireLimits};
use crate::values::{
    entropy::Entropy,
    id::{AccountId, RecordId, ReplicaId},
    time::DayTick,
    version_vector::VersionVector,
};

/// Bytes of a record that may cross, where some are larger.
const LARGEST: usize = 4_000;

/// Devices and servers that write, sync, fail, lose and are restored, with a ghost beside them that knows what really
/// happened and checks every step.
///
/// One to six devices and one or two servers hold one account of one to three collections. Sessions are real ones, in
/// frames over a network that loses, repeats and delays; hosts go down around commits; servers are emptied, set back
/// with and without a word, fail over to a copy that lags, or lose rows under an intact log. People answer questions, and
/// some say that the server lost it and their device is right. Which of these happen, and how often, is drawn from the seed,
/// so each history has its own kind of trouble.
///
/// After every step the promises of the crate are checked, each under its letter. When the history is over the faults stop,
/// and the replicas must agree within two rounds.
///
/// ```
/// use holdfast::testing::{Summary, World};
///
/// let mut all = Summary::default();
/// for seed in 0..3 {
///     match World::run(seed) {
///         Ok(summary) => all.add(&summary),
///         Err(failure) => panic!("{failure}"), // the seed, the promise, and the shortest way to break it, line by line
///     }
/// }
/// assert_eq!(all.histories, 3);
///
/// // Or step by step, to look at what happens:
/// let mut world = World::new(7)?;
/// while world.step()? {}
/// assert!(world.summary().sessions > 0);
/// assert!(!world.timeline().is_empty());
/// # Ok::<(), holdfast::testing::Failure>(())
/// ```
#[derive(Debug)]
pub struct World {
    seed: u64,
    setting: Setting,
    ops: Vec<Op>,
    next: usize,
    is_over: bool,
    names: Arc<Names>,
    guard: Guard,
    limits: WireLimits,
    key: PositionKey,
    account: AccountId,
    other_account: AccountId,
    phones: Vec<Phone>,
    clouds: Vec<Cloud>,
    /// Which server answers under the account's address.
    home: usize,
    live: Vec<Option<Live>>,
    ghost: Ghost,
    truth: Truth,
    /// Requests that were sent, and by whom.
    requests: Vec<(usize, Vec<u8>)>,
    replies: Vec<Arc<Served>>,
    backups: Vec<Backup>,
    /// Images of devices, with the place of each.
    images: Vec<(usize, Phone)>,
    /// The next id that nobody has had.
    ids: usize,
    draws: u64,
    time: i64,
    /// No faults.
    is_calm: bool,
    /// A host goes down around one commit in so many.
    crash_every: Option<usize>,
    summary: Summary,
    timeline: Option<Vec<String>>,
}

/// A device.
#[derive(Debug, Clone)]
struct Phone {
    disk: Disk,
    id: ReplicaId,
    writer: Writer,
    /// How far its clock is off.
    skew: i64,
    day: i64,
    subscribed: BTreeSet<usize>,
    /// What it can bring back (S20): commits that replaced something, by collection, with the tick that they were made at.
    shadow: BTreeMap<(u8, Revision), DayTick>,
    /// Collections of which it was told that the server lost something.
    accused: BTreeSet<usize>,
    /// Collections in which its person said that it is right, and no session was over since.
    right: BTreeSet<usize>,
}

/// A server.
#[derive(Debug, Clone)]
struct Cloud {
    disk: Disk,
    id: ReplicaId,
    day: i64,
}

/// A backup of a server.
#[derive(Debug, Clone)]
struct Backup {
    store: MemoryStore,
    timeline: Timeline,
    torn: BTreeSet<(u8, u16)>,
}

/// A session that is under way.
#[derive(Debug)]
struct Live {
    session: DeviceSession,
    collections: Vec<usize>,
    /// It talks to the other server.
    is_away: bool,
    /// The last one that answered.
    server: usize,
    epoch: u64,
    grants_audit: bool,
    polls: usize,
    requests: usize,
    last_request: u64,
    /// The server as it was when it gave the last reply.
    snapshot: Option<Arc<Snapshot>>,
    /// Collections in which this session learned of a loss.
    lost: BTreeMap<usize, crate::decide::continuity::ServerLoss>,
    /// Collections that the server would not greet.
    barred: BTreeSet<usize>,
    /// When it began, by collection: acknowledged records that the server did not have.
    missing: BTreeMap<usize, usize>,
    /// When it began, by collection: where the server stood.
    began: BTreeMap<usize, Revision>,
}

/// What a server had seen of one collection when it replied.
#[derive(Debug)]
struct Snapshot {
    collection: usize,
    revision: Revision,
    known: BTreeMap<RecordId, VersionVector>,
}

/// A reply, and what is known of it.
#[derive(Debug)]
struct Served {
    server: usize,
    /// Of the first request.
    collection: usize,
    bytes: Vec<u8>,
    frame: ReplyFrame,
    snapshot: Option<Arc<Snapshot>>,
}

impl World {
    /// The world of a seed, before its first step.
    ///
    /// # Errors
    /// [`Failure`] where the tester itself is wrong.
    pub fn new(seed: u64) -> Result<Self, Failure> {
        let fail =
            |broken: Broken| Failure { seed, check: broken.check, what: broken.what, steps: 0, timeline: Vec::new() };
        let mut world = Self::of(History::draw(seed)).map_err(fail)?;
        world.timeline = Some(Vec::new());
        world.open().map_err(|broken| world.failed(broken))?;
        Ok(world)
    }

    /// Plays the next step and checks every promise; `false` when the history is over, the faults have stopped and the
    /// replicas were found to agree.
    ///
    /// # Errors
    /// [`Failure`]: a promise that did not hold, with what led to it.
    pub fn step(&mut self) -> Result<bool, Failure> {
        self.advance().map_err(|broken| self.failed(broken))
    }

    /// What it went through so far.
    #[must_use]
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }

    /// What happened so far, a line a step.
    #[must_use]
    pub fn timeline(&self) -> &[String] {
        self.timeline.as_deref().unwrap_or_default()
    }

    pub(super) fn of(history: History) -> Result<Self, Broken> {
        let History { seed, setting, ops } = history;
        let wrong = |what: String| Broken { check: HARNESS, what };
        let account = |name: &str| AccountId::new(name).map_err(|error| wrong(format!("{error}")));
        let names = Arc::new(Names::new(setting.collections)?);
        let servers = if setting.second == Second::None { 1 } else { 2 };
        let all: BTreeSet<usize> = (0..setting.collections).collect();
        let phone = |at| {
            let disk = Disk::new(MemoryStore::device());
            let (id, writer) = (names.replica(at)?, Writer { own: u8::try_from(at).unwrap_or(u8::MAX), install: at });
            Ok(Phone {
                disk,
                id,
                writer,
                skew: 0,
                day: 0,
                subscribed: all.clone(),
                shadow: BTreeMap::new(),
                accused: BTreeSet::new(),
                right: BTreeSet::new(),
            })
        };
        let phones = (0..setting.devices).map(phone).collect::<Result<_, Broken>>()?;
        let cloud =
            |at: usize| Ok(Cloud { disk: Disk::new(MemoryStore::server()), id: names.replica(HOME + at)?, day: 0 });
        let clouds = (0..servers).map(cloud).collect::<Result<_, Broken>>()?;
        let mut limits = WireLimits { page_bytes: setting.page_bytes, ..WireLimits::default() };
        if setting.rates.large > 0 {
            limits.record.max_bytes = LARGEST;
        }
        Ok(Self {
            seed,
            setting,
            ops,
            next: 0,
            is_over: false,
            guard: Guard::default(),
            limits,
            key: PositionKey::new([7; 32]),
            account: account("the account")?,
            other_account: account("another account")?,
            phones,
            clouds,
            home: 0,
            live: (0..setting.devices).map(|_| None).collect(),
            ghost: Ghost::new(names.clone(), setting.second == Second::OtherHome),
            truth: Truth::new(servers),
            names,
            requests: Vec::new(),
            replies: Vec::new(),
            backups: Vec::new(),
            images: Vec::new(),
            ids: REPLICAS,
            draws: mixed(seed),
            time: 0,
            is_calm: false,
            crash_every: None,
            summary: Summary { histories: 1, ..Summary::default() },
            timeline: None,
        })
    }

    /// With a timeline.
    pub(super) fn told(mut self) -> Self {
        self.timeline = Some(Vec::new());
        self
    }

    pub(super) fn failed(&mut self, Broken { check, what }: Broken) -> Failure {
        self.is_over = true;
        Failure { seed: self.seed, check, what, steps: self.summary.steps, timeline: self.timeline().to_vec() }
    }

    /// The first records, and all devices in step where the setting says so.
    pub(super) fn open(&mut self) -> Result<(), Broken> {
        self.is_calm = true;
        for collection in 0..self.setting.collections {
            for record in 0..self.setting.records {
                self.create(0, collection, record, &mut Chance::new(mixed(self.seed ^ 1)))?;
            }
        }
        if self.setting.is_warm {
            for at in 0..self.setting.devices {
                self.whole_session(at, false)?;
            }
            if self.setting.second == Second::Follower {
                self.catch_up()?;
            }
        }
        self.is_calm = false;
        self.end_of_step()
    }

    pub(super) fn advance(&mut self) -> Result<bool, Broken> {
        if self.is_over {
            return Ok(false);
        }
        let Some(op) = self.ops.get(self.next).copied() else {
            self.is_over = true;
            self.settle()?;
            return Ok(false);
        };
        self.next += 1;
        self.summary.steps += 1;
        self.time += 1_000_000;
        self.play(op)?;
        self.end_of_step()?;
        Ok(true)
    }

    fn play(&mut self, Op { kind, word }: Op) -> Result<(), Broken> {
        let mut chance = Chance::new(word);
        match kind {
            Kind::Write => self.write(&mut chance),
            Kind::Answer => self.answer_some(&mut chance),
            Kind::Sync => self.sync(&mut chance),
            Kind::Calm => self.calm(&mut chance),
            Kind::Flood => self.flood(&mut chance),
            Kind::Abort => self.abort(&mut chance),
            Kind::Late => self.late(&mut chance),
            Kind::Day => self.day(&mut chance),
            Kind::Clock => self.clock(&mut chance),
            Kind::Leave => self.leave(&mut chance),
            Kind::Reseed => self.reseed(&mut chance),
            Kind::Image => self.image(&mut chance),
            Kind::RestoreDevice => self.restore_device(&mut chance),
            Kind::CopyDevice => self.copy_device(&mut chance),
            Kind::Backup => self.back_up(),
            Kind::RestoreMarked => self.restore(&mut chance, true),
            Kind::RestoreQuiet => self.restore(&mut chance, false),
            Kind::Wipe => self.wipe(),
            Kind::RowLoss => self.lose_rows(&mut chance, None),
            Kind::RowsBack => self.set_rows_back(&mut chance),
            Kind::Swap => self.swap(),
            Kind::CatchUp => self.catch_up(),
            Kind::FailOver => self.fail_over(&mut chance),
            Kind::Fork => self.fork_home(&mut chance),
        }
    }

    fn end_of_step(&mut self) -> Result<(), Broken> {
        self.ghost.check_union(&mut self.summary)
    }

    // What all steps need.

    fn say(&mut self, line: impl FnOnce() -> String) {
        let at = self.next;
        if let Some(timeline) = &mut self.timeline {
            timeline.push(format!("{at:>3}  {}", line().replace("\n  ", " | ").replace('\n', " | ")));
        }
    }

    fn phone(&self, at: usize) -> Result<&Phone, Broken> {
        self.phones.get(at).ok_or(Broken { check: HARNESS, what: format!("no device {at}") })
    }

    fn phone_mut(&mut self, at: usize) -> Result<&mut Phone, Broken> {
        self.phones.get_mut(at).ok_or(Broken { check: HARNESS, what: format!("no device {at}") })
    }

    fn cloud(&self, at: usize) -> Result<&Cloud, Broken> {
        self.clouds.get(at).ok_or(Broken { check: HARNESS, what: format!("no server {at}") })
    }

    fn cloud_mut(&mut self, at: usize) -> Result<&mut Cloud, Broken> {
        self.clouds.get_mut(at).ok_or(Broken { check: HARNESS, what: format!("no server {at}") })
    }

    fn device(&mut self, at: usize) -> Result<Device<&mut Disk>, Broken> {
        let guard = self.guard.clone();
        let phone = self.phone_mut(at)?;
        Ok(Device::new(&mut phone.disk, phone.id, guard))
    }

    fn entropy(&mut self) -> Result<Entropy, Broken> {
        let mut bits = [0; 32];
        for part in bits.chunks_mut(8) {
            self.draws = self.draws.wrapping_add(0x9e37_79b9_7f4a_7c15);
            part.copy_from_slice(&mixed(self.draws).to_be_bytes());
        }
        Entropy::new(bits).map_err(|error| Broken { check: HARNESS, what: format!("{error}") })
    }

    /// What a device has committed since it was asked last, checked.
    fn absorb(&mut self, at: usize, why: Why) -> Result<Vec<Commit>, Broken> {
        let writer = self.phone(at)?.writer;
        let disk = &mut self.phone_mut(at)?.disk;
        let commits = core::mem::take(&mut disk.commits);
        let is_down = core::mem::take(&mut disk.is_down);
        disk.crash = None;
        for commit in &commits {
            self.ghost.take((at, Some(writer)), commit, why, &mut self.summary)?;
            self.check_shadow(at, commit, why)?;
        }
        if is_down {
            self.say(|| format!("     {} goes down", name(at)));
            self.summary.fault("a device goes down around a commit");
            self.drop_session(at);
        }
        Ok(commits)
    }

    fn drop_session(&mut self, at: usize) {
        if let Some(place) = self.live.get_mut(at) {
            *place = None;
        }
    }

    /// A name for a server, as the device sees it.
    fn server_name(&self, server: usize) -> String {
        let role = if server == self.home { "home" } else { "other" };
        format!("{} ({role})", name(HOME + server).to_owned())
    }

    fn is_follower(&self, server: usize) -> bool {
        self.setting.second == Second::Follower && server != self.home
    }
}
