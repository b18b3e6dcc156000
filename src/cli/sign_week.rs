//! `govdeck sign`: the weekly numbers that wait for a signer, in plain questions.

use std::path::Path;

use clap::Args;
use serde_json::json;

use super::act::settle;
use super::page::{Exit, Failure, Page};
use super::sign::{Pen, sign};
use super::terminal::Terminal;
use super::window::named;
use crate::actions::{self, Asked, Proposal, Signing};
use crate::jobs::outside;
use crate::rules::guard::{Answer, REASON_AT_LEAST, REASON_AT_MOST};
use crate::rules::people::{Actor, Attestation};
use crate::rules::permission;
use crate::store::week;
use crate::store::{Sealed, Store};

/// What waits for a signer.
#[derive(Debug, Args)]
pub(super) struct SignWeek {
    /// Of this series alone.
    #[arg(long, value_name = "ID")]
    series: Option<String>,
}

/// A run that the person at the keys may sign now.
struct Waits {
    run: String,
    proposal: Proposal,
}

impl SignWeek {
    pub(super) async fn run(self, store: &Store, root: &Path, pen: &Pen) -> Result<Page, Failure> {
        let Some(mut terminal) = Terminal::open() else {
            return Err(Failure::new(
                Exit::BadInput,
                "signing asks questions, and nobody sits at a terminal here",
                "in a script, look first: govdeck act ack-run RUN --dry-run",
            ));
        };
        let (waiting, why_not) = self.waiting(store, root, pen).await?;
        if waiting.is_empty() {
            let mut lines = vec!["Nothing waits for your signature.".to_owned()];
            lines.extend(why_not);
            let json = json!({"signed": []});
            return Ok(Page::new(Exit::No, lines, "sign", json));
        }
        terminal.when_left(LEFT).map_err(gone)?;
        let mut lines = Vec::new();
        let mut signed = Vec::new();
        for waits in waiting {
            let run = waits.run.clone();
            let signing = ask(store, root, pen, &mut terminal, waits).await;
            // What was signed before must not be lost with what fails.
            let sealed = signing.inspect_err(|_| {
                terminal.say(&lines).ok();
            })?;
            match sealed {
                Some(sealed) => {
                    lines.push(format!(
                        "Signed: your name is under {run}. Ledger entry {} at {}, hash {}",
                        sealed.seq, sealed.at, sealed.hash
                    ));
                    signed.push(json!({"run": run, "seq": sealed.seq, "hash": sealed.hash}));
                }
                None => lines.push(format!("Not signed: {run}; nothing was written.")),
            }
        }
        let exit = if signed.is_empty() {
            Exit::No
        } else {
            Exit::Done
        };
        Ok(Page::new(exit, lines, "sign", json!({"signed": signed})))
    }

    /// Finds what may be signed now, and why the newest run of each other series may not.
    async fn waiting(
        &self,
        store: &Store,
        root: &Path,
        pen: &Pen,
    ) -> Result<(Vec<Waits>, Vec<String>), Failure> {
        let all = match &self.series {
            Some(only) => vec![named(store, only).await?],
            None => week::active_series(&mut store.view().await?).await?,
        };
        let mut waiting = Vec::new();
        let mut why_not = Vec::new();
        for series in all {
            if !series.active {
                why_not.push(format!(
                    "{} was retired: it counts no more.",
                    series.series_id
                ));
                continue;
            }
            let look = week::look(&mut store.view().await?, series).await?;
            let Some(newest) = look.newest().map(|run| run.job_run_id.clone()) else {
                why_not.push(format!(
                    "{}: no window has ended yet.",
                    look.series.series_id
                ));
                continue;
            };
            let verb = permission::ACK_RUN.verb;
            let mut asked = Asked::of(&*newest).with_signing(Signing::with(pen.signer.as_ref()));
            let seen = outside::seen(store, root, verb, &newest).await?;
            asked.prepared.extend(seen);
            let mut view = store.view().await?;
            let proposal = actions::propose(&mut view, verb, asked).await?;
            if let Some(refusal) = proposal.refusal() {
                why_not.push(format!("{newest}: {}. {}.", refusal.sentence, refusal.hint));
                continue;
            }
            waiting.push(Waits {
                run: newest,
                proposal,
            });
        }
        Ok((waiting, why_not))
    }
}

