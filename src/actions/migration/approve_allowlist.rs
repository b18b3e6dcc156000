//! Says yes to the allow-list of a phase, bound to its hash; whoever wrote it does not.

use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Suggested};
use super::{MIGRATION, open, read, target, there};
use crate::clock::Moment;
use crate::rules::migration::Phase;
use crate::rules::people::{Acting, PersonKind};
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::migration::{self, Allowlist, AllowlistApproval};
use crate::store::{StoreError, View, person};

const OWNER: &str = "exporter_maintainer";

pub(in crate::actions) struct ApproveAllowlist {
    id: String,
    phase: Phase,
    sha256: String,
}

pub(in crate::actions) struct Facts {
    read: super::Facts,
    list: Option<Allowlist>,
    approvals: Vec<AllowlistApproval>,
    is_human: bool,
}

impl Action for ApproveAllowlist {
    const MAY: Permission = permission::APPROVE_ALLOWLIST;
    const KEY: char = 'p';
    const SUMMARY: &'static str = "Approve the allow-list of a phase as it is registered";
    const UNDO: &'static str = "register-allowlist: a yes is bound to the hash, and lapses with it";
    const KIND: &'static str = MIGRATION;
    const TARGET: &'static str = "The migration's id";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "phase",
            help: "prepare, dual_write or cutover",
            required: Required::Yes,
        },
        Field {
            name: "hash",
            help: "What the allow-list hashes to, as `migration show` says it",
            required: Required::Yes,
        },
    ];
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            phase: asked.required("phase")?.parse()?,
            sha256: asked.required("hash")?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        let Some(read) = read(view, &self.id).await? else {
            return Ok(None);
        };
        let list = migration::allowlist(view, &self.id, self.phase).await?;
        let approvals = match &list {
            Some(list) => migration::approvals(view, list).await?,
            None => Vec::new(),
        };
        let actor = person::actor(view).await?;
        let who = match actor {
            Some(actor) => person::find(view, &actor.person_id).await?,
            None => None,
        };
        Ok(Some(Facts {
            read,
            list,
            approvals,
            is_human: who.is_some_and(|it| it.active && it.kind == PersonKind::Human),
        }))
    }

    async fn suggest(target: &str, view: &mut View) -> Result<Option<Suggested>, Stop> {
        let Some(found) = migration::find(view, target).await? else {
            return Ok(None);
        };
        let phase = found.phase.next().unwrap_or(found.phase);
        let list = migration::allowlist(view, target, phase).await?;
        let hash = list.map_or("none".to_owned(), |list| list.allowlist_sha256);
        Ok(Some(Suggested {
            asked: Asked::of(target)
                .with("phase", phase.word())
                .with("hash", hash),
            untold: &[],
            offers: Some("hash"),
        }))
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let known = &there(facts.as_ref().map(|facts| &facts.read), &self.id)?.known;
        let list = facts.as_ref().and_then(|facts| facts.list.as_ref());
        let who = &by.actor.person_id;
        let hash = list.map(|list| &*list.allowlist_sha256);
        let author = list.map(|list| &*list.author_id);
        let approvals = facts.as_ref().map(|facts| &*facts.approvals);
        let approvals = approvals.unwrap_or_default();
        let has_approved = approvals.iter().any(|it| it.approver_id == *who);
        let conditions = vec![
            open(known),
            Condition::holds(
                "hash",
                hash == Some(&*self.sha256),
                OWNER,
                hash.map_or(format!("none is registered for {}", self.phase), |hash| {
                    format!("the one for {} is {hash}", self.phase)
                }),
                "look at the one that is registered now, and approve that",
            ),
            Condition::holds(
                "another_human",
                author.is_some_and(|author| author != who)
                    && facts.as_ref().is_some_and(|facts| facts.is_human),
                OWNER,
                author.map_or("nobody wrote it".to_owned(), |author| {
                    format!("{author} wrote it")
                }),
                "two humans who did not write it approve it",
            ),
            Condition::holds(
                "not_approved",
                !has_approved,
                OWNER,
                format!("{} approved it", approvals.len()),
                "one yes of each is enough",
            ),
        ];
        let row = AllowlistApproval {
            migration_id: self.id.clone(),
            phase: self.phase,
            allowlist_sha256: self.sha256.clone(),
            approver_id: by.id(),
            reason: by.reason(),
            approved_at_utc: now,
            version: 1,
        };
        Ok(Draft::new(
            target(&known.migration),
            conditions,
            vec![Row::new(row)],
        ))
    }
}
