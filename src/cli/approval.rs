//! `govdeck approval`: proposals that need a second person.

use clap::Subcommand;
use serde_json::{Value, json};

use super::act::Act;
use super::key::Answered;
use super::page::{Exit, Failure, Page};
use super::sign::Pen;
use crate::actions::Asked;
use crate::rules::approval::{ApprovalStatus, kept};
use crate::rules::permission;
use crate::store::approval::{self, ApprovalRequest};
use crate::store::{Access, Store, artifact};

/// What to do with proposals that need two.
#[derive(Debug, Subcommand)]
pub(super) enum Approval {
    /// List what waits for a second person, or also what no longer does.
    List {
        /// List ended proposals too.
        #[arg(long)]
        all: bool,
    },
    /// Show one proposal with its decision card.
    Show {
        /// Its ticket.
        ticket: String,
    },
    /// Say the second yes.
    Approve {
        /// Its ticket.
        ticket: String,
        #[command(flatten)]
        answer: Answered,
    },
    /// Say no, or take an own proposal back.
    Decline {
        /// Its ticket.
        ticket: String,
        #[command(flatten)]
        answer: Answered,
    },
}

/// How many proposals are listed.
const LISTED: i64 = 200;

impl Approval {
    pub(super) fn access(&self) -> Access {
        match self {
            Self::List { .. } | Self::Show { .. } => Access::Read,
            Self::Approve { answer, .. } | Self::Decline { answer, .. } => answer.access(),
        }
    }

    pub(super) async fn run(self, store: &Store, pen: &Pen) -> Result<Page, Failure> {
        let (permission, ticket, answer) = match self {
            Self::List { all } => return list(store, all).await,
            Self::Show { ticket } => return show(store, &ticket).await,
            Self::Approve { ticket, answer } => (permission::APPROVE, ticket, answer),
            Self::Decline { ticket, answer } => (permission::DECLINE, ticket, answer),
        };
        let act = Act {
            verb: permission.verb,
            asked: Asked::of(ticket),
            go: answer.go(),
        };
        act.run(store, pen).await
    }
}

async fn list(store: &Store, all: bool) -> Result<Page, Failure> {
    let mut view = store.view().await?;
    let requests = if all {
        approval::newest(&mut view, LISTED).await?
    } else {
        approval::waiting(&mut view, LISTED).await?
    };
    let now = view.now();
    let line = |request: &ApprovalRequest| {
        let stands = match request.status {
            ApprovalStatus::Waiting if now >= request.expires_at_utc => "EXPIRED".to_owned(),
            ApprovalStatus::Waiting => format!("until {}", request.expires_at_utc),
            ended => ended.word().to_uppercase(),
        };
        format!(
            "{} {} {} by {} ({}), needs {}, {stands}: {}",
            request.ticket,
            request.action,
            request.target_id,
            request.proposed_by,
            request.attestation,
            kept(request.roles().as_deref()),
            request.reason
        )
    };
    let mut lines: Vec<_> = requests.iter().map(line).collect();
    if lines.is_empty() {
        lines.push(format!(
            "nothing waits for a second person; last checked {now}"
        ));
    }
    Ok(Page::new(
        Exit::Done,
        lines,
        "approval-list",
        json!({"now": now, "proposals": requests}),
    ))
}

async fn show(store: &Store, ticket: &str) -> Result<Page, Failure> {
    let mut view = store.view().await?;
    let request = approval::find(&mut view, ticket).await?.ok_or_else(|| {
        Failure::new(
            Exit::CannotTell,
            format!("there is no proposal {ticket:?}"),
            "`govdeck approval list` shows what waits",
        )
    })?;
    let card = artifact::bytes(&mut view, request.card_sha256).await?;
    let card: Option<Value> = card.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let card = card.ok_or_else(|| {
        Failure::new(
            Exit::CannotTell,
            format!("the decision card of {ticket} is gone, or cannot be read"),
            "run `govdeck ledger verify`",
        )
    })?;
    let mut lines = vec![
        format!(
            "{} {} of {}",
            request.ticket, request.action, request.target_id
        ),
        format!(
            "  proposed by {} ({}) at {}",
            request.proposed_by, request.attestation, request.proposed_at_utc
        ),
        format!("  reason: {}", request.reason),
        format!(
            "  needs {} between the two",
            kept(request.roles().as_deref())
        ),
        format!(
            "  {}; waits until {}",
            request.status, request.expires_at_utc
        ),
    ];
    if let (Some(at), because) = (request.ended_at_utc, &request.ended_because) {
        let by = request.ended_by.as_deref().unwrap_or("rule");
        let because = because.as_deref().unwrap_or("done");
        lines.push(format!("  ended by {by} at {at}: {because}"));
    }
    lines.push(format!("  card {}", request.card_sha256));
    let pretty = serde_json::to_string_pretty(&card).unwrap_or_default();
    lines.extend(pretty.lines().map(|line| format!("  {line}")));
    Ok(Page::new(
        Exit::Done,
        lines,
        "approval-show",
        json!({"proposal": request, "card": card}),
    ))
}
