//! What the guarded dialog says: what would change, what holds, and what became of it.

use crate::actions::{ChangedRow, Proposal, find};
use crate::canon::Digest;
use crate::rules::approval::{and, kept};
use crate::rules::{Condition, Refusal, Verdict};

use super::dialog::{Asking, Dialog, Stage};
use super::keymap::Keymap;
use super::model::Model;
use super::prose::wrap;
use super::running::Work;
use super::theme::Token;
use super::ui::{Glyphs, Parts};

/// So many columns are told where they change; of more, the rows come first and the columns last.
const FEW: usize = 6;

/// Lists what is to be read, what would change, how it is taken back, and what holds.
pub(super) fn evidence(
    asking: &Asking,
    keymap: &Keymap,
    glyphs: Glyphs,
    width: usize,
) -> Vec<Parts> {
    let mut lines = two_persons(asking, width);
    lines.extend(report(asking.proposal.report(), width));
    let fields = asking.changes.iter().map(|row| row.fields.len()).sum();
    let columns = columns(&asking.changes, glyphs);
    let is_long = FEW < fields;
    if is_long {
        let rows = labelled("Changes  ", Token::Fg, &rows(&asking.changes), width);
        lines.extend(rows);
    } else if columns.is_empty() {
        let text = "an entry in the ledger, no governed row";
        lines.extend(labelled("Changes  ", Token::Fg, text, width));
    } else {
        lines.extend(columns.iter().cloned());
    }
    let undo = how_to_undo(&asking.proposal, keymap);
    lines.extend(labelled("Undo     ", Token::Fg, &undo, width));
    let said = "pass, asked again inside the write";
    lines.extend(held("Holds    ", said, asking.proposal.conditions(), width));
    let first = asking.proposal.gates_of_the_first();
    if !first.is_empty() {
        lines.extend(held(
            "Rests on ",
            "pass for what was proposed",
            first,
            width,
        ));
    }
    if is_long {
        lines.extend(columns);
    }
    lines
}

/// Writes what is read before somebody puts their name under it.
fn report(report: &[String], width: usize) -> Vec<Parts> {
    let wrapped = report.iter().flat_map(|line| match line.trim_end() {
        "" => vec![String::new()],
        line => wrap(line, width),
    });
    let mut lines: Vec<_> = wrapped.map(|line| vec![(Token::Fg, line)]).collect();
    if !lines.is_empty() {
        lines.push(Vec::new());
    }
    lines
}

/// Says of which tables how many rows change.
fn rows(changes: &[ChangedRow]) -> String {
    let mut tables: Vec<(&str, usize)> = Vec::new();
    for row in changes {
        match tables.iter_mut().find(|(table, _)| *table == row.table) {
            Some((_, rows)) => *rows += 1,
            None => tables.push((row.table, 1)),
        }
    }
    let said = tables.iter().map(|(table, rows)| match rows {
        1 => (*table).to_owned(),
        rows => format!("{rows} of {table}"),
    });
    format!(
        "{}; column by column at the end",
        said.collect::<Vec<_>>().join(", ")
    )
}

