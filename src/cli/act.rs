//! `govdeck act NAME …`: the guarded actions, each with the flags of its registry row.

use std::path::Path;

use clap::{Arg, ArgMatches, Command, FromArgMatches, Subcommand};
use serde_json::json;

use super::page::{Exit, Failure, Page};
use super::sign::{Pen, sign};
use crate::actions::{self, Asked, Entry, Outcome, Proposal, PutAside, Request, Signing};
use crate::jobs::outside;
use crate::rules::guard::Answer;
use crate::rules::people::Basis;
use crate::rules::{Condition, Verdict};
use crate::store::deployment::{self, Deployment};
use crate::store::{Access, Sealed, Store};

/// An action that a person confirms, in words.
#[derive(Debug)]
pub(super) struct Act {
    pub(super) verb: &'static str,
    pub(super) asked: Asked,
    pub(super) go: Go,
}

/// Whether to look or to do.
#[derive(Debug)]
pub(super) enum Go {
    DryRun,
    Confirm(Answer),
    /// Confirm it, and let it wait for a signature that is made elsewhere.
    SignElsewhere(Answer),
}

impl Go {
    /// Says what is opened for it: looking and waiting write nothing.
    pub(super) fn access(&self) -> Access {
        match self {
            Self::DryRun | Self::SignElsewhere(_) => Access::Read,
            Self::Confirm(_) => Access::Write,
        }
    }
}

/// Which flags an action's command line has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    /// With `--dry-run`, `--confirm` and `--reason`.
    Act,
    /// The target and the fields alone.
    Why,
}

/// Makes the command line of an action from its registry row.
pub(super) fn command(entry: &'static Entry, flavour: Flavour) -> Command {
    let other_spelling = (entry.name() != entry.verb).then_some(entry.verb);
    let mut command = Command::new(entry.name())
        .aliases(other_spelling)
        .about(entry.summary)
        .arg(
            Arg::new("target")
                .value_name("ID")
                .required(flavour == Flavour::Act || !entry.is_about_the_newest())
                .help(entry.target),
        );
    for field in entry.fields {
        let required = field.required == actions::Required::Yes && flavour == Flavour::Act;
        command = command.arg(
            Arg::new(field.name)
                .long(field.name)
                .value_name("VALUE")
                .required(required)
                .help(field.help),
        );
    }
    if flavour == Flavour::Why {
        return command;
    }
    command
        .arg(
            Arg::new("dry-run")
                .long("dry-run")
                .action(clap::ArgAction::SetTrue)
                .conflicts_with("confirm")
                .help("Show what would happen and the phrase to confirm it with"),
        )
        .arg(
            Arg::new("confirm")
                .long("confirm")
                .value_name("PHRASE")
                .help("The exact phrase that --dry-run shows"),
        )
        .arg(
            Arg::new("reason")
                .long("reason")
                .value_name("TEXT")
                .help("Why; it goes into the ledger"),
        )
        .arg(
            Arg::new("sign-elsewhere")
                .long("sign-elsewhere")
                .action(clap::ArgAction::SetTrue)
                .requires("confirm")
                .help("Write nothing yet: wait for a signature over the decision card"),
        )
}

/// Reads which action was named, and its target and fields.
pub(super) fn asked(
    matches: &ArgMatches,
) -> Result<(&'static Entry, Asked, &ArgMatches), clap::Error> {
    let missing = || clap::Error::new(clap::error::ErrorKind::MissingSubcommand);
    let (name, matches) = matches.subcommand().ok_or_else(missing)?;
    let entry = actions::find(name).map_err(|_| missing())?;
    let mut asked = Asked::of(
        matches
            .get_one::<String>("target")
            .cloned()
            .unwrap_or_default(),
    );
    for field in entry.fields {
        if let Some(value) = matches.get_one::<String>(field.name) {
            asked = asked.with(field.name, value.clone());
        }
    }
    Ok((entry, asked, matches))
}

/// Adds one subcommand for every action that a person may take.
pub(super) fn augment(mut command: Command, flavour: Flavour) -> Command {
    for entry in actions::ENTRIES
        .iter()
        .filter(|entry| entry.basis == Basis::Person)
    {
        command = command.subcommand(self::command(entry, flavour));
    }
    command
        .subcommand_required(true)
        .arg_required_else_help(true)
}

