//! What was filed with an entry, as lines: what it proposes, who agreed and why, which key signed, what held.

use serde_json::Value;

use super::super::detail::EntryDetail;
use super::super::theme::Token;
use super::super::ui::Parts;

/// Writes a value of a row or a card.
pub(super) fn said(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".to_owned(),
        other => other.to_string(),
    }
}

fn text(value: &Value, key: &str) -> String {
    let found = value.get(key).and_then(Value::as_str);
    found.unwrap_or_default().to_owned()
}

fn list(value: &Value, key: &str) -> Vec<Value> {
    let found = value.get(key).and_then(Value::as_array);
    found.cloned().unwrap_or_default()
}

/// Writes what an entry files besides its card.
pub(super) fn lines(detail: &EntryDetail, arrow: &str) -> Vec<Parts> {
    let mut lines = Vec::new();
    match &detail.signature {
        None => {}
        Some(Ok(key)) => lines.push(vec![
            (Token::Muted, "signed with ".to_owned()),
            (Token::StatusOk, key.clone()),
        ]),
        Some(Err(why)) => lines.push(vec![(
            Token::StatusDanger,
            format!("the signature is none: {why}"),
        )]),
    }
    if let Some(approval) = &detail.approval {
        lines.extend(read(approval, |approval| {
            vec![vec![
                (Token::Muted, "second yes ".to_owned()),
                (Token::Fg, text(approval, "approved_by")),
                (
                    Token::Muted,
                    format!(
                        " ({}): {}",
                        text(approval, "attestation"),
                        text(approval, "reason")
                    ),
                ),
            ]]
        }));
    }
    if let Some(proposed) = &detail.proposed {
        lines.extend(read(proposed, |card| {
            let mut lines = vec![vec![
                (Token::Muted, "proposes ".to_owned()),
                (Token::Accent, text(card, "action")),
                (
                    Token::Fg,
                    format!(" {} {}", text(card, "target_kind"), text(card, "target_id")),
                ),
            ]];
            lines.extend(proposed_changes(card, arrow));
            lines
        }));
    }
    lines
}

fn proposed_changes(card: &Value, arrow: &str) -> Vec<Parts> {
    let rows = list(card, "changes");
    let fields = rows.iter().flat_map(|row| list(row, "fields"));
    let one = |field: Value| {
        let value = |key: &str| said(field.get(key).unwrap_or(&Value::Null));
        vec![
            (Token::Muted, format!("  {} ", text(&field, "field"))),
            (Token::DiffOld, value("before")),
            (Token::Muted, format!(" {arrow} ")),
            (Token::DiffNew, value("after")),
        ]
    };
    fields.map(one).collect()
}

fn read(filed: &Result<String, String>, write: impl Fn(&Value) -> Vec<Parts>) -> Vec<Parts> {
    match filed {
        Ok(json) => write(&serde_json::from_str(json).unwrap_or_default()),
        Err(why) => vec![vec![(Token::StatusDanger, why.clone())]],
    }
}

/// Writes the gates of a decision card.
pub(super) fn gates(card: &Result<String, String>) -> Vec<Parts> {
    read(card, |card| {
        let one = |gate: &Value| {
            let (token, word) = match text(gate, "verdict").as_str() {
                "pass" => (Token::GatePass, "[PASS]"),
                "fail" => (Token::GateFail, "[FAIL]"),
                _ => (Token::GateUnknown, "[  ? ]"),
            };
            vec![
                (token, word.to_owned()),
                (Token::Fg, format!(" {}", text(gate, "id"))),
                (Token::Muted, format!("  {}", text(gate, "evidence"))),
            ]
        };
        list(card, "gates").iter().map(one).collect()
    })
}
