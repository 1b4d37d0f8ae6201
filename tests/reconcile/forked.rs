//! A server that is set back in the middle of a comparison, and goes on past where it stood.

use std::convert::Infallible;

use holdfast::{
    decide::continuity::{Continuity, ServerLoss},
    talk::{frame::RequestFrame, message::Request},
    values::value::Value,
    *,
};

use crate::{peer::*, rebuild::forgetful, world::*};

/// A reply to a request that names no position would be no proof that the server stands in the history that was compared.
#[test]
fn a_server_that_is_set_back_before_records_are_fetched_is_noticed() {
    let (mut cloud, mut ada, mut ben, mut cleo) = (Cloud::new(), phone(1), phone(2), phone(3));
    (0..400).for_each(|n| create(&mut ada, n, &[("name", &format!("n{n}")), ("phone", "1")]));
    for phone in [&mut ada, &mut ben, &mut cleo] {
        cloud.sync(phone);
    }
    let image = cloud.store.clone();
    // More than one window of an audit away from the beginning.
    edit(&mut ada, 390, "phone", "ada's", 7);
    cloud.sync(&mut ada);
    edit(&mut ben, 5, "phone", "ben's", 7);
    cloud.sync(&mut ben);
    cloud.store = forgetful(&cloud.store);
    let (mut session, mut has_forked) = (open(&ada, 77), false);
    let mut answered = |frame: &[u8]| {
        let request = RequestFrame::decode(frame, &LIMITS()).unwrap().requests.remove(0);
        if !has_forked && matches!(request, Request::Fetch { .. }) {
            has_forked = true;
            cloud.store = image.clone();
            for value in ["1", "2", "3", "4", "5"] {
                edit(&mut cleo, 10, "phone", value, 8);
                cloud.sync(&mut cleo);
            }
        }
        Ok::<_, Infallible>(cloud.answer(frame))
    };
    ada.converse(&mut session, &mut answered).unwrap();
    assert!(has_forked);
    let report = cloud.sync(&mut ada);
    let loss = Continuity::Lost(ServerLoss::Forked);
    assert_eq!(report.collections[0].continuity, Some(loss), "{report}");
    cloud.sync(&mut ben);
    cloud.sync(&mut cleo);
    for (n, value) in [(390, "ada's"), (5, "ben's"), (10, "5")] {
        let seen = cleo.read::<Loose>(&people(), &rec(n), &Shape::new()).unwrap().unwrap();
        assert_eq!(seen["phone"], Value::from(value));
    }
}
