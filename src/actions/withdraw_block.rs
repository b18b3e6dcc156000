//! Withdraws a publish block: the edit that caused it was rolled back, and the source hashes as it was to be published.

use super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Suggested};
use super::resolve_block::{block_and_run, ending};
use super::take_block::{no_such_block, target};
use crate::canon::Digest;
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::block::{self, AuditStatus};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::publish::{Audit, Snapshot};
use crate::store::{StoreError, View};

pub(super) struct WithdrawBlock {
    run: String,
    rehash: Digest,
}

impl Action for WithdrawBlock {
    const MAY: Permission = permission::WITHDRAW_BLOCK;
    const KEY: char = 'w';
    const SUMMARY: &'static str = "Withdraw a publish block whose cause was rolled back";
    const UNDO: &'static str =
        "cannot be undone: what has ended stays ended; another run is minted";
    const KIND: &'static str = "block";
    const TARGET: &'static str = "The blocked run";
    const FIELDS: &'static [Field] = &[Field {
        name: "rehash",
        help: "The hash of the source as it is again, from: govdeck hash tuple FILE",
        required: Required::Yes,
    }];
    type Facts = Option<(Audit, Snapshot)>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        let rehash = asked.required("rehash")?.parse().map_err(|_| {
            Refusal::new(
                "the rehash is no hash",
                "64 lower-case hexadecimal digits, as `govdeck hash tuple FILE` prints them",
            )
        })?;
        Ok(Self {
            run: asked.target.clone(),
            rehash,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Self::Facts, StoreError> {
        block_and_run(view, &self.run).await
    }

    async fn suggest(target: &str, view: &mut View) -> Result<Option<Suggested>, Stop> {
        let (audit, _) = block_and_run(view, target)
            .await?
            .ok_or_else(|| no_such_block(target))?;
        // Whether the source is restored, only hashing it again tells.
        let published = audit.publish_tuple_hash.and_then(|hash| hash.parse().ok());
        let rehash = published.unwrap_or(Digest::of(b""));
        Ok(Some(Suggested {
            asked: Asked::of(target).with("rehash", rehash.to_string()),
            untold: &["source_restored"],
            offers: None,
        }))
    }

    fn propose(&self, facts: &Self::Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let (before, run) = facts.as_ref().ok_or_else(|| no_such_block(&self.run))?;
        let after = Audit {
            status: AuditStatus::Withdrawn,
            rehash_sha256: Some(self.rehash.to_string()),
            rehash_at_utc: Some(now),
            resolved_at_utc: Some(now),
            version: before.version + 1,
            ..before.clone()
        };
        let conditions = block::may_withdraw(&ending(before, run), self.rehash, by.actor);
        Ok(Draft::new(
            target(before),
            conditions,
            vec![Row::change(before, after)?],
        ))
    }
}
