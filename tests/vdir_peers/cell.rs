//! What is tried: the rows of the table, and the ways in which each can happen.

use std::fmt;

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Row {
    /// 1, and 9 where the device is at fault.
    Emptied,
    /// 2a
    RootGone,
    /// 2b
    CollectionsGone,
    /// 3a
    OldBackup,
    /// 4; in thousandths.
    Lost(usize),
    /// 5
    Drip,
    /// 6a
    ZeroBytes,
    /// 6b
    EmptyFields,
    /// 6c
    EmptyFieldsOfMost,
    /// 7a
    OtherAccount,
    /// 7b
    OtherAccountSameIds,
    /// 8; only so many of 200 are listed.
    CutListing(usize),
    /// 10, and the question answered with the safe way out.
    StateLostKept,
    /// 10, and the question approved.
    StateLostApproved,
    /// 11a, and the question answered with the safe way out.
    MassDeleteKept,
    /// 11a, and the question approved.
    MassDeleteApproved,
    /// 11b
    DeleteAllKept,
    /// 11b
    DeleteAllApproved,
    /// 12
    OtherDeviceFirst,
    /// 13
    Clock,
}

impl Row {
    pub const ALL: [Self; 25] = [
        Self::Emptied,
        Self::RootGone,
        Self::CollectionsGone,
        Self::OldBackup,
        Self::Lost(995),
        Self::Lost(900),
        Self::Lost(600),
        Self::Lost(400),
        Self::Lost(100),
        Self::Drip,
        Self::ZeroBytes,
        Self::EmptyFields,
        Self::EmptyFieldsOfMost,
        Self::OtherAccount,
        Self::OtherAccountSameIds,
        Self::CutListing(20),
        Self::CutListing(110),
        Self::StateLostKept,
        Self::StateLostApproved,
        Self::MassDeleteKept,
        Self::MassDeleteApproved,
        Self::DeleteAllKept,
        Self::DeleteAllApproved,
        Self::OtherDeviceFirst,
        Self::Clock,
    ];

    pub fn name(self) -> String {
        match self {
            Self::Emptied => "1, 9 emptied, collection there".into(),
            Self::RootGone => "2a root gone".into(),
            Self::CollectionsGone => "2b root there, collections gone".into(),
            Self::OldBackup => "3 old backup".into(),
            Self::Lost(permille) => format!("4 lost {}.{} %", permille / 10, permille % 10),
            Self::Drip => "5 drip, 5 % of the rest, 30 syncs".into(),
            Self::ZeroBytes => "6a all blanked to 0 bytes".into(),
            Self::EmptyFields => "6b all valid but empty".into(),
            Self::EmptyFieldsOfMost => "6c 198 of 200 valid but empty".into(),
            Self::OtherAccount => "7a other account, other ids".into(),
            Self::OtherAccountSameIds => "7b other account, same ids".into(),
            Self::CutListing(n) => format!("8 listing cut to {n} of 200"),
            Self::StateLostKept => "10 state lost, 20 deletes and edits pending, kept".into(),
            Self::StateLostApproved => "10 state lost, 20 deletes and edits pending, approved".into(),
            Self::MassDeleteKept => "11a 95 % deleted on purpose, kept".into(),
            Self::MassDeleteApproved => "11a 95 % deleted on purpose, approved".into(),
            Self::DeleteAllKept => "11b all deleted on purpose, kept".into(),
            Self::DeleteAllApproved => "11b all deleted on purpose, approved".into(),
            Self::OtherDeviceFirst => "12 wiped, B edits one and syncs first".into(),
            Self::Clock => "13 clock +10 years, 10 conflicts".into(),
        }
    }

    pub const fn is_approved(self) -> bool {
        matches!(self, Self::MassDeleteApproved | Self::DeleteAllApproved | Self::StateLostApproved)
    }

    pub const fn is_on_purpose(self) -> bool {
        self.is_approved() || matches!(self, Self::MassDeleteKept | Self::DeleteAllKept | Self::StateLostKept)
    }

    /// What can have become of the bookkeeping.
    const fn books(self) -> &'static [Books] {
        match self {
            Self::OldBackup => &[Books::Along, Books::Image, Books::Left, Books::Lost],
            Self::OtherAccount | Self::OtherAccountSameIds => &[Books::Along, Books::Left, Books::Lost],
            Self::RootGone | Self::StateLostKept | Self::StateLostApproved => &[Books::Lost],
            Self::MassDeleteKept
            | Self::MassDeleteApproved
            | Self::DeleteAllKept
            | Self::DeleteAllApproved
            | Self::Clock
            | Self::Drip => &[Books::Left],
            _ => &[Books::Left, Books::Lost],
        }
    }

    /// Whether files are written by the fault, so that their times can be old or fresh.
    const fn writes_files(self) -> bool {
        matches!(
            self,
            Self::OldBackup
                | Self::ZeroBytes
                | Self::EmptyFields
                | Self::EmptyFieldsOfMost
                | Self::OtherAccount
                | Self::OtherAccountSameIds
        )
    }

    /// Whether somebody writes on the side at fault before it is synced again.
    const fn may_be_written(self) -> bool {
        !matches!(self, Self::RootGone | Self::Drip | Self::Clock) && !self.is_on_purpose()
    }
}

/// Which side is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Server,
    Device,
}

/// When the files that the fault put there were written, as they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Times {
    Old,
    Fresh,
}

/// What has become of the bookkeeping of the side at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Books {
    /// It came with the files, and is a copy.
    Along,
    /// It came with the files, and nothing says that it is a copy: a whole disk was set back.
    Image,
    /// It is as it was before the fault.
    Left,
    Lost,
}

/// One way in which one row can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    pub row: Row,
    pub role: Role,
    pub books: Books,
    pub times: Times,
    /// Somebody adds and edits cards on the side at fault before it is synced again.
    pub is_written: bool,
}

impl Cell {
    /// Every way that makes sense.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for row in Row::ALL {
            for role in [Role::Server, Role::Device] {
                for books in row.books().iter().copied() {
                    for times in [Times::Old, Times::Fresh] {
                        for is_written in [false, true] {
                            let makes_sense =
                                (row.writes_files() || times == Times::Old) && (row.may_be_written() || !is_written);
                            all.extend(makes_sense.then_some(Self { row, role, books, times, is_written }));
                        }
                    }
                }
            }
        }
        all
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { row, role, books, times, is_written } = self;
        let written = if *is_written { ", written to since" } else { "" };
        write!(f, "{} ({role:?} at fault, bookkeeping {books:?}, {times:?} times{written})", row.name())
    }
}
