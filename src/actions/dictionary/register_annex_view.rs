//! Registers a version of the view that the partners' annex reads, in lockstep with a release.

use super::super::add_person::plain_line;
use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Subject};
use super::{release_is_there, semver};
use crate::clock::Moment;
use crate::rules::bind;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::artifact::{ANNEX_VIEW, Artifact};
use crate::store::dictionary::{self, AnnexView, Release};
use crate::store::{StoreError, Target, View};

pub(in crate::actions) struct RegisterAnnexView {
    id: String,
    semver: String,
    footer: String,
    sql: String,
}

pub(in crate::actions) struct Facts {
    same: Option<AnnexView>,
    release: Option<Release>,
}

impl Action for RegisterAnnexView {
    const MAY: Permission = permission::REGISTER_ANNEX_VIEW;
    const KEY: char = 'v';
    const SUMMARY: &'static str = "Register a version of the view that the partners' annex reads";
    const UNDO: &'static str =
        "cannot be undone: a version stays; register-annex-view registers the next one";
    const KIND: &'static str = "annex_view";
    const TARGET: &'static str = "The view's new version";
    const SUBJECT: Subject = Subject::New;
    const FIELDS: &'static [Field] = &[
        Field {
            name: "release",
            help: "The release whose columns it reads",
            required: Required::Yes,
        },
        Field {
            name: "footer",
            help: "The footer schema that it shows",
            required: Required::Yes,
        },
        Field {
            name: "sql",
            help: "The query that the view is",
            required: Required::Yes,
        },
    ];
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        let footer = asked.required("footer")?;
        crate::rules::semver::parse(footer)?;
        Ok(Self {
            id: plain_line("version of the view", &asked.target)?.to_owned(),
            semver: semver(asked.required("release")?)?,
            footer: footer.to_owned(),
            sql: bind::query(asked.required("sql")?)?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        Ok(Facts {
            same: dictionary::annex_view(view, &self.id).await?,
            release: dictionary::release(view, &self.semver).await?,
        })
    }

    fn propose(&self, facts: &Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let sql = Artifact::new(ANNEX_VIEW.1, self.sql.clone().into_bytes());
        let row = AnnexView {
            annex_view_version: self.id.clone(),
            dictionary_semver: self.semver.clone(),
            footer_schema_semver: self.footer.clone(),
            sql_sha256: sql.sha256.to_string(),
            registered_by: by.id(),
            registered_at_utc: now,
            version: 1,
        };
        let is_new = facts.same.is_none();
        let conditions = vec![
            release_is_there(&self.semver, facts.release.as_ref()),
            Condition::holds(
                "new_version",
                is_new,
                "data_engineer",
                if is_new {
                    "free"
                } else {
                    "this version was registered"
                },
                "a version is registered once: choose the next",
            ),
        ];
        let target = Target {
            kind: Self::KIND,
            id: self.id.clone(),
            version: facts.same.as_ref().map_or(0, |same| same.version),
        };
        let draft = Draft::new(target, conditions, vec![Row::new(row)]);
        Ok(draft.with_evidence(vec![(ANNEX_VIEW.0, sql)]))
    }
}
