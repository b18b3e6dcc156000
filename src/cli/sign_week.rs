//! `govdeck sign`: the weekly numbers that wait for a signer, in plain questions.

use std::path::Path;

use clap::Args;
use serde_json::json;

use super::act::settle;
use super::page::{Exit, Failure, Page};
use super::sign::{Pen, sign};
use super::terminal::Terminal;
use super::week::{self as page, metric_line};
use crate::actions::{self, Asked, Proposal, Signing};
use crate::jobs::outside;
use crate::rules::guard::Answer;
use crate::rules::permission;
use crate::rules::week::AckBasis;
use crate::store::week::{self, Look, Metric, Window};
use crate::store::{Sealed, Store};

/// How many of the worst metrics are shown.
const WORST: i64 = 5;

/// What waits for a signer.
#[derive(Debug, Args)]
pub(super) struct SignWeek {
    /// Of this series alone.
    #[arg(long, value_name = "ID")]
    series: Option<String>,
}

/// A run that the person at the keys may sign now.
struct Waits {
    look: Look,
    window: Window,
    worst: Vec<Metric>,
    proposal: Proposal,
}

impl SignWeek {
    pub(super) async fn run(
        self,
        store: &Store,
        root: &Path,
        pen: &Pen,
    ) -> Result<Page, Failure> {
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
        let mut lines = Vec::new();
        let mut signed = Vec::new();
        for waits in waiting {
            let run = waits.window.job_run_id.clone();
            match ask(store, root, pen, &mut terminal, waits).await? {
                Some(sealed) => {
                    lines.push(format!(
                        "Signed: {run}, ledger entry {} at {}, hash {}",
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
        let all = week::active_series(&mut store.view().await?).await?;
        let mut waiting = Vec::new();
        let mut why_not = Vec::new();
        for series in all {
            if self
                .series
                .as_ref()
                .is_some_and(|only| *only != series.series_id)
            {
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
            let worst = week::metrics(&mut view, &newest, WORST).await?;
            if let Some(window) = week::find(&mut view, &newest).await? {
                waiting.push(Waits {
                    look,
                    window,
                    worst,
                    proposal,
                });
            }
        }
        Ok((waiting, why_not))
    }
}

/// Shows one run to its end and asks; none where the person did not sign.
async fn ask(
    store: &Store,
    root: &Path,
    pen: &Pen,
    terminal: &mut Terminal,
    waits: Waits,
) -> Result<Option<Sealed>, Failure> {
    let gone = |error: std::io::Error| {
        Failure::new(
            Exit::CannotTell,
            format!("the terminal does not answer: {error}"),
            "nothing was written; begin again",
        )
    };
    let diff = outside::found(store, root, &waits.window).await?;
    let names = week::names(&mut store.view().await?, &waits.window, &diff).await?;
    let mut report = report(&waits);
    report.extend(
        names
            .iter()
            .map(|(name, is_current)| page::name_line(name, *is_current, &diff)),
    );
    report.push(attested(&waits.proposal, pen));
    terminal.say(&report).map_err(gone)?;
    let read =
        "Have you read this to its end, and are these the numbers you stand for? Type yes or no: ";
    if terminal.ask(read).map_err(gone)?.as_deref() != Some("yes") {
        return Ok(None);
    }
    let why = "Why do you sign? At least 20 characters; it goes into the ledger: ";
    let Some(reason) = terminal.ask(why).map_err(gone)? else {
        return Ok(None);
    };
    let phrase = waits.proposal.phrase();
    let last =
        format!("To put your name under it, type {phrase} (anything else leaves it unsigned): ");
    let Some(typed) = terminal
        .ask(&last)
        .map_err(gone)?
        .filter(|typed| *typed == phrase)
    else {
        return Ok(None);
    };
    let reason = Some(reason);
    let request = waits.proposal.confirm(&Answer { typed, reason })?;
    let request = sign(request, pen.signer.as_ref())?;
    let request = outside::seen_again(store, root, request).await?;
    settle(store, actions::carry_out(store, request).await)
        .await
        .map(Some)
}

/// Says in words what is signed.
fn report(waits: &Waits) -> Vec<String> {
    let Waits { look, window, .. } = waits;
    let day = |moment: Option<crate::clock::Moment>| {
        moment.map_or("?".to_owned(), |at| {
            at.to_string().chars().take(10).collect()
        })
    };
    let (total, failed) = (
        window.metrics_total.unwrap_or(0),
        window.metrics_failed.unwrap_or(0),
    );
    let mut lines = vec![
        String::new(),
        format!(
            "Weekly numbers of {}, run {}",
            window.series_id, window.job_run_id
        ),
        format!(
            "From {} up to {} (not included), UTC.",
            day(window.start_inclusive),
            day(window.end_exclusive)
        ),
        format!(
            "Leadership's numbers and the partners' were compared: {total} metrics, {} as close as agreed, {failed} not.",
            total - failed
        ),
        "The metrics that lie farthest apart:".to_owned(),
    ];
    lines.extend(waits.worst.iter().map(metric_line));
    lines.push(format!(
        "The series is {}: {}.",
        look.standing.state,
        look.standing.because.meaning()
    ));
    lines.extend(look.remediations.iter().map(|it| {
        format!(
            "What was done about the week before ({}): {}",
            it.remediation_id, it.evidence
        )
    }));
    lines.push(format!(
        "The comparison is filed as {} and was hashed again just now.",
        window.artifact_uri.as_deref().unwrap_or("nothing")
    ));
    let override_of = waits.proposal.conditions().iter().any(|condition| {
        condition.id == "grounds" && condition.evidence == AckBasis::Override.word()
    });
    if override_of {
        lines.push(
            "THIS RUN IS NOT GREEN. Two people let it be signed; your name makes it no greener."
                .to_owned(),
        );
    }
    lines
}

/// Says how the signature will be known.
fn attested(proposal: &Proposal, pen: &Pen) -> String {
    let who = &proposal.actor().person_id;
    if pen.signer.is_some() {
        format!("You are {who}; your key signs the decision card.")
    } else {
        format!(
            "You are {who}, known by {}; no key signs.",
            proposal.actor().attestation
        )
    }
}
