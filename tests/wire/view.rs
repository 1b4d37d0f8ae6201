//! Frames as JSON: for each golden frame a file beside its bytes, and what must be readable in it.

use holdfast::{
    RecordId, ReplicaId, Timestamp,
    talk::offer::{Sent, SentOffer},
};
use serde_json::{Value as Json, json};

use crate::{
    examples::{UUID, frames, patched, version, whole},
    golden::path,
    support::golden_records,
};

fn json_of(name: &str) -> Json {
    let (_, frame) = frames().into_iter().find(|(other, _)| *other == name).unwrap();
    frame.to_json()
}

fn first(name: &str, list: &str, kind: &str) -> Json {
    json_of(name)[list][0][kind].clone()
}

/// With `HOLDFAST_BLESS` set, writes the files.
#[test]
fn every_golden_frame_has_the_view_beside_it() {
    for (name, frame) in frames() {
        let file = path(name).replace(".hex", ".json");
        let found = serde_json::to_string_pretty(&frame.to_json()).unwrap() + "\n";
        if std::env::var_os("HOLDFAST_BLESS").is_some() {
            std::fs::write(&file, &found).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), found, "{name}");
    }
}

#[test]
fn requests_are_readable() {
    let head = json_of("greet");
    assert_eq!((&head["session"], &head["step"]), (&json!("5e55101100000001"), &json!(0)));
    assert_eq!(head["account"], "ac".repeat(16));
    assert_eq!(
        head["from"],
        serde_json::to_value(ReplicaId::from_entropy(u128::from_be_bytes([1; 16])).unwrap()).unwrap()
    );
    let greet = first("greet", "requests", "Greet");
    assert_eq!(
        greet,
        json!({ "collection": "contacts", "accepted": 12, "at": { "revision": 4711, "tag": "7a".repeat(16) } })
    );
    let claim = first("prove", "requests", "Prove");
    assert_eq!(claim["claim"]["missing"], json!([UUID, "ada"]));
    assert_eq!(claim["claim"]["older"][0], json!([40, "04".repeat(16)]));
    assert_eq!(first("pull", "requests", "Pull")["after"]["within"]["place"], 7);
    assert_eq!(first("push", "requests", "Push")["offers"][1]["record"], UUID);
    assert_eq!(first("fetch", "requests", "Fetch")["records"], json!([UUID]));
    assert_eq!(first("audit", "requests", "Audit")["window"], json!({ "after": null, "until": "m" }));
}

#[test]
fn replies_are_readable() {
    assert_eq!(first("welcome_accepted", "replies", "Welcome")["accepted"]["counter"], json!(13));
    let judged = json_of("judged");
    assert_eq!(judged["replies"][4]["Judged"]["judgement"]["continuity"], json!({ "Lost": "RolledBack" }));
    let page = first("page", "replies", "Page");
    assert_eq!((&page["is_more"], &page["next"]["revision"]), (&json!(true), &json!(41)));
    let taken = first("taken", "replies", "Taken");
    assert_eq!(taken["except"][1], json!([1, "Merged"]));
    assert_eq!(taken["except"][10], json!([10, { "Refused": { "TooDeep": { "field": "note" } } }]));
    assert_eq!(taken["staged"][0], json!(["ada", "Held"]));
    assert_eq!(first("whole", "replies", "Whole")["offers"][0]["record"], "ada");
    let audited = json_of("audited");
    assert_eq!(audited["replies"][0], json!({ "Audited": "Same" }));
    assert_eq!(audited["replies"][1]["Audited"]["Found"][0], json!(["ada", "d1".repeat(16)]));
    let refused = |name| first(name, "replies", "Refused");
    assert_eq!(refused("refused_wrong_account"), json!({ "Stop": "WrongAccount" }));
    assert_eq!(refused("refused_forbidden"), "Forbidden");
    assert_eq!(refused("refused_unavailable"), json!({ "Unavailable": { "retry_after_seconds": 30 } }));
    assert_eq!(refused("refused_version"), json!({ "Version": { "least": 1, "greatest": 1 } }));
    assert_eq!(refused("refused_unknown_kind"), json!({ "UnknownKind": { "kind": 23 } }));
    assert_eq!(refused("refused_unknown_method"), json!({ "UnknownMethod": { "method": 1 } }));
    let reconciled = json_of("reconciled");
    let ranges = &reconciled["replies"][1]["Reconciled"]["found"]["Ranges"];
    assert_eq!((&ranges[0], &ranges[2]["Listed"][1]), (&json!("Same"), &json!(["ada", "d2".repeat(16)])));
    assert_eq!(ranges[3]["Parts"][0], json!({ "until": "6fa4", "fingerprint": "f3".repeat(16) }));
    assert_eq!(json_of("extras")["extra"], json!({ "3": "636e6577", "70000": "c18201f7" }));
}

