//! The same facts for programs.

use serde_json::{Map, Value, json};

use super::{
    args::Args,
    check::{Promise, Wrong, tally},
    records::Kind,
    run::Outcome,
    table::Promises,
};

pub(crate) fn document(args: &Args, outcomes: &[Outcome]) -> Value {
    let held = |promise: Promise| outcomes.iter().all(|outcome| outcome.holdfast.iter().all(|w| w.promise != promise));
    json!({
        "seed": args.seed,
        "records": args.records,
        "phones": args.phones,
        "drills": outcomes.iter().map(drill).collect::<Vec<_>>(),
        "promises": Promise::ALL.map(|promise| json!({
            "promise": promise.name(),
            "says": promise.to_string(),
            "held": held(promise),
        })),
        "all_held": Promises(outcomes).broken() == 0,
    })
}

fn drill(outcome: &Outcome) -> Value {
    let holders = outcome.holders.iter().map(|holder| {
        json!({
            "holder": holder.holder,
            "before": counts(holder.before),
            "mirror": counts(holder.mirror),
            "holdfast": counts(holder.holdfast),
        })
    });
    json!({
        "drill": outcome.letter,
        "title": outcome.title,
        "should": counts(outcome.should),
        "holders": holders.collect::<Vec<_>>(),
        "named": outcome.named,
        "rebuilt": outcome.rebuilt,
        "questions": outcome.questions,
        "broken": { "mirror": broken(&outcome.mirror), "holdfast": broken(&outcome.holdfast) },
    })
}

fn counts(counts: [usize; 4]) -> Value {
    let kinds = Kind::ALL.into_iter().zip(counts).map(|(kind, count)| (kind.name().to_owned(), json!(count)));
    let all = counts.iter().sum::<usize>();
    Value::Object(kinds.chain([("all".to_owned(), json!(all))]).collect())
}

fn broken(wrongs: &[Wrong]) -> Value {
    let counts =
        Promise::ALL.into_iter().zip(tally(wrongs)).map(|(promise, count)| (promise.name().to_owned(), json!(count)));
    Value::Object(counts.collect::<Map<_, _>>())
}
