//! `govdeck status`: what waits, on one page.

use serde_json::json;

use super::page::{Exit, Failure, Page};
use crate::clock::Moment;
use crate::console::picture::Way;
use crate::rules::text::counted;
use crate::settings::Settings;
use crate::store::person::{self, RULES};
use crate::store::publish::Audit;
use crate::store::{Store, deployment, governance, ledger, outbox, presence, publish, route};

/// How many open blocks are listed.
const LISTED: i64 = 20;
/// How far the workstation's clock may be off before it is said.
pub(super) const SKEW_MILLISECONDS: i64 = 2_000;

pub(super) async fn run(store: &Store, settings: &Settings) -> Result<Page, Failure> {
    let mut view = store.view().await?;
    let deployment = deployment::read(&mut view).await?;
    let actor = person::actor(&mut view).await?;
    let head = ledger::head(&mut view).await?;
    let counts = publish::counts(&mut view).await?;
    let blocks = publish::open_blocks(&mut view, LISTED).await?;
    let waiting = outbox::waiting(&mut view).await?;
    let armed = presence::armed(&mut view).await?;
    let connected = match super::console::way(settings) {
        Way::Direct => presence::connected(&mut view).await?,
        Way::Pooler => None,
    };
    let unstaffed = route::routes(&mut view)
        .await?
        .iter()
        .filter(|route| route.backup_owner_user_id == RULES)
        .count();
    let stands = governance::hold(&mut view).await?;
    let (now, login) = (view.now(), view.login().to_owned());
    let skew = Moment::on_this_workstation()
        .since(view.server_now())
        .num_milliseconds();

    let you = actor.as_ref().map_or_else(
        || format!("nobody (login {login}): you may only look"),
        |actor| {
            let roles: Vec<_> = actor.roles.iter().map(|role| role.word()).collect();
            format!(
                "{} ({}), known by {}",
                actor.person_id,
                if roles.is_empty() {
                    "no role".to_owned()
                } else {
                    roles.join(", ")
                },
                actor.attestation
            )
        },
    );
    let mut lines = vec![format!(
        "{} {}, {}",
        deployment.environment.word().to_uppercase(),
        deployment.name,
        settings.dsn.value
    )];
    // What is wrong comes before what is as it should be.
    if skew.abs() > SKEW_MILLISECONDS {
        lines.push(format!(
            "WARNING: this workstation's clock is {skew} ms off the database's"
        ));
    }
    lines.push(format!(
        "governance {}",
        stands.word().replace('_', " ").to_uppercase()
    ));
    lines.push(format!(
        "{}, {} for the gate, {} for delivery",
        counted(counts.open, "open block", "open blocks"),
        counted(counts.pending, "run waits", "runs wait"),
        counted(waiting, "message waits", "messages wait")
    ));
    lines.extend(blocks.iter().map(|block| block_line(block, now)));
    if unstaffed > 0 {
        lines.push(format!("warning: {unstaffed} block reasons have no human backup: nobody would be paged after the owner"));
    }
    lines.extend(armed.iter().map(|armed| {
        format!(
            "{} has armed the console {} until {}",
            armed.person_id, armed.console_id, armed.armed_until_utc
        )
    }));
    if let Some(logins) = &connected {
        lines.push(format!("connected now: {}", logins.join(", ")));
    }
    lines.push(format!("you are {you}"));
    lines.push(format!("ledger entry {} {}", head.seq, head.hash));
    let json = json!({
        "deployment": deployment.name, "environment": deployment.environment, "now": now, "skew_milliseconds": skew,
        "attestation": actor.as_ref().map(|actor| actor.attestation),
        "you": actor.map(|actor| actor.person_id), "login": login,
        "open_blocks": counts.open, "pending_runs": counts.pending, "waiting_messages": waiting,
        "blocks": blocks, "armed": armed, "connected": connected, "governance": stands, "routes_without_human_backup": unstaffed, "ledger": head,
    });
    Ok(Page::new(Exit::Done, lines, "status", json))
}

fn block_line(block: &Audit, now: Moment) -> String {
    let reason = block.block_reason.map_or("", |reason| reason.word());
    let owner = block.owner_user_id.as_deref().unwrap_or("nobody");
    let state = match (&block.taken_by, block.respond_by_utc) {
        (Some(by), _) => format!("taken by {by}"),
        (None, Some(due)) if now > due => format!("BREACH, response was due {due}"),
        (None, Some(due)) => format!("response due {due}"),
        (None, None) => "no response time".to_owned(),
    };
    format!("  {} {reason} owner {owner}: {state}", block.publish_run_id)
}