#[test]
fn a_version_shows_its_values_and_every_sibling_of_a_conflict() {
    let json = serde_json::to_value(whole("ada", "conflict")).unwrap();
    assert_eq!((&json["held"], &json["excuse"]), (&Json::Null, &Json::Null));
    let json = &json["version"]["Whole"];
    assert_eq!(json["digest"], version("conflict").digest().to_string());
    assert_eq!((&json["alive"], json["context"].as_object().unwrap().len()), (&json!(true), 2));
    assert_eq!(json["fields"]["email/work"], "ada@analytical.example");
    let name = &json["fields"]["name"];
    let siblings: Vec<_> = name["siblings"].as_array().unwrap().iter().map(|write| &write["value"]).collect();
    assert_eq!(siblings, ["Ada King, Countess of Lovelace 2", "A. A. L."]);
    assert!(siblings.contains(&&name["shown"]));
}

#[test]
fn every_kind_of_value_is_readable() {
    let json = serde_json::to_value(whole("ada", "every_kind_of_value")).unwrap();
    let values: Vec<_> = json["version"]["Whole"]["fields"].as_object().unwrap().values().collect();
    for expected in
        [json!(null), json!(true), json!(i64::MIN), json!(1.5), json!("NaN"), json!("-inf"), json!({ "bytes": "00ff" })]
    {
        assert!(values.contains(&&expected), "{expected}");
    }
    assert!(values.contains(&&json!(Timestamp::from_micros(0).to_string())));
    let json = serde_json::to_value(whole("ada", "unknown_kinds_of_value")).unwrap();
    assert_eq!(json["version"]["Whole"]["fields"]["kind/00"], json!({ "unknown": "f7" }));
}

#[test]
fn a_patch_shows_what_it_changes() {
    let json = serde_json::to_value(patched(UUID, "patch")).unwrap();
    let json = json["version"]["Patch"].as_object().unwrap().clone();
    let keys: Vec<_> = json.keys().map(String::as_str).collect();
    assert_eq!(keys, ["check", "fields", "life"], "and nothing that it does not");
    assert_eq!(json["check"], "457fa4f265782e9e");
    let write = &json["fields"]["name"][0];
    assert_eq!((&write["counter"], &write["cause"]), (&json!(2), &json!("User")));
    assert_eq!(
        (&write["at"], &write["value"]),
        (&json!("2026-03-24T12:00:02.000006Z"), &json!("Ada King, Countess of Lovelace 2"))
    );
    let json = serde_json::to_value(patched(UUID, "long_patch")).unwrap();
    assert_eq!(json["version"]["Patch"]["cleared"], json!(["tel/home"]));
    assert_eq!(json["version"]["Patch"]["hints"][0]["content"], "a79ed66d7125d0cd");
}

#[test]
fn what_is_held_and_what_excuses_it_are_shown() {
    let held = &first("page_held", "replies", "Page")["offers"][0]["held"];
    assert_eq!((&held["mass"], &held["hidden"]["alive"]), (&json!(true), &json!(false)));
    let excuse = &first("page_excused", "replies", "Page")["offers"][0]["excuse"];
    assert_eq!((&excuse["verdict"], &excuse["by"]), (&json!("Consent"), &json!("Ada")));
}

#[test]
fn every_golden_record_has_a_view() {
    for (name, bytes, digest) in golden_records() {
        let version = crate::support::decode(&bytes).unwrap();
        let (record, alive) = (RecordId::new("ada").unwrap(), version.is_alive());
        let sent = SentOffer { record, version: Sent::Whole(version), held: None, excuse: None, delete_tag: None };
        let json = serde_json::to_value(sent).unwrap();
        assert_eq!(json["version"]["Whole"]["digest"], digest, "{name}");
        assert_eq!(json["version"]["Whole"]["alive"], alive, "{name}");
    }
}
