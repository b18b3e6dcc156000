//! Proofs of what is on record: entries of the ledger, people, and metrics of the dictionary.

use crate::store::ledger::Entry;

use super::super::list::Listing;
use super::super::model::{Model, Verified};
use super::super::panes::{ledger, people};
use super::super::picture::Picture;
use super::super::reading::spoken;
use super::super::theme::Token;
use super::{Lines, MOST, hash, in_the_ledger, row, rule, verdict};

pub(super) fn of_entry(model: &Model, picture: &Picture, entry: &Entry) -> Lines {
    let by = ledger::by(entry);
    let mut lines = vec![
        verdict(
            Token::Accent,
            format!("{} by {by}, known as {}", entry.action, entry.attestation),
        ),
        rule(
            "the conditions of its card held when it was written, and were asked again inside the write",
        ),
    ];
    let detail = picture.entry.as_ref().filter(|it| it.seq == entry.seq);
    if let Some(detail) = detail {
        lines.extend(ledger::held(detail));
        let changes = detail.changes.iter().map(|(change, _)| {
            row(format!(
                "{} {}, version {}",
                change.table_name, change.row_key, change.version
            ))
        });
        lines.extend(changes);
    }
    lines.extend([
        hash("card", Some(&entry.card_sha256.to_string())),
        hash("entry", Some(&entry.hash.to_string())),
        hash("after", Some(&entry.prev_hash.to_string())),
    ]);
    lines.push(match &model.verified {
        Some(Verified::Report(report, _)) if report.findings.is_empty() => verdict(
            Token::StatusOk,
            "the whole ledger was hashed again: nothing wrong",
        ),
        Some(Verified::Report(..)) => verdict(Token::StatusDanger, "the ledger does NOT verify"),
        _ => verdict(
            Token::StatusUnknown,
            "not verified here yet: cannot tell whether the hashes hold",
        ),
    });
    lines
}

pub(super) fn of_person(model: &Model, picture: &Picture) -> Option<Lines> {
    let at = model.people.position(&picture.people)?;
    let person = &picture.people.rows.get(at)?.person;
    let (token, word) = people::state(person);
    let mut lines = vec![
        verdict(token, format!("{} is {word}", person.person_id)),
        rule(
            "who is active may do what their roles may, known as well as the class of the action asks",
        ),
        row(format!("person, version {}", person.version)),
    ];
    let detail = picture.person.as_ref();
    let detail = detail.filter(|it| it.person_id == person.person_id)?;
    lines.extend(detail.roles.iter().map(|role| {
        let held = if role.active {
            "held"
        } else {
            "NO LONGER HELD"
        };
        row(format!(
            "role {} {held}, granted by {}",
            role.role, role.granted_by
        ))
    }));
    lines.extend(detail.keys.iter().map(|key| {
        let stands = key.revoked_at_utc.map_or("valid", |_| "REVOKED");
        hash(&format!("key {stands}"), Some(&key.fingerprint))
    }));
    lines.extend(detail.entries.iter().flat_map(in_the_ledger));
    Some(lines)
}

pub(super) fn of_metric(model: &Model, picture: &Picture) -> Option<Lines> {
    let at = model.dictionary.position(&picture.dictionary)?;
    let metric = picture.dictionary.rows.get(at)?;
    let (token, word) = match metric.deprecated_after {
        None => (Token::StatusOk, "in use"),
        Some(_) => (Token::StatusWarn, "DEPRECATED"),
    };
    let mut lines = vec![
        verdict(token, format!("{} is {word}", metric.metric_id)),
        rule("the release that changed it last says so"),
        row(format!(
            "release {}, version {}",
            metric.dictionary_semver, metric.version
        )),
    ];
    match picture.released.as_ref().and_then(|it| it.proof.as_ref()) {
        None => lines.push(verdict(Token::GateUnknown, "the joins were NOT PROVED")),
        Some(proof) => {
            let (token, word) = spoken(proof.verdict);
            lines.push(verdict(token, format!("the joins: {word}")));
            lines.push(rule(
                "both joins have the same metrics as before, and no row without one",
            ));
            lines.push(row(format!(
                "proof from {} to {}",
                proof.from_semver, proof.to_semver
            )));
            lines.push(hash("proof", Some(&proof.proof_sha256)));
        }
    }
    let detail = picture.metric.as_ref();
    let detail = detail.filter(|it| it.metric_id == metric.metric_id)?;
    for join in &detail.joins {
        lines.push(hash(
            &format!("join {}", join.bind_query_id),
            Some(&join.sql_sha256),
        ));
    }
    for it in detail.uses.iter().take(MOST) {
        lines.push(row(format!("{} {}", it.verdict, it.job_run_id)));
        lines.push(hash("tuple", Some(&it.tuple_revision_hash)));
    }
    Some(lines)
}
