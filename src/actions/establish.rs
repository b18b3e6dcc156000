//! Establishes a deployment: the first entry, its founder, and a route for every block reason.

use super::add_person::plain_line;
use super::entry::{Action, Asked, Draft, Row, Stop};
use super::proposal::random_id;
use crate::clock::Moment;
use crate::rules::block::BlockReason;
use crate::rules::people::{Acting, Environment, PersonKind, Role, check_person_id};
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::deployment::{self, Deployment};
use crate::store::person::{Person, PersonRole, RULES};
use crate::store::route::Route;
use crate::store::{StoreError, Target, View};

/// How many minutes the first response to a block may take until a signed change of route says otherwise.
const FIRST_RESPONSE_MINUTES: i64 = 30;

/// What a new deployment starts from.
#[derive(Debug, Clone)]
pub struct Founding {
    /// The deployment's name.
    pub name: String,
    /// Where it stands.
    pub environment: Environment,
    /// The founder's id; they become governance lead and owner of all routes.
    pub founder: String,
    /// The founder's login.
    pub login: String,
    /// Another human, the backup of all routes; without one the service is, and nobody would be paged.
    pub backup: Option<String>,
}

impl Founding {
    /// Refuses what no deployment can start from.
    pub fn check(&self) -> Result<(), Stop> {
        let asked = self.asked()?;
        Establish::parse(&asked).map(drop).map_err(Stop::BadInput)
    }

    pub(super) fn asked(&self) -> Result<Asked, StoreError> {
        let asked = Asked::of(self.name.clone())
            .with("deployment_id", random_id()?)
            .with("environment", self.environment.word())
            .with("founder", self.founder.clone())
            .with("login", self.login.clone());
        Ok(match &self.backup {
            Some(backup) => asked.with("backup", backup.clone()),
            None => asked,
        })
    }
}

pub(super) struct Establish {
    deployment_id: String,
    founding: Founding,
}

impl Action for Establish {
    const MAY: Permission = permission::ESTABLISH;
    const KEY: char = ' ';
    const SUMMARY: &'static str = "Establish a deployment";
    const UNDO: &'static str = "cannot be undone: another deployment is another database";
    const KIND: &'static str = "deployment";
    const TARGET: &'static str = "The deployment's name";
    type Facts = Option<Deployment>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        let founding = Founding {
            name: plain_line("deployment's name", &asked.target)?.to_owned(),
            environment: asked.required("environment")?.parse()?,
            founder: asked.required("founder")?.to_owned(),
            login: plain_line("login", asked.required("login")?)?.to_owned(),
            backup: asked.optional("backup").map(str::to_owned),
        };
        for person in [Some(&founding.founder), founding.backup.as_ref()]
            .into_iter()
            .flatten()
        {
            check_person_id(person)?;
        }
        if founding.founder == RULES || founding.backup.as_deref() == Some(RULES) {
            return Err(Refusal::new(
                format!("{RULES} is the id of the rules' own service"),
                "choose another id",
            ));
        }
        if !Environment::ESTABLISHED.contains(&founding.environment) {
            return Err(Refusal::new(
                "a rehearsal forks a deployment, and none is established as a fork",
                "establish it as prod, staging, dev or demo",
            ));
        }
        if founding.backup.as_ref() == Some(&founding.founder) {
            return Err(Refusal::new(
                "the founder cannot be their own backup",
                "name another person with --backup",
            ));
        }
        Ok(Self {
            deployment_id: asked.required("deployment_id")?.to_owned(),
            founding,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Deployment>, StoreError> {
        deployment::find(view).await
    }

    fn propose(
        &self,
        facts: &Option<Deployment>,
        _by: &Acting<'_>,
        now: Moment,
    ) -> Result<Draft, Stop> {
        let founding = &self.founding;
        let deployment = Deployment {
            deployment_id: self.deployment_id.clone(),
            name: founding.name.clone(),
            environment: founding.environment,
            created_at_utc: now,
            version: 1,
        };
        let mut rows = vec![
            Row::new(deployment),
            Row::new(person(RULES, PersonKind::Service, None, now)),
            Row::new(person(
                &founding.founder,
                PersonKind::Human,
                Some(&founding.login),
                now,
            )),
        ];
        rows.extend(
            [Role::GovernanceLead, Role::OnCall]
                .map(|role| Row::new(self.role(&founding.founder, role, now))),
        );
        if let Some(backup) = &founding.backup {
            rows.push(Row::new(person(
                backup,
                PersonKind::Human,
                Some(backup),
                now,
            )));
            rows.push(Row::new(self.role(backup, Role::OnCall, now)));
        }
        rows.extend(
            BlockReason::ALL
                .iter()
                .map(|reason| Row::new(self.route(*reason, now))),
        );
        let evidence = facts
            .as_ref()
            .map_or("nothing is established".to_owned(), |there| {
                format!("{} is established", there.name)
            });
        Ok(Draft::new(
            Target {
                kind: Self::KIND,
                id: founding.name.clone(),
                version: facts.as_ref().map_or(0, |there| there.version),
            },
            vec![Condition::holds(
                "new",
                facts.is_none(),
                "nobody",
                evidence,
                "a database holds one deployment",
            )],
            rows,
        ))
    }
}

impl Establish {
    fn role(&self, person_id: &str, role: Role, now: Moment) -> PersonRole {
        PersonRole {
            person_id: person_id.to_owned(),
            role,
            active: true,
            granted_by: self.founding.founder.clone(),
            granted_at_utc: now,
            version: 1,
        }
    }

    fn route(&self, reason: BlockReason, now: Moment) -> Route {
        let owner_role = match reason {
            BlockReason::MissingPublishHash => Role::EngineeringLead,
            BlockReason::MissingSourceHash => Role::OpsLead,
            BlockReason::TupleDrift | BlockReason::FooterSchemaDrift => Role::GovernanceLead,
        };
        Route {
            block_reason: reason,
            owner_role,
            owner_user_id: self.founding.founder.clone(),
            backup_owner_user_id: self
                .founding
                .backup
                .clone()
                .unwrap_or_else(|| RULES.to_owned()),
            sla_first_response_minutes: FIRST_RESPONSE_MINUTES,
            updated_at_utc: now,
            updated_by_user_id: self.founding.founder.clone(),
            version: 1,
        }
    }
}

fn person(id: &str, kind: PersonKind, login: Option<&str>, now: Moment) -> Person {
    Person {
        person_id: id.to_owned(),
        kind,
        display_name: id.to_owned(),
        login: login.map(str::to_owned),
        active: true,
        created_at_utc: now,
        version: 1,
    }
}
