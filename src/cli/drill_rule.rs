//! `govdeck drill double-skip` and `drill epsilon-breach`: a rule decides about runs that are made up.

use std::time::Instant;

use serde_json::json;

use super::drill::{cannot_practise, named};
use super::page::{Exit, Failure, Page};
use crate::actions::{self, ByRule, Outcome, Request};
use crate::rules::drill::DrillKind;
use crate::rules::{Refusal, Verdict};
use crate::store::{Store, drill, outbox};

pub(super) async fn run(store: &Store, kind: DrillKind) -> Result<Page, Failure> {
    let name = kind.word().replace('_', "-");
    let id = named(store.view().await?.now(), &name).to_lowercase();
    let began = Instant::now();
    let rule = ByRule::Practise {
        drill: id.clone(),
        kind,
    };
    match actions::carry_out(store, Request::by_rule(rule)?).await {
        Outcome::Refused(refusal) => return Err(cannot_practise(refusal)),
        outcome => super::act::settle(store, outcome).await?,
    };
    let decided_in_ms = began.elapsed().as_millis();
    let mut view = store.view().await?;
    let found = drill::find(&mut view, &id).await?;
    let found = found.ok_or_else(|| {
        let gone = format!("the drill {id} was written, and is not there");
        cannot_practise(Refusal::new(
            gone,
            "see what is wrong: govdeck ledger verify",
        ))
    })?;
    let messages = outbox::about(&mut view, "drill", &id).await?;
    let told = found.paged.split(", ").count();
    let is_told = usize::try_from(messages) == Ok(told);
    let verdict = Verdict::of(found.passed && is_told);
    let went = if verdict == Verdict::Pass {
        "PASS"
    } else {
        "FAIL"
    };
    let lines = vec![
        format!("[{went}] DRILL {id}: decided in {decided_in_ms} ms"),
        format!("       expected {}", found.expected),
        format!("       found    {}", found.found),
        format!(
            "       would page {}; {messages} messages queued, marked DRILL",
            found.paged
        ),
        format!("       answer it with: govdeck act answer-drill {id}"),
    ];
    let json = json!({
        "verdict": verdict, "drill": id, "kind": kind, "expected": found.expected, "found": found.found,
        "paged": found.paged.split(", ").collect::<Vec<_>>(), "messages": messages, "decided_in_ms": decided_in_ms,
    });
    Ok(Page::new(
        Exit::from(verdict),
        lines,
        &format!("drill-{name}"),
        json,
    ))
}
