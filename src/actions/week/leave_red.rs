//! Leaves red, by two people, with evidence: amber from then on, and the next pass is green.

use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop};
use super::acknowledge_incident::for_rules;
use super::{INCIDENT, incident_target, no_such_incident};
use crate::canon::Digest;
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::week as rule;
use crate::store::tables::image_of;
use crate::store::week::{self, Ended, Incident};
use crate::store::{StoreError, View, artifact};

pub(in crate::actions) struct LeaveRed {
    id: String,
    evidence: Vec<String>,
    addendum: Option<Digest>,
}

pub(in crate::actions) struct Facts {
    incident: Option<Incident>,
    newest: Option<Ended>,
    /// The evidence that is not attached to a run of this series.
    unknown: Vec<String>,
    is_addendum_filed: bool,
}

impl Action for LeaveRed {
    const MAY: Permission = permission::LEAVE_RED;
    const KEY: char = 'l';
    const SUMMARY: &'static str = "Leave red: amber from then on, and the next pass is green";
    const UNDO: &'static str =
        "cannot be undone: two runs in a row that do not pass make it red again";
    const KIND: &'static str = INCIDENT;
    const TARGET: &'static str = "The incident's id";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "evidence",
            help: "The ids of remediation evidence, with commas between them",
            required: Required::Yes,
        },
        Field {
            name: "addendum",
            help: "The hash of the readback's addendum, where numbers had reached partners",
            required: Required::No,
        },
    ];
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        let evidence = asked.required("evidence")?.split(',');
        let addendum = asked.optional("addendum").map(|hex| {
            let hex = hex.strip_prefix("sha256:").unwrap_or(hex);
            hex.parse().map_err(|_| {
                Refusal::new(
                    "the addendum is no SHA-256",
                    "64 lower-case hexadecimal digits",
                )
            })
        });
        Ok(Self {
            id: asked.target.clone(),
            evidence: evidence
                .map(|id| id.trim().to_owned())
                .filter(|id| !id.is_empty())
                .collect(),
            addendum: addendum.transpose()?,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        let incident = week::incident(view, &self.id).await?;
        let series = match &incident {
            Some(incident) => week::series(view, &incident.series_id).await?,
            None => None,
        };
        let newest = match series {
            Some(series) => week::look(view, series).await?.newest().cloned(),
            None => None,
        };
        let mut unknown = Vec::new();
        for id in &self.evidence {
            let of_series = match week::remediation(view, id).await? {
                Some(found) => week::find(view, &found.job_run_id).await?,
                None => None,
            };
            let wanted = incident.as_ref().map(|incident| &incident.series_id);
            if of_series.as_ref().map(|window| &window.series_id) != wanted || wanted.is_none() {
                unknown.push(id.clone());
            }
        }
        let is_addendum_filed = match self.addendum {
            Some(sha256) => artifact::bytes(view, sha256).await?.is_some(),
            None => false,
        };
        Ok(Facts {
            incident,
            newest,
            unknown,
            is_addendum_filed,
        })
    }

    fn propose(&self, facts: &Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let before = facts
            .incident
            .as_ref()
            .ok_or_else(|| no_such_incident(&self.id))?;
        let newest = facts.newest.as_ref();
        let evidence: Vec<&str> = self.evidence.iter().map(String::as_str).collect();
        let unknown: Vec<&str> = facts.unknown.iter().map(String::as_str).collect();
        let conditions = rule::may_leave_red(
            &for_rules(before),
            newest.map(|run| (&*run.job_run_id, run.status)),
            &evidence,
            &unknown,
            facts.is_addendum_filed,
        );
        let listed = image_of(&evidence)?;
        let after = Incident {
            left_by: Some(by.id()),
            left_approved_by: Some(by.second()),
            left_at_utc: Some(now),
            left_at_run_id: newest.map(|run| run.job_run_id.clone()),
            evidence: Some(String::from_utf8_lossy(&listed).into_owned()),
            addendum_sha256: self.addendum.map(|sha256| sha256.to_string()),
            version: before.version + 1,
            ..before.clone()
        };
        Ok(Draft::new(
            incident_target(before),
            conditions,
            vec![Row::change(before, after)?],
        ))
    }
}
