//! Opens a migration of the dictionary between two releases, in prepare, with its impact matrix.

use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Subject};
use super::{MIGRATION, matrix_evidence};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::migration::{self as rule, Move, Opening, Phase};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::artifact::IMPACT_MATRIX;
use crate::store::dictionary::{self, Release};
use crate::store::migration::{self, Event, Migration, ProtectedMetric};
use crate::store::{StoreError, Target, View};

pub(in crate::actions) struct OpenMigration {
    id: String,
    from: String,
    to: String,
    matrix: String,
    protected: Vec<String>,
}

pub(in crate::actions) struct Facts {
    is_new: bool,
    releases: [Option<Release>; 2],
    attempts: Vec<Migration>,
    under_way: Option<Migration>,
    unknown: Vec<String>,
}

impl Action for OpenMigration {
    const MAY: Permission = permission::OPEN_MIGRATION;
    const KEY: char = 'o';
    const SUMMARY: &'static str = "Open a migration of the dictionary between two releases";
    const UNDO: &'static str = "cannot be undone: it stays in prepare until it goes on";
    const KIND: &'static str = MIGRATION;
    const TARGET: &'static str = "The migration's id";
    const SUBJECT: Subject = Subject::New;
    const FIELDS: &'static [Field] = &[
        Field {
            name: "from",
            help: "The release before, as 2.4.0",
            required: Required::Yes,
        },
        Field {
            name: "to",
            help: "The release after, as 2.4.1",
            required: Required::Yes,
        },
        Field {
            name: "matrix",
            help: "The impact matrix as CSV; `migration new --matrix FILE` reads it from a file",
            required: Required::Yes,
        },
        Field {
            name: "protected",
            help: "The metrics that must not get lost, with commas between them",
            required: Required::No,
        },
    ];
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        let ids = asked.optional("protected").unwrap_or_default().split(',');
        let mut protected: Vec<String> = ids
            .map(|id| id.trim().to_owned())
            .filter(|id| !id.is_empty())
            .collect();
        protected.sort_unstable();
        protected.dedup();
        Ok(Self {
            id: asked.target.clone(),
            from: asked.required("from")?.to_owned(),
            to: asked.required("to")?.to_owned(),
            matrix: asked.required("matrix")?.to_owned(),
            protected,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        let mut unknown = Vec::new();
        for id in &self.protected {
            if dictionary::metric(view, id).await?.is_none() {
                unknown.push(id.clone());
            }
        }
        Ok(Facts {
            is_new: migration::find(view, &self.id).await?.is_none(),
            releases: [
                dictionary::release(view, &self.from).await?,
                dictionary::release(view, &self.to).await?,
            ],
            attempts: migration::attempts(view, &self.from, &self.to).await?,
            under_way: migration::under_way(view).await?,
            unknown,
        })
    }

    fn propose(&self, facts: &Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let (evidence, file) = matrix_evidence(&self.id, &self.matrix, None, by, now)?;
        let of = |release: &Option<Release>| {
            let release = release.as_ref();
            release.map(|it| [it.major, it.minor, it.patch])
        };
        let standing = facts.attempts.iter().find(|it| it.phase != Phase::Rollback);
        let unknown: Vec<&str> = facts.unknown.iter().map(String::as_str).collect();
        let conditions = rule::may_open(&Opening {
            is_new: facts.is_new,
            from: of(&facts.releases[0]),
            to: of(&facts.releases[1]),
            standing: standing.map(|it| &*it.migration_id),
            unknown: &unknown,
        });
        let attempts = i64::try_from(facts.attempts.len()).unwrap_or(i64::MAX - 1);
        let row = Migration {
            migration_id: self.id.clone(),
            from_semver: self.from.clone(),
            to_semver: self.to.clone(),
            attempt_no: attempts + 1,
            chained_from: facts.under_way.as_ref().map(|it| it.migration_id.clone()),
            phase: Phase::Prepare,
            opened_at_dt_utc: now,
            closed_at_dt_utc: None,
            opened_by: by.id(),
            rollback_reason: None,
            banner_id: None,
            watch_until: None,
            version: 1,
        };
        let event = Event {
            migration_id: self.id.clone(),
            event_no: 1,
            kind: Move::Open,
            from_phase: None,
            phase: Phase::Prepare,
            moved_by: by.id(),
            approved_by: None,
            reason: by.reason(),
            rollback_reason: None,
            note: None,
            needs_countersign: false,
            countersigned_by: None,
            countersigned_at_utc: None,
            happened_at_utc: now,
            version: 1,
        };
        let mut rows = vec![Row::new(row), Row::new(event), Row::new(evidence)];
        rows.extend(self.protected.iter().map(|metric| {
            Row::new(ProtectedMetric {
                migration_id: self.id.clone(),
                metric_id: metric.clone(),
                protected_by: by.id(),
                protected_at_utc: now,
                version: 1,
            })
        }));
        let target = Target {
            kind: MIGRATION,
            id: self.id.clone(),
            version: 0,
        };
        let draft = Draft::new(target, conditions, rows);
        Ok(draft.with_evidence(vec![(IMPACT_MATRIX.0, file)]))
    }
}
