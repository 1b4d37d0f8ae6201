//! What the simulation found: each test is a history that lost, hid or delayed something once.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "a test may stop")]

#[allow(dead_code, reason = "each test file uses a part")]
#[path = "conversation/world.rs"]
mod world;

use holdfast::{compose::device_session::Opening, talk::limits::WireLimits};
use world::*;

fn two_with(records: usize) -> (Cloud, Phone, Phone) {
    let (mut cloud, mut ada, mut ben) = (Cloud::new(), phone(1), phone(2));
    for n in 0..records {
        create(&mut ada, n, &[("name", &format!("n{n}")), ("phone", "1"), ("town", "Kiel")]);
    }
    cloud.sync(&mut ada);
    cloud.sync(&mut ben);
    (cloud, ada, ben)
}

fn digest(phone: &Phone, n: usize) -> holdfast::values::digest::Digest {
    phone.row(&people(), &rec(n)).unwrap().unwrap().version.digest()
}

#[test]
fn of_a_page_whose_patches_fit_in_part_nothing_is_passed_over() {
    let (mut cloud, mut ada, mut ben) = two_with(4);
    edit(&mut ada, 0, "phone", "2", 7);
    edit(&mut ada, 1, "phone", "2", 7);
    cloud.sync(&mut ada);
    for n in 0..4 {
        edit(&mut ada, n, "phone", "3", 8);
    }
    cloud.sync(&mut ada);
    // Pages are cut within the second commit, whose patches are on what the first one left.
    let limits = WireLimits { page_bytes: 150, ..WireLimits::default() };
    cloud.sync_as(&mut ben, |opening| Opening { limits, ..opening }).unwrap();
    for n in 0..4 {
        assert_eq!(digest(&ben, n), digest(&ada, n), "record {n}");
    }
}
