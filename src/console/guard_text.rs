//! What the guarded dialog says: what would change, what holds, and what became of it.

use crate::canon::Digest;
use crate::rules::{Refusal, Verdict};

use super::dialog::{Asking, Stage};
use super::model::Model;
use super::prose::wrap;
use super::theme::Token;
use super::ui::{Parts, Pen};

/// Lists what would change and what holds.
pub(super) fn evidence(asking: &Asking, pen: &Pen<'_>, width: usize) -> Vec<Parts> {
    let muted = |text: String| (Token::Muted, text);
    let said = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => "none".to_owned(),
        other => other.to_string(),
    };
    let arrow = pen.glyphs.arrow();
    let mut lines = Vec::new();
    for row in &asking.changes {
        lines.push(vec![
            muted("Changes  ".into()),
            (Token::Fg, format!("{} {}", row.table, row.key)),
            muted(format!(
                "  version {} {arrow} {}",
                row.version - 1,
                row.version
            )),
        ]);
        for field in &row.fields {
            lines.push(vec![
                muted(format!("         {} ", field.field)),
                (Token::DiffOld, said(&field.before)),
                muted(format!(" {arrow} ")),
                (Token::DiffNew, said(&field.after)),
            ]);
        }
    }
    if asking.changes.is_empty() {
        lines.push(vec![
            muted("Changes  ".into()),
            (Token::Fg, "an entry in the ledger, no governed row".into()),
        ]);
    }
    let conditions = asking.proposal.conditions();
    let passed = conditions
        .iter()
        .filter(|condition| condition.verdict == Verdict::Pass)
        .count();
    lines.push(vec![
        muted("Holds    ".into()),
        (
            Token::GatePass,
            format!(
                "{passed} of {} pass, asked again inside the write",
                conditions.len()
            ),
        ),
    ]);
    for condition in conditions {
        let (token, word) = match condition.verdict {
            Verdict::Pass => (Token::GatePass, "[PASS]"),
            Verdict::Fail => (Token::GateFail, "[FAIL]"),
            Verdict::CannotTell => (Token::GateUnknown, "[  ? ]"),
        };
        let text = format!("{}: {}", condition.id, condition.evidence);
        let mut first = true;
        for line in wrap(&text, width.saturating_sub(17)) {
            let mark = if first { word } else { "      " };
            lines.push(vec![
                muted("         ".into()),
                (token, mark.to_owned()),
                (Token::Fg, format!(" {line}")),
            ]);
            first = false;
        }
    }
    lines
}

/// Says what became of it.
pub(super) fn told(model: &Model, stage: &Stage, width: usize) -> Vec<Parts> {
    let wrapped = |token: Token, text: &str| -> Vec<Parts> {
        wrap(text, width)
            .into_iter()
            .map(|line| vec![(token, line)])
            .collect()
    };
    let refusal = |token: Token, word: &str, refusal: &Refusal| {
        let mut lines = wrapped(token, &format!("{word}: {}", refusal.sentence));
        lines.extend(wrapped(Token::Muted, &refusal.hint));
        lines
    };
    match stage {
        Stage::Planning => wrapped(Token::StatusPending, "looking what would change"),
        Stage::Waiting { ticket, since } => {
            let seconds = model.at.saturating_duration_since(*since).as_secs();
            let mut lines = wrapped(
                Token::StatusPending,
                &format!("waiting for the database: {seconds} s"),
            );
            lines.extend(wrapped(
                Token::Muted,
                &format!("ticket {ticket}; it cannot be taken back now"),
            ));
            lines
        }
        Stage::Done(sealed) => {
            let hash: &Digest = &sealed.hash;
            let mut lines = wrapped(
                Token::StatusOk,
                &format!(
                    "DONE: ledger entry {} at {}",
                    sealed.seq,
                    model.clock(sealed.at)
                ),
            );
            lines.extend(wrapped(Token::Muted, &format!("hash {hash}")));
            lines
        }
        Stage::Refused(why) => refusal(Token::StatusWarn, "REFUSED", why),
        Stage::Failed(why) => refusal(Token::StatusDanger, "FAILED, nothing was written", why),
        Stage::Unknown { ticket, cause } => {
            let mut lines = wrapped(Token::StatusUnknown, &format!("UNKNOWN: {cause}"));
            lines.extend(wrapped(Token::Muted, &format!("the ledger is asked for ticket {ticket} until it answers; do not do it again before")));
            lines
        }
        Stage::Filling(_) | Stage::Asking(_) => Vec::new(),
    }
}
