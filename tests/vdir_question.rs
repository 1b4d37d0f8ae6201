//! Which question of `vdir_sync` a digest names.

#![allow(clippy::expect_used, clippy::indexing_slicing)]
#![allow(dead_code, unreachable_pub, reason = "it takes a part of the tool")]

use std::collections::BTreeMap;

use holdfast::{
    CollectionId, Device, Guard, MemoryStore, RecordId, ReplicaId, RoundId, Timestamp,
    decide::{
        line::{Hold, LineStatus},
        listing::Partial,
    },
    values::{id::FieldName, value::Value},
};

#[path = "../examples/vdir_sync/question.rs"]
mod question;

/// As much of the tool's sides as its questions know.
mod side {
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Which {
        Left,
        Right,
    }

    impl Which {
        pub(crate) const fn other(self) -> Self {
            match self {
                Self::Left => Self::Right,
                Self::Right => Self::Left,
            }
        }
    }
}

/// Twenty records were listed, and are not any more.
fn hold() -> Hold {
    let people = CollectionId::new("people").expect("a name");
    let id = ReplicaId::from_entropy(7).expect("random");
    let mut device = Device::new(MemoryStore::device(), id, Guard::default());
    let mut listing = Partial::new(people.clone());
    for n in 0..20 {
        let fields = BTreeMap::from([(FieldName::new("FN").expect("a name"), Value::from(format!("Person {n}")))]);
        listing.entry(RecordId::new(format!("p{n:02}")).expect("a name"), fields, Timestamp::from_micros(1));
    }
    let at = Timestamp::from_micros(2);
    device.observe(listing.complete(20).expect("twenty"), RoundId(1), at).expect("a commit");
    let nothing = Partial::new(people.clone()).complete(0).expect("none");
    device.observe(nothing, RoundId(2), at).expect("a commit");
    device.hold(&people).expect("a store").expect("a question")
}

#[test]
fn a_question_that_is_settled_here_is_none_so_that_the_other_side_can_be_asked_under_its_digest() {
    let mut hold = hold();
    let (first, last) = (hold.lines[0].running, hold.digest);
    assert!(question::asked_under(&hold, first).is_some());
    hold.lines[0].status = LineStatus::Kept;
    assert!(question::asked_under(&hold, first).is_none(), "its only line is settled");
    assert!(question::asked_under(&hold, last).is_some(), "others are open");
}
