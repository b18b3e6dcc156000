//! Registers a join that leadership's or the partners' queries make over the dictionary.

use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Subject};
use super::{release_is_there, semver};
use crate::clock::Moment;
use crate::rules::bind::{self, Surface};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::artifact::{Artifact, BIND_QUERY};
use crate::store::dictionary::{self, BindQuery, Release};
use crate::store::{StoreError, Target, View};

pub(in crate::actions) struct RegisterBindQuery {
    id: String,
    semver: String,
    surface: Surface,
    sql: String,
    active: bool,
}

pub(in crate::actions) struct Facts {
    before: Option<BindQuery>,
    release: Option<Release>,
}

impl Action for RegisterBindQuery {
    const MAY: Permission = permission::REGISTER_BIND_QUERY;
    const KEY: char = 'b';
    const SUMMARY: &'static str = "Register a join over the dictionary, or take it out of use";
    const UNDO: &'static str = "register-bind-query: with its text of before, or --use no";
    const KIND: &'static str = "bind_query";
    const TARGET: &'static str =
        "The join's id and the release whose columns it reads, as ID/2.4.0";
    const SUBJECT: Subject = Subject::New;
    const FIELDS: &'static [Field] = &[
        Field {
            name: "surface",
            help: "Who sees what it gives: leadership or partner_annex",
            required: Required::Yes,
        },
        Field {
            name: "sql",
            help: "One SELECT that gives a column metric_id",
            required: Required::Yes,
        },
        Field {
            name: "use",
            help: "yes (the default), or no to take it out of use",
            required: Required::No,
        },
    ];
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        let (id, version) = asked.target.rsplit_once('/').ok_or_else(|| {
            Refusal::new(
                "the join is named without a release",
                "write it as ID/2.4.0",
            )
        })?;
        let active = match asked.optional("use") {
            None | Some("yes") => true,
            Some("no") => false,
            Some(_) => {
                return Err(Refusal::new("use is yes or no", "leave it out to use it"));
            }
        };
        Ok(Self {
            id: super::plain_id("join", id)?,
            semver: semver(version)?,
            surface: asked.required("surface")?.parse()?,
            sql: bind::query(asked.required("sql")?)?.to_owned(),
            active,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        Ok(Facts {
            before: dictionary::bind_query(view, &self.id, &self.semver).await?,
            release: dictionary::release(view, &self.semver).await?,
        })
    }

    fn propose(&self, facts: &Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let sql = Artifact::new(BIND_QUERY.1, self.sql.clone().into_bytes());
        let before = facts.before.as_ref();
        let version = before.map_or(0, |before| before.version);
        let after = BindQuery {
            bind_query_id: self.id.clone(),
            dictionary_semver: self.semver.clone(),
            surface: self.surface,
            sql_sha256: sql.sha256.to_string(),
            active: self.active,
            registered_by: by.id(),
            registered_at_utc: now,
            version: version + 1,
        };
        let is_news = before.is_none_or(|before| {
            (&before.sql_sha256, before.active) != (&after.sql_sha256, after.active)
        });
        let conditions = vec![
            release_is_there(&self.semver, facts.release.as_ref()),
            Condition::holds(
                "surface",
                before.is_none_or(|before| before.surface == self.surface),
                "data_engineer",
                before.map_or("new".to_owned(), |before| before.surface.to_string()),
                "a join keeps its surface; another one takes a new id",
            ),
            Condition::holds(
                "changes",
                is_news,
                "data_engineer",
                if is_news {
                    "it changes"
                } else {
                    "it is registered so"
                },
                "nothing is left to do",
            ),
        ];
        let target = Target {
            kind: Self::KIND,
            id: format!("{}/{}", self.id, self.semver),
            version,
        };
        let row = match before {
            Some(before) => Row::change(before, after)?,
            None => Row::new(after),
        };
        Ok(Draft::new(target, conditions, vec![row]).with_evidence(vec![(BIND_QUERY.0, sql)]))
    }
}
