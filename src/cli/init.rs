//! `govdeck init`: makes the database, or upgrades it.

use clap::Args;
use serde_json::json;

use super::act::settle;
use super::page::{Exit, Failure, Page};
use crate::actions::{self, ByRule, Founding, Outcome, Request};
use crate::rules::people::Environment;
use crate::settings::Settings;
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
}

fn parse_environment(text: &str) -> Result<Environment, String> {
    text.parse()
        .map_err(|refusal: crate::rules::Refusal| refusal.hint)
}

impl Init {
    pub(super) async fn run(
        self,
        settings: &Settings,
        account: OsAccount,
    ) -> Result<Page, Failure> {
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
        let (store, prepared) = schema::prepare(settings.direct()?, account).await?;
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
        Ok(Page::new(
            Exit::Done,
            vec![line],
            "init",
            json!({"outcome": what, "schema_version": schema::latest(), "ledger": head}),
        ))
    }
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
