//! For all listings.

use std::collections::BTreeSet;

use holdfast::{act::receipt::Effect, *};
use proptest::prelude::*;

use crate::phone::{Phone, card, id, in_step, people, person};

proptest! {
    /// S4, the half about listings: removals are proposed all or none, within the budget of what nobody authored; and
    /// healthy data in the same round never turns a hold into a pass.
    #[test]
    fn s4_what_a_listing_lacks_goes_all_or_none_and_healthy_data_makes_no_room(
        count in 1_usize..60, missing in proptest::collection::btree_set(0_usize..60, 1..60), added in 0_usize..200,
    ) {
        let missing: BTreeSet<usize> = missing.into_iter().filter(|n| *n < count).collect();
        let budget = 3.min(count.div_ceil(2)).max(1);
        let removed = |with_news: usize| {
            let mut phone = Phone::with_people(1, count);
            missing.iter().for_each(|n| drop(phone.native.remove(&id(format!("p{n:03}")))));
            phone.native.extend((0..with_news).map(|n| (id(format!("new{n}")), person(n))));
            let receipt = phone.observe();
            assert_eq!(receipt.count(Effect::Added), with_news);
            receipt.count(Effect::Hidden)
        };
        let (alone, with_news) = (removed(0), removed(added));
        prop_assert!(alone == 0 || alone == missing.len());
        prop_assert!(alone <= budget);
        prop_assert_eq!(alone, with_news);
    }

    /// Whatever people do in two native stores, in whatever order the syncs come, with or without the notes of what was
    /// written: in the end both show the same, and nothing that anybody typed is lost unless it was typed over.
    #[test]
    fn native_stores_converge(steps in proptest::collection::vec((0_usize..2, 0_usize..9, 0_usize..12, 0_u8..200), 1..60)) {
        let (ada, ben, mut server) = in_step(12);
        let mut phones = [ada, ben];
        for (at, what, n, value) in steps {
            let phone = &mut phones[at];
            let record = id(format!("p{n:03}"));
            match what {
                0..=2 => {
                    let field = ["name", "tel/a", "email/a"][what];
                    if let Some(fields) = phone.native.get_mut(&record) {
                        fields.extend(card([(field, &format!("{value} by {at}"))]));
                    }
                }
                3 => drop(phone.native.remove(&record)),
                4 => drop(phone.native.insert(id(format!("x{n}")), card([("name", &format!("{value} by {at}"))]))),
                5 => drop(phone.observe()),
                6 => phone.sync(&mut server),
                7 => drop(phone.write_back()),
                _ if value % 3 == 0 => phone.restart(),
                _ => {
                    // Written to the native store, and the app stops before it has noted so.
                    let before = phone.device.clone();
                    phone.observe();
                    phone.write_back();
                    if value < 100 {
                        // Only what was noted is lost: the listing was taken in.
                        phone.device = before;
                        phone.observe();
                    }
                }
            }
        }
        for _ in 0..4 {
            for phone in &mut phones {
                phone.observe();
                if let Some(hold) = phone.device.hold(&people()).unwrap() {
                    phone.device.keep(&people(), hold.digest, "Somebody", Timestamp::from_micros(500)).unwrap();
                }
                phone.sync(&mut server);
                phone.write_back();
            }
        }
        prop_assert_eq!(&phones[0].native, &phones[1].native);
        for phone in &mut phones {
            prop_assert!(phone.observe().is_quiet());
            prop_assert_eq!(phone.write_back(), 0);
            prop_assert_eq!(phone.pending(), 0);
            let living: BTreeSet<RecordId> = phone.native.keys().cloned().collect();
            prop_assert_eq!(living, phone.living());
        }
    }
}
