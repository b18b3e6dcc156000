//! `govdeck init`: makes the database, or upgrades it.

use clap::Args;
use serde_json::json;

use super::act::settle;
use super::page::{Exit, Failure, Page};
use crate::actions::{self, ByRule, Founding, Outcome, Request};
use crate::rules::people::Environment;
use crate::settings::Settings;
use crate::store::grants::{self, Granted, Group, Ownership};
use crate::store::schema::{self, Prepared, State};
use crate::store::{OsAccount, Store, ledger};

/// Makes the database, or upgrades it; a second run changes nothing.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// The deployment's name.
    #[arg(long, default_value = "govdeck")]
    name: String,
    /// Where it stands: prod, staging, dev or demo.
    #[arg(long, default_value = "dev", value_parser = parse_environment)]
    environment: Environment,
    /// The id of the first governance lead; your login when left out.
    #[arg(long, value_name = "PERSON")]
    founder: Option<String>,
    /// Another person, paged when the founder does not answer a block; they become `on_call`.
    #[arg(long, value_name = "PERSON")]
    backup: Option<String>,
    /// On PostgreSQL, make the groups of logins too, and give them exactly the rights they need.
    #[arg(long)]
    grants: bool,
    /// Only print the statements that `--grants` would run, for somebody who may run them.
    #[arg(long, requires = "grants")]
    print: bool,
}

fn parse_environment(text: &str) -> Result<Environment, String> {
    let known = Environment::ESTABLISHED.iter().find(|it| it.word() == text);
    known.copied().ok_or_else(|| {
        let all: Vec<_> = Environment::ESTABLISHED
            .iter()
            .map(|it| it.word())
            .collect();
        format!("one of: {}", all.join(", "))
    })
}

impl Init {
    pub(super) async fn run(
        self,
        settings: &Settings,
        account: OsAccount,
    ) -> Result<Page, Failure> {
        if self.grants && !settings.dsn.value.is_postgres() {
            let no = grants::no_roles();
            return Err(Failure::new(Exit::BadInput, no.sentence, no.hint));
        }
        if self.print {
            return print(settings, account).await;
        }
        // What is known before the database is touched is checked before; a server names the login only later.
        let is_known = self.founder.is_some() || !settings.dsn.value.is_postgres();
        let founding = |login: &str| Founding {
            name: self.name.clone(),
            environment: self.environment,
            founder: self.founder.clone().unwrap_or_else(|| login.to_owned()),
            login: login.to_owned(),
            backup: self.backup.clone(),
        };
        if is_known {
            founding(account.name()).check()?;
        }
        let (store, prepared) = schema::prepare(settings.direct()?, account.clone()).await?;
        let established = schema::state(&store).await? == State::Current;
        let login = store.view().await?.login().to_owned();
        let established = established || !establish(&store, founding(&login)).await?;
        let head = ledger::head(&mut store.view().await?).await?;
        store.close().await;
        let what = match (prepared, established) {
            (_, false) => "established",
            (Prepared::Upgraded, true) => "upgraded",
            // Whoever made the schema and was slower to establish has left it as it would have been.
            (Prepared::Made | Prepared::Unchanged, true) => "unchanged",
        };
        let line = format!(
            "{what}: {}, schema {}, ledger entry {}",
            settings.dsn.value,
            schema::latest(),
            head.seq
        );
        let mut lines = vec![line];
        let mut json = json!({"outcome": what, "schema_version": schema::latest(), "ledger": head});
        if self.grants {
            let granted = grants::apply(settings.direct()?, account).await?;
            lines.extend(lines_about(&granted));
            json["grants"] = json!(granted);
        }
        Ok(Page::new(Exit::Done, lines, "init", json))
    }
}

/// Prints what somebody with more rights should run.
async fn print(settings: &Settings, account: OsAccount) -> Result<Page, Failure> {
    let statements = grants::script(settings.direct()?, account).await?;
    let lines = statements.iter().map(|statement| format!("{statement};"));
    Ok(Page::new(
        Exit::Done,
        lines.collect(),
        "init-grants",
        json!({"statements": statements}),
    ))
}

fn lines_about(granted: &Granted) -> Vec<String> {
    let created = if granted.created.is_empty() {
        "all groups were there".to_owned()
    } else {
        format!("made {}", granted.created.join(", "))
    };
    let owner = Group::Owner.role();
    let ownership = match &granted.ownership {
        Ownership::Unchanged => format!("{owner} owns the tables"),
        Ownership::Moved => format!("{owner} now owns the tables"),
        Ownership::Left(why) => format!("the tables keep their owner ({why})"),
    };
    let mut lines = vec![format!("granted: {created}; {ownership}")];
    if !granted.direct.is_empty() {
        lines.push(format!(
            "warning: these have rights past the groups: {}",
            granted.direct.join(", ")
        ));
    }
    lines
}

/// Writes the first entry; tells whether it was ours, or somebody else was faster.
async fn establish(store: &Store, founding: Founding) -> Result<bool, Failure> {
    let request = Request::by_rule(ByRule::Establish(founding))?;
    let outcome = actions::carry_out(store, request).await;
    let was_refused = matches!(outcome, Outcome::Refused(_));
    if was_refused && schema::state(store).await? == State::Current {
        return Ok(false);
    }
    settle(store, outcome).await.map(|_| true)
}