/// Lists what changes column by column.
fn columns(changes: &[ChangedRow], glyphs: Glyphs) -> Vec<Parts> {
    let muted = |text: String| (Token::Muted, text);
    let said = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => "none".to_owned(),
        other => other.to_string(),
    };
    let arrow = glyphs.arrow();
    let mut lines = Vec::new();
    for row in changes {
        let versions = format!("  version {} {arrow} {}", row.version - 1, row.version);
        lines.push(vec![
            muted("Changes  ".into()),
            (Token::Fg, format!("{} {}", row.table, row.key)),
            muted(versions),
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
    lines
}

/// Says how what is shown would be taken back, with the keys where an action does that.
fn how_to_undo(proposal: &Proposal, keymap: &Keymap) -> String {
    let named = |text: &str| {
        let (way, rest) = text.split_once(": ").unwrap_or((text, ""));
        find(way).map_or_else(
            |_| text.to_owned(),
            |entry| format!("{way} ({}): {rest}", keymap.action(entry)),
        )
    };
    let undo = named(proposal.undo());
    if proposal.entry().may.needs_two() {
        format!("{}; after their yes {undo}", named(WHILE_IT_WAITS))
    } else {
        undo
    }
}

/// How a proposal is taken back that waits for its second person.
const WHILE_IT_WAITS: &str = "decline: as long as it waits";

/// Writes a text behind a label, in as many lines as it takes.
fn labelled(label: &str, token: Token, text: &str, width: usize) -> Vec<Parts> {
    let lines = wrap(text, width.saturating_sub(9));
    let label = |at: usize| {
        if at == 0 {
            label.to_owned()
        } else {
            " ".repeat(9)
        }
    };
    let one = |(at, line)| vec![(Token::Muted, label(at)), (token, line)];
    lines.into_iter().enumerate().map(one).collect()
}

/// Writes what the proposer said, for whoever answers; and that nothing is done alone, for whoever proposes.
fn two_persons(asking: &Asking, width: usize) -> Vec<Parts> {
    let labelled = |label, token, text: &str| labelled(label, token, text, width);
    let mut lines = Vec::new();
    if let Some(request) = asking.proposal.answers() {
        let what = format!(
            "{} proposes {} of {}",
            request.proposed_by,
            request.action.replace('_', "-"),
            request.target_id
        );
        lines.extend(labelled("Answers  ", Token::Accent, &what));
        let until = request.expires_at_utc.as_datetime();
        let until = until.format("%Y-%m-%d %H:%M:%SZ");
        let how = format!("{}; it waits until {until}", request.attestation);
        lines.extend(labelled("Known by ", Token::Muted, &how));
        let needs = format!("{} between the two", kept(request.roles().as_deref()));
        lines.extend(labelled("Needs    ", Token::Muted, &needs));
        lines.extend(labelled("Because  ", Token::Fg, &request.reason));
    }
    let may = &asking.proposal.entry().may;
    if may.needs_two() {
        let text = format!(
            "a second person; nothing changes before their yes. Between the two: {}",
            and(may.two)
        );
        lines.extend(labelled("Asks     ", Token::StatusPending, &text));
    }
    lines
}

/// Lists conditions, with how many of them pass.
fn held(label: &str, said: &str, conditions: &[Condition], width: usize) -> Vec<Parts> {
    let holds = |condition: &&Condition| condition.verdict == Verdict::Pass;
    let passed = conditions.iter().filter(holds).count();
    let mut lines: Vec<Parts> = vec![vec![
        (Token::Muted, label.to_owned()),
        (
            Token::GatePass,
            format!("{passed} of {} {said}", conditions.len()),
        ),
    ]];
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
                (Token::Muted, "         ".to_owned()),
                (token, mark.to_owned()),
                (Token::Fg, format!(" {line}")),
            ]);
            first = false;
        }
    }
    lines
}

/// Says what became of it.
pub(super) fn told(model: &Model, dialog: &Dialog, width: usize) -> Vec<Parts> {
    let wrapped = |token: Token, text: &str| -> Vec<Parts> {
        wrap(text, width)
            .into_iter()
            .map(|line| vec![(token, line)])
            .collect()
    };
    let refusal = |token: Token, word: &str, refusal: &Refusal| {
        let mut lines = wrapped(token, &format!("{word}: {}", refusal.sentence));
        let hint = model.start.keymap.in_keys(&refusal.hint);
        lines.extend(wrapped(Token::Muted, &hint));
        lines
    };
    match &dialog.stage {
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
            let entry = format!("ledger entry {} at {}", sealed.seq, model.clock(sealed.at));
            let mut lines = match &dialog.waits {
                None => wrapped(Token::StatusOk, &format!("DONE: {entry}")),
                Some((ticket, until)) => {
                    let until = model.date_and_clock(*until);
                    let said =
                        format!("PROPOSED, not done: it waits for a second person until {until}");
                    let mut lines = wrapped(Token::StatusPending, &said);
                    let found = format!("they find it in Home; its ticket is {ticket}");
                    lines.extend(wrapped(Token::Fg, &found));
                    lines.extend(wrapped(Token::Muted, &entry));
                    lines
                }
            };
            let hash: &Digest = &sealed.hash;
            lines.extend(wrapped(Token::Muted, &format!("hash {hash}")));
            // Whoever claimed a run sees here how it goes on; closing the dialog does not end it.
            let own = model.running.as_deref().filter(|run| {
                Work::of(dialog.entry.verb) == Some(run.work)
                    && run.migration_id == dialog.asked.target
            });
            for line in own.into_iter().flat_map(|run| run.lines(model.at)) {
                match &line[..] {
                    [(token, said)] => {
                        lines.extend(wrapped(*token, &model.start.keymap.in_keys(said)));
                    }
                    _ => lines.push(line),
                }
            }
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
