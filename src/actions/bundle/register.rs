//! Registers a bundle as a draft, or a plan of one for a further environment; what was approved stays.

use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Subject};
use super::BUNDLE;
use crate::clock::Moment;
use crate::rules::bundle::{Declaration, is_dictionary, is_ledger};
use crate::rules::bundle_run::{self as rule, BundleStatus, Facts, Registration};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::artifact::{
    Artifact, BUNDLE_BASELINE, BUNDLE_DECLARATION, BUNDLE_DIFF, BUNDLE_SCRIPT, BUNDLE_SCRIPTS,
    BUNDLE_WAY_BACK,
};
use crate::store::bundle::{self, Bundle, Known, Plan};
use crate::store::tables::image_of;
use crate::store::{StoreError, Target, View};

pub(in crate::actions) struct RegisterBundle {
    plan: Registration,
    declared: Declaration,
    findings: Vec<String>,
}

impl Action for RegisterBundle {
    const MAY: Permission = permission::REGISTER_BUNDLE;
    const KEY: char = 'r';
    const SUMMARY: &'static str =
        "Register a bundle as a draft, or a plan of it for an environment";
    const UNDO: &'static str = "supersede-bundle: once a later one is merged";
    const KIND: &'static str = BUNDLE;
    const TARGET: &'static str = "The bundle's migration id";
    const SUBJECT: Subject = Subject::New;
    const FIELDS: &'static [Field] = &[Field {
        name: "plan",
        help: "Declaration, scripts and what a plan of them did, as JSON",
        required: Required::Yes,
    }];
    type Facts = Option<Known>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        let read = Registration::read(asked.required("plan")?.as_bytes())?;
        if read.declared.migration_id != asked.target {
            return Err(Refusal::new(
                format!("the plan is of {}", read.declared.migration_id),
                "name the bundle that the plan names",
            ));
        }
        let told = read.findings.iter();
        Ok(Self {
            plan: read.plan,
            declared: read.declared,
            findings: told
                .map(|it| format!("{} in {}: {}", it.reason, it.path, it.detail))
                .collect(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Known>, StoreError> {
        bundle::known(view, &self.declared.migration_id).await
    }

    fn propose(&self, facts: &Option<Known>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let evidence = self.evidence()?;
        let hash = |role: &str, at: usize| {
            let mut of_role = evidence.iter().filter(|(filed, _)| *filed == role);
            of_role
                .nth(at)
                .map_or(String::new(), |(_, it)| it.sha256.to_string())
        };
        let before = facts.as_ref().map(|known| &known.bundle);
        let registered = Bundle {
            declaration_sha256: hash(BUNDLE_DECLARATION.0, 0),
            scripts_sha256: hash(BUNDLE_SCRIPTS.0, 0),
            registered_by: by.id(),
            registered_at_utc: now,
            version: before.map_or(1, |before| before.version + 1),
            ..self.bundle(by, now)
        };
        let is_same = before.is_some_and(|before| {
            (&before.declaration_sha256, &before.scripts_sha256)
                == (&registered.declaration_sha256, &registered.scripts_sha256)
        });
        let target = Target {
            kind: BUNDLE,
            id: registered.migration_id.clone(),
            version: before.map_or(0, |before| before.version),
        };
        let conditions = self.conditions(facts.as_ref(), is_same);
        let mut rows = Vec::new();
        match before {
            None => rows.push(Row::new(registered)),
            Some(before) if !is_same => rows.push(Row::change(before, registered)?),
            Some(_) => {}
        }
        let there = facts
            .as_ref()
            .and_then(|known| known.plan(self.plan.environment));
        let plan = self.row(there, by, now, |at| match at {
            // Where nothing would change both baselines are one artefact.
            Some(at) => hash(BUNDLE_BASELINE.0, at),
            None => hash(BUNDLE_DIFF.0, 0),
        });
        rows.push(match there {
            None => Row::new(plan),
            Some(before) => Row::change(before, plan)?,
        });
        Ok(Draft::new(target, conditions, rows).with_evidence(evidence))
    }
}

impl RegisterBundle {
    fn conditions(&self, known: Option<&Known>, is_same: bool) -> Vec<Condition> {
        let declared = &self.declared;
        let tables = &declared.scope.allowed_tables;
        let ledger: Vec<&str> = tables
            .iter()
            .map(String::as_str)
            .filter(|table| is_ledger(table))
            .collect();
        let decide = |facts: &Facts<'_>| {
            // A draft is judged by the declaration that it would have.
            let facts = Facts {
                requires_rollback: declared.requires_rollback,
                reference: declared.approvals.reference.as_deref(),
                ..*facts
            };
            let tier = self.plan.environment;
            rule::may_register(
                &facts,
                known.is_none(),
                tier,
                is_same,
                &ledger,
                &self.findings,
            )
        };
        match known {
            Some(known) => known.decide(decide),
            None => decide(&Facts {
                status: BundleStatus::Draft,
                plans: &[],
                runs: &[],
                requires_rollback: declared.requires_rollback,
                has_rollback: !declared.artifacts.rollback.is_empty(),
                reference: None,
                touches_dictionary: false,
            }),
        }
    }

    /// Packs the files and what the plan did; the same bytes are filed once in each role.
    fn evidence(&self) -> Result<Vec<(&'static str, Artifact)>, StoreError> {
        let plan = &self.plan;
        let mut evidence: Vec<(&'static str, Artifact)> = Vec::new();
        let mut file = |(role, media_type), bytes| {
            let piece = (role, Artifact::new(media_type, bytes));
            if !evidence.contains(&piece) {
                evidence.push(piece);
            }
        };
        file(BUNDLE_DECLARATION, plan.declaration.clone().into_bytes());
        file(BUNDLE_SCRIPTS, image_of(&plan.named_scripts())?);
        for script in &plan.scripts {
            file(BUNDLE_SCRIPT, script.text.clone().into_bytes());
        }
        file(BUNDLE_BASELINE, plan.pre.bytes());
        file(BUNDLE_BASELINE, plan.post.bytes());
        let id = &self.declared.migration_id;
        file(BUNDLE_DIFF, plan.diff(id).bytes());
        if let Some(said) = plan.way_back(id) {
            file(BUNDLE_WAY_BACK, said);
        }
        Ok(evidence)
    }

    fn bundle(&self, by: &Acting<'_>, now: Moment) -> Bundle {
        let declared = &self.declared;
        Bundle {
            migration_id: declared.migration_id.clone(),
            kind: declared.kind,
            intent: declared.intent.clone(),
            change_class: declared.approvals.change_class.clone(),
            requires_rollback: declared.requires_rollback,
            has_rollback: !declared.artifacts.rollback.is_empty(),
            approval_reference: declared.approvals.reference.clone(),
            touches_dictionary: declared
                .scope
                .allowed_tables
                .iter()
                .any(|table| is_dictionary(table)),
            declaration_sha256: String::new(),
            scripts_sha256: String::new(),
            status: BundleStatus::Draft,
            superseded_by: None,
            registered_by: by.id(),
            registered_at_utc: now,
            version: 1,
        }
    }

    fn row(
        &self,
        there: Option<&Plan>,
        by: &Acting<'_>,
        now: Moment,
        hash: impl Fn(Option<usize>) -> String,
    ) -> Plan {
        let plan = &self.plan;
        let diff = plan.diff(&self.declared.migration_id);
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let post = usize::from(plan.pre.bytes() != plan.post.bytes());
        Plan {
            migration_id: self.declared.migration_id.clone(),
            environment: plan.environment,
            plan_hash: plan.plan_hash().to_string(),
            schema_fingerprint: plan.pre.schema_fingerprint.clone(),
            pre_sha256: hash(Some(0)),
            post_sha256: hash(Some(post)),
            diff_sha256: hash(None),
            tables_touched: count(diff.table_count_touched),
            index_delta: diff.index_count_delta,
            rows_touched: count(diff.row_backfill),
            milliseconds: plan.milliseconds.map(count),
            planned_by: by.id(),
            planned_at_utc: now,
            version: there.map_or(1, |there| there.version + 1),
        }
    }
}
