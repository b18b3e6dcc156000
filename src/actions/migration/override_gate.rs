//! Lets a migration past a gate for a while, by two people; it is shown for ever.

use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Suggested};
use super::{Facts, MIGRATION, id_of, read, target, there};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::migration::{self as rule, Gate};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::store::migration::{self, GateOverride};
use crate::store::{StoreError, View};

pub(in crate::actions) struct OverrideGate {
    id: String,
    gate: Gate,
    expires: Moment,
}

impl Action for OverrideGate {
    const MAY: Permission = permission::OVERRIDE_GATE;
    const KEY: char = 'v';
    const SUMMARY: &'static str = "Let a migration past a gate for a while, by two people";
    const UNDO: &'static str = "by itself: it ends at its time, and is shown for ever";
    const KIND: &'static str = MIGRATION;
    const TARGET: &'static str = "The migration's id";
    const FIELDS: &'static [Field] = &[
        Field {
            name: "gate",
            help: "The gate, as G3; G1, G2, D1, D3 and D4 are never overridden",
            required: Required::Yes,
        },
        Field {
            name: "expires",
            help: "Until when, as 2026-05-26T15:00:00Z; seven days at most",
            required: Required::Yes,
        },
    ];
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            gate: asked.required("gate")?.parse()?,
            expires: moment(asked.required("expires")?)?,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        read(view, &self.id).await
    }

    async fn suggest(target: &str, view: &mut View) -> Result<Option<Suggested>, Stop> {
        let now = view.now();
        let Some(known) = migration::known(view, target).await? else {
            return Ok(None);
        };
        let next = known.migration.phase.next();
        let open = known.decide(now, |facts| {
            let reports = next.map(|next| rule::reports(facts, next));
            let mut reports = reports.unwrap_or_default().into_iter();
            let open = reports.find(|it| !it.lets_pass() && it.gate.can_be_overridden());
            open.map(|report| report.gate)
        });
        Ok(open.map(|gate| Suggested {
            asked: Asked::of(target)
                .with("gate", gate.word())
                .with("expires", now.plus_minutes(60).to_string()),
            untold: &["expires"],
            offers: Some("gate"),
        }))
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let facts = there(facts.as_ref(), &self.id)?;
        let known = &facts.known;
        let name = format!(
            "{}/{}/{}/{}",
            self.id,
            self.gate,
            self.expires,
            known.overrides.len()
        );
        let row = GateOverride {
            override_id: id_of(&name),
            migration_id: self.id.clone(),
            gate: self.gate,
            reason: by.reason(),
            requested_by: by.id(),
            approved_by: by.second(),
            granted_at_utc: now,
            expires_at_utc: self.expires,
            version: 1,
        };
        let conditions = known.decide(now, |facts| {
            rule::may_override(facts, self.gate, self.expires)
        });
        let said = format!("{} overridden until {}", self.gate, self.expires);
        let draft = Draft::new(target(&known.migration), conditions, vec![Row::new(row)]);
        Ok(draft.with_notices(facts.tell(by, &said, &by.reason())))
    }
}

/// Reads a moment in time.
pub(super) fn moment(text: &str) -> Result<Moment, Refusal> {
    text.parse().map_err(|_| {
        Refusal::new(
            format!("{text:?} is no moment in time"),
            "write it as 2026-05-26T14:00:00Z",
        )
    })
}