impl FromArgMatches for Act {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let (entry, asked, matches) = asked(matches)?;
        let reason = matches.get_one::<String>("reason").cloned();
        let go = match matches.get_one::<String>("confirm") {
            Some(typed) => {
                let typed = typed.clone();
                let answer = Answer { typed, reason };
                if matches.get_flag("sign-elsewhere") {
                    Go::SignElsewhere(answer)
                } else {
                    Go::Confirm(answer)
                }
            }
            None => Go::DryRun,
        };
        if matches!(go, Go::DryRun) && !matches.get_flag("dry-run") {
            return Err(clap::Error::raw(
                clap::error::ErrorKind::MissingRequiredArgument,
                "give --dry-run to look, or --confirm PHRASE to do it; --dry-run shows the phrase",
            ));
        }
        Ok(Self {
            verb: entry.verb,
            asked,
            go,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Subcommand for Act {
    fn augment_subcommands(command: Command) -> Command {
        augment(command, Flavour::Act)
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        augment(command, Flavour::Act)
    }

    fn has_subcommand(name: &str) -> bool {
        actions::find(name).is_ok()
    }
}

impl Act {
    /// Hashes what it rests on and lies outside the database, below this folder.
    pub(super) async fn looking_outside(
        mut self,
        store: &Store,
        root: &Path,
    ) -> Result<Self, Failure> {
        let seen = outside::seen(store, root, self.verb, &self.asked.target).await?;
        self.asked.prepared.extend(seen);
        Ok(self)
    }

    /// Returns what the store is opened for.
    pub(super) fn access(&self) -> Access {
        self.go.access()
    }

    pub(super) async fn run(self, store: &Store, pen: &Pen) -> Result<Page, Failure> {
        let signer = pen.signer.as_ref();
        let signing = match self.go {
            Go::SignElsewhere(_) => Signing::With,
            Go::DryRun | Go::Confirm(_) => Signing::with(signer),
        };
        let mut view = store.view().await?;
        let asked = self.asked.with_signing(signing);
        let proposal = actions::propose(&mut view, self.verb, asked).await?;
        let deployment = deployment::read(&mut view).await?;
        drop(view);
        match self.go {
            Go::DryRun => preview(&proposal),
            Go::SignElsewhere(answer) => put_aside(&proposal.confirm(&answer)?, &deployment, pen),
            Go::Confirm(answer) => {
                let name = proposal.entry().name();
                if let Some(ticket) = proposal.meets_ended() {
                    actions::end_if_over(store, ticket.to_owned()).await;
                }
                let request = proposal.confirm(&answer)?;
                let request = sign(request, signer)?;
                let ticket = request.ticket().to_owned();
                let waits = request.proposes().map(str::to_owned);
                tracing::info!(action = self.verb, ticket, "confirmed");
                let sealed = settle(store, actions::carry_out(store, request).await).await?;
                Ok(finished(&name, &ticket, waits.as_deref(), &sealed))
            }
        }
    }
}

/// Keeps a confirmed request until its card is signed, and says how it goes on.
fn put_aside(request: &Request, deployment: &Deployment, pen: &Pen) -> Result<Page, Failure> {
    let put_aside = PutAside::of(request, deployment)?;
    pen.waiting.put(&put_aside)?;
    let ticket = request.ticket();
    tracing::info!(action = request.verb(), ticket, "put aside");
    let name = request.verb().replace('_', "-");
    let commands = [
        format!("govdeck card export {ticket} --to card.json"),
        "ssh-keygen -Y sign -n govdeck -f KEY card.json".to_owned(),
        format!("govdeck card attach {ticket} card.json.sig"),
    ];
    let mut lines = vec![format!(
        "nothing was written: {name} for the deployment {} waits for its signature, ticket {ticket}",
        deployment.name
    )];
    lines.extend(commands.iter().map(|command| format!("  {command}")));
    let json = json!({
        "action": name, "outcome": "waits_for_signature", "ticket": ticket, "deployment": deployment.name,
        "deployment_id": deployment.deployment_id, "commands": commands,
    });
    Ok(Page::new(Exit::Done, lines, "act", json))
}

/// Says what an entry did: what was asked, or a proposal that waits for its second person from now on.
pub(super) fn finished(name: &str, ticket: &str, waits: Option<&str>, sealed: &Sealed) -> Page {
    match waits {
        Some(waits) => asked_for(name, ticket, waits, sealed),
        None => done(name, ticket, sealed),
    }
}

/// Turns an outcome into an entry or a failure; an unknown one is looked up by its ticket first.
pub(super) async fn settle(store: &Store, outcome: Outcome) -> Result<Sealed, Failure> {
    match outcome {
        Outcome::Done(sealed) => Ok(sealed),
        Outcome::Refused(refusal) => Err(refusal.into()),
        Outcome::Failed(error) => Err(error.into()),
        Outcome::Unknown { ticket, cause } => match store.resolve(&ticket).await {
            Ok(Some(entry)) => Ok(entry.into()),
            Ok(None) => Err(Failure::new(
                Exit::CannotTell,
                format!("nothing was written: {cause}"),
                "do it again",
            )),
            Err(_) => Err(Failure::new(
                Exit::CannotTell,
                format!("the outcome is unknown: {cause}"),
                format!("when the database answers again: govdeck ledger show --ticket {ticket}"),
            )),
        },
    }
}

fn done(name: &str, ticket: &str, sealed: &Sealed) -> Page {
    let line = format!(
        "done: {name}, ledger entry {} at {}, hash {}",
        sealed.seq, sealed.at, sealed.hash
    );
    let json = json!({"action": name, "outcome": "done", "ticket": ticket, "seq": sealed.seq, "hash": sealed.hash, "at_utc": sealed.at});
    Page::new(Exit::Done, vec![line], "act", json)
}

/// Says that a proposal waits for its second person from now on.
fn asked_for(name: &str, ticket: &str, waits: &str, sealed: &Sealed) -> Page {
    let lines = vec![
        format!(
            "proposed: {name} waits for a second person, ledger entry {} at {}, hash {}",
            sealed.seq, sealed.at, sealed.hash
        ),
        format!("another person says yes with: govdeck approval approve {waits}"),
    ];
    let json = json!({"action": name, "outcome": "waits_for_second", "ticket": ticket, "proposal": waits, "seq": sealed.seq, "hash": sealed.hash, "at_utc": sealed.at});
    Page::new(Exit::Done, lines, "act", json)
}

/// Shows one condition in a line.
pub(super) fn condition_line(condition: &Condition) -> String {
    let word = match condition.verdict {
        Verdict::Pass => "PASS",
        Verdict::Fail => "FAIL",
        Verdict::CannotTell => "  ? ",
    };
    let line = format!("[{word}] {:<16} {}", condition.id, condition.evidence);
    if condition.verdict == Verdict::Pass {
        line
    } else {
        format!("{line} ({}: {})", condition.owner, condition.fix)
    }
}

fn preview(proposal: &Proposal) -> Result<Page, Failure> {
    let (target, changes) = (proposal.target(), proposal.changes()?);
    let mut lines = vec![format!(
        "{} {} on {} {} as {}",
        proposal.entry().name(),
        target.id,
        proposal.environment().word().to_uppercase(),
        proposal.deployment(),
        proposal.actor().person_id
    )];
    lines.extend(proposal.conditions().iter().map(condition_line));
    for row in &changes {
        lines.push(format!(
            "{} {} becomes version {}",
            row.table, row.key, row.version
        ));
        lines.extend(
            row.fields
                .iter()
                .map(|field| format!("  {}: {} -> {}", field.field, field.before, field.after)),
        );
    }
    lines.push(format!("undo: {}", proposal.undo()));
    let refusal = proposal.refusal();
    let exit = Exit::from(Verdict::all(
        proposal
            .conditions()
            .iter()
            .map(|condition| condition.verdict),
    ));
    if proposal.entry().may.needs_two() {
        lines
            .push("it would wait for a second person: nothing changes before their yes".to_owned());
    }
    lines.push(match &refusal {
        Some(_) => "not possible now".to_owned(),
        None => format!(
            "nothing was written; to do it: --confirm \"{}\"",
            proposal.phrase()
        ),
    });
    let json = json!({
        "action": proposal.entry().name(), "outcome": "dry_run", "target": target.id, "target_version": target.version,
        "level": proposal.entry().level, "conditions": proposal.conditions(), "changes": changes,
        "undo": proposal.undo(), "state_hash": proposal.state_hash(), "phrase": refusal.is_none().then(|| proposal.phrase()),
    });
    Ok(Page::new(exit, lines, "act", json))
}
