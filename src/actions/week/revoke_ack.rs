//! Takes an ack back; that it was given stays.

use super::super::entry::{Action, Asked, Draft, Row, Stop};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::week as rule;
use crate::store::week::{self, Ack, AckRevocation};
use crate::store::{StoreError, Target, View};

pub(in crate::actions) struct RevokeAck {
    run: String,
    signer: String,
}

pub(in crate::actions) struct Facts {
    ack: Option<Ack>,
    revocation: Option<AckRevocation>,
}

impl Action for RevokeAck {
    const MAY: Permission = permission::REVOKE_ACK;
    const KEY: char = 'x';
    const SUMMARY: &'static str = "Take an ack back; that it was given stays known";
    const UNDO: &'static str = "cannot be undone: a run is signed once by each signer";
    const KIND: &'static str = "ack";
    const TARGET: &'static str = "The run and the signer, as RUN/SIGNER";
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        let (run, signer) = asked.target.rsplit_once('/').ok_or_else(|| {
            Refusal::new(
                format!("{:?} names no ack", asked.target),
                "write it as RUN/SIGNER",
            )
        })?;
        Ok(Self {
            run: run.to_owned(),
            signer: signer.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        Ok(Facts {
            ack: week::ack(view, &self.run, &self.signer).await?,
            revocation: week::revocation(view, &self.run, &self.signer).await?,
        })
    }

    fn propose(&self, facts: &Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let signer = facts.ack.as_ref().map(|ack| &*ack.signer_id);
        let row = AckRevocation {
            job_run_id: self.run.clone(),
            signer_id: self.signer.clone(),
            reason: by.reason(),
            revoked_by: by.id(),
            revoked_at_utc: now,
            version: 1,
        };
        let target = Target {
            kind: Self::KIND,
            id: format!("{}/{}", self.run, self.signer),
            version: facts.ack.as_ref().map_or(0, |ack| ack.version),
        };
        Ok(Draft::new(
            target,
            rule::may_revoke(signer, facts.revocation.is_some(), by.actor),
            vec![Row::new(row)],
        ))
    }
}
