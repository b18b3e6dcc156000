//! Proposals that need a second person, as lines of Home: what waits for whoever is at the keys, and what waits with them.

use crate::clock::Moment;
use crate::rules::approval::Part;

use super::super::model::Model;
use super::super::picture::Approval;
use super::super::table::Cell;
use super::super::theme::Token;
use super::super::ui::Parts;

/// From so many seconds on the time that is left is counted in seconds.
const COUNTED: i64 = 6_000;
/// From so many seconds on it is little.
const LITTLE: i64 = 3_600;

fn seconds_left(approval: &Approval, now: Moment) -> i64 {
    let expires = approval.waiting.request.expires_at_utc;
    // The last instant is too late, as the rule has it.
    if now < expires {
        expires.since(now).num_seconds().max(0)
    } else {
        -1
    }
}

/// Writes how long a proposal still waits, or that it is over.
#[must_use]
pub fn time_left(approval: &Approval, now: Moment) -> Cell {
    match seconds_left(approval, now) {
        left if left < 0 => (Token::SlaBreach, "EXPIRED     ".to_owned()),
        left if left < COUNTED => {
            let token = if left < LITTLE {
                Token::SlaSoon
            } else {
                Token::SlaOk
            };
            (token, format!("{:02}:{:02} left  ", left / 60, left % 60))
        }
        left => {
            let (hours, minutes) = (left / 3_600, left / 60 % 60);
            (Token::SlaOk, format!("{hours}h{minutes:02}m left "))
        }
    }
}

/// Writes a proposal as a line: for whom it waits, how long, what it is, and who asks.
#[must_use]
pub fn says(approval: &Approval, now: Moment) -> Parts {
    let request = &approval.waiting.request;
    let action = request.action.replace('_', "-");
    let is_over = now >= request.expires_at_utc;
    let (token, who) = match approval.part {
        Part::Second if is_over => (
            Token::Muted,
            format!("  {} asked for your yes", request.proposed_by),
        ),
        Part::Second => (
            Token::Fg,
            format!("  {} asks for your yes", request.proposed_by),
        ),
        Part::Proposer if is_over => (Token::Muted, "  nobody answered you".to_owned()),
        Part::Proposer => (Token::Muted, "  waits for a second person".to_owned()),
    };
    let main = match approval.part {
        Part::Second if !is_over => Token::Accent,
        _ => Token::Muted,
    };
    vec![
        time_left(approval, now),
        (main, format!(" {action}")),
        (token, format!(" {}", request.target_id)),
        (Token::Muted, who),
    ]
}

/// Tells whether a proposal's last minutes are counted on the screen.
#[must_use]
pub fn counts(model: &Model) -> bool {
    let (Some(picture), Some(now)) = (&model.picture, model.now()) else {
        return false;
    };
    let counted = |approval: &Approval| (0..COUNTED).contains(&seconds_left(approval, now));
    picture.approvals.iter().any(counted)
}

/// Writes a proposal as JSON.
#[must_use]
pub fn row_json(model: &Model, ticket: &str) -> Option<String> {
    let picture = model.picture.as_ref()?;
    let mut approvals = picture.approvals.iter();
    let found = approvals.find(|approval| approval.waiting.request.ticket == ticket)?;
    serde_json::to_string_pretty(&found.waiting).ok()
}
