//! `govdeck init`: makes the database, or upgrades it.

use clap::Args;
use serde_json::json;

use super::act::settle;
use super::page::{Exit, Failure, Page};
use crate::actions::{self, ByRule, Founding, Request};
use crate::rules::people::{Environment, check_person_id};
use crate::settings::Settings;
use crate::store::schema::{self, Prepared, State};
use crate::store::{OsAccount, ledger};

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
        for person in [&self.founder, &self.backup].into_iter().flatten() {
            check_person_id(person)
                .map_err(|refusal| Failure::new(Exit::BadInput, refusal.sentence, refusal.hint))?;
        }
        let (store, prepared) = schema::prepare(settings.direct()?, account).await?;
        let established = schema::state(&store).await? == State::Current;
        if !established {
            let login = store.view().await?.login().to_owned();
            let founding = Founding {
                name: self.name,
                environment: self.environment,
                founder: self.founder.unwrap_or_else(|| login.clone()),
                login,
                backup: self.backup,
            };
            let request = Request::by_rule(ByRule::Establish(founding))?;
            settle(&store, actions::carry_out(&store, request).await).await?;
        }
        let head = ledger::head(&mut store.view().await?).await?;
        store.close().await;
        let what = match (prepared, established) {
            (_, false) => "established",
            (Prepared::Changed, true) => "upgraded",
            (Prepared::Unchanged, true) => "unchanged",
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