/// What is said to whoever leaves in the middle.
const LEFT: &str = "Left. A name is written after the last answer alone; `govdeck week show` tells where yours stands.";

#[expect(clippy::needless_pass_by_value, reason = "as a result hands it on")]
fn gone(error: std::io::Error) -> Failure {
    Failure::new(
        Exit::CannotTell,
        format!("the terminal does not answer: {error}"),
        "nothing was written; begin again",
    )
}

/// Shows one run's report and asks; none where the person did not sign.
async fn ask(
    store: &Store,
    root: &Path,
    pen: &Pen,
    terminal: &mut Terminal,
    waits: Waits,
) -> Result<Option<Sealed>, Failure> {
    let proposal = waits.proposal;
    let mut lines = vec![String::new()];
    lines.extend_from_slice(proposal.report());
    lines.extend([
        String::new(),
        who_signs(proposal.actor(), pen.signer.is_some()),
        String::new(),
        "Nothing is written before your last answer; an empty one leaves it unsigned.".to_owned(),
    ]);
    terminal.say(&lines).map_err(gone)?;
    if !has_read(terminal).map_err(gone)? {
        return Ok(None);
    }
    let Some(reason) = reason(terminal).map_err(gone)? else {
        return Ok(None);
    };
    let phrase = proposal.phrase();
    if !is_typed(terminal, &phrase).map_err(gone)? {
        return Ok(None);
    }
    let typed = phrase;
    let reason = Some(reason);
    let request = proposal.confirm(&Answer { typed, reason })?;
    let request = sign(request, pen.signer.as_ref())?;
    let request = outside::seen_again(store, root, request).await?;
    settle(store, actions::carry_out(store, request).await)
        .await
        .map(Some)
}

/// Asks why, until the answer is long enough; none where nothing is answered.
fn reason(terminal: &mut Terminal) -> std::io::Result<Option<String>> {
    let mut question = format!(
        "In a sentence of at least {REASON_AT_LEAST} characters, why do you sign? Auditors will read it: "
    );
    loop {
        let Some(reason) = terminal.ask(&question)?.filter(|typed| !typed.is_empty()) else {
            return Ok(None);
        };
        let length = reason.chars().count();
        if (REASON_AT_LEAST..=REASON_AT_MOST).contains(&length) {
            return Ok(Some(reason));
        }
        question = format!(
            "That has {length} characters, and {REASON_AT_LEAST} to {REASON_AT_MOST} are asked for; nothing at all leaves it unsigned: "
        );
    }
}

/// Asks whether the report was read, until the answer is yes, no or nothing.
fn has_read(terminal: &mut Terminal) -> std::io::Result<bool> {
    let mut question =
        "Have you read this to its end, and are these the numbers you stand for? Type yes or no: ";
    loop {
        let answer = terminal.ask(question)?.unwrap_or_default();
        match answer.to_lowercase().as_str() {
            "yes" => return Ok(true),
            "no" | "" => return Ok(false),
            _ => question = "Please type the whole word, yes or no: ",
        }
    }
}

/// Asks for the phrase until it is typed; false where nothing is answered.
fn is_typed(terminal: &mut Terminal, phrase: &str) -> std::io::Result<bool> {
    let mut question = format!("To put your name under it, type {phrase}: ");
    loop {
        match terminal.ask(&question)?.unwrap_or_default() {
            typed if typed == phrase => return Ok(true),
            typed if typed.is_empty() => return Ok(false),
            _ => {
                question = format!(
                    "That is not {phrase}; type it as it stands here, or nothing to leave it unsigned: "
                );
            }
        }
    }
}

/// Says whose name it will be, and what proves it.
fn who_signs(actor: &Actor, has_key: bool) -> String {
    let who = &actor.person_id;
    if has_key {
        return format!("You are {who}; your key signs what you decide here.");
    }
    match actor.attestation {
        Attestation::Unattested => format!(
            "You are {who}, because this computer's account says so; nothing else proves it, and no key signs."
        ),
        Attestation::Login | Attestation::Signed => {
            format!("You are {who}, by your login to the database; no key signs.")
        }
    }
}
