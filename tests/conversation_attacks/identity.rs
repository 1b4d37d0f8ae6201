//! A device's own later writes come back to it.

use super::*;

#[test]
fn a_device_that_sees_its_own_later_writes_takes_no_dot_twice() {
    let (mut cloud, mut ada, mut ben) = synced();
    let (ada_backup, server_backup) = (ada.clone(), cloud.store.clone());
    edit(&mut ada, 3, "phone", "later", 7);
    let dot = head(ada.store()).counter;
    cloud.sync(&mut ada);
    cloud.sync(&mut ben);
    let mut ada = ada_backup;
    cloud.store = server_backup;
    cloud.sync(&mut ben); // supplies Ada's later write
    cloud.sync(&mut ada);
    let _row = ada.row(&people(), &rec(3)).unwrap().unwrap();
    let seen = ada.read::<Loose>(&people(), &rec(5), &Shape::new()).unwrap().unwrap();
    let mut next = (*seen).clone();
    next.insert("phone".into(), Value::from("again"));
    let written = ada.write(&seen.save(&next, Cause::User).unwrap(), at(9));
    let again = ada.row(&people(), &rec(5)).unwrap().unwrap().version.context().get(ada.replica());
    assert!(written.is_err() || again != dot, "dot {dot} of Ada is used twice (S5)");
}

#[test]
fn a_device_whose_later_writes_come_back_is_told_so_and_its_edits_get_through() {
    let (mut cloud, mut ada, mut ben) = synced();
    let (ada_backup, server_backup) = (ada.clone(), cloud.store.clone());
    for n in 0..5 {
        edit(&mut ada, 3, "phone", &format!("{n}"), 7);
    }
    cloud.sync(&mut ada);
    cloud.sync(&mut ben);
    let mut ada = ada_backup; // both restored to yesterday: one backup job, one outage
    cloud.store = server_backup;
    edit(&mut ada, 3, "town", "Rom", 8); // before she has heard of anything
    cloud.sync(&mut ben);
    let mut last = None;
    for _ in 0..5 {
        let r = cloud.sync(&mut ada);
        last = Some(r.requests);
        cloud.sync(&mut ben);
    }
    assert!(
        head(ada.store()).server.unwrap().conflict.is_some() && last == Some(1),
        "she is not told, and asks for ever"
    );
}
