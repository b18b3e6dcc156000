//! Practises what a rule decides in earnest, and tells whoever would be told; nothing but the drill itself is written.

use super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Subject};
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::drill::{self, DrillKind, Practised};
use crate::rules::migration::TOLD_OF_ROLLBACK;
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::week::{Pair, TOLD_OF_RED};
use crate::store::drill::{self as drills, DrillRecord};
use crate::store::outbox::Notice;
use crate::store::tables::image_of;
use crate::store::{StoreError, Target, View, person, week};

/// What the target of an action on a drill is called.
pub(super) const DRILL: &str = "drill";

pub(super) struct Practise {
    id: String,
    kind: DrillKind,
}

pub(super) struct Facts {
    is_new: bool,
    /// The newest policy that two people adopted, by its name.
    policy: Option<(String, Pair)>,
    /// Whoever is told in earnest.
    told: Vec<String>,
}

impl Action for Practise {
    const MAY: Permission = permission::PRACTISE;
    const KEY: char = ' ';
    const SUMMARY: &'static str =
        "Practise what a rule decides in earnest, with runs that are made up";
    const UNDO: &'static str = "cannot be undone: somebody was told";
    const KIND: &'static str = DRILL;
    const TARGET: &'static str = "The drill's new id";
    const SUBJECT: Subject = Subject::New;
    const FIELDS: &'static [Field] = &[Field {
        name: "kind",
        help: "What is practised: double_skip or epsilon_breach",
        required: Required::Yes,
    }];
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            kind: asked.required("kind")?.parse()?,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        let newest = week::policies(view).await?.into_iter().next();
        let told = match self.kind {
            DrillKind::DoubleSkip => TOLD_OF_RED,
            DrillKind::EpsilonBreach => TOLD_OF_ROLLBACK,
        };
        Ok(Facts {
            is_new: drills::find(view, &self.id).await?.is_none(),
            policy: newest.map(|it| {
                let (soft, hard, floor) = (it.soft, it.hard, it.floor);
                (it.epsilon_policy_version, Pair { soft, hard, floor })
            }),
            told: person::holders(view, told).await?,
        })
    }

    fn propose(&self, facts: &Facts, _by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let policy = facts.policy.as_ref();
        let pair = policy.map(|(_, pair)| pair);
        let conditions = drill::may_practise(facts.is_new, pair, self.kind);
        let target = Target {
            kind: DRILL,
            id: self.id.clone(),
            version: 0,
        };
        let practised = match (self.kind, policy) {
            (DrillKind::DoubleSkip, _) => drill::double_skip(&self.id),
            (DrillKind::EpsilonBreach, Some((name, pair))) => {
                drill::epsilon_breach(&self.id, (name, pair), now)
            }
            // The conditions say so, and nothing is written.
            (DrillKind::EpsilonBreach, None) => {
                return Ok(Draft::new(target, conditions, Vec::new()));
            }
        };
        let row = DrillRecord {
            drill_id: self.id.clone(),
            kind: self.kind,
            drill: true,
            given: String::from_utf8_lossy(&image_of(&practised.given)?).into_owned(),
            passed: practised.passed(),
            paged: facts.told.join(", "),
            practised_at_utc: now,
            answered_by: None,
            answered_at_utc: None,
            version: 1,
            expected: practised.expected.clone(),
            found: practised.found.clone(),
        };
        let notices = facts.told.iter().map(|who| self.tell(who, &practised));
        let notices = notices.collect();
        Ok(Draft::new(target, conditions, vec![Row::new(row)]).with_notices(notices))
    }
}

impl Practise {
    fn tell(&self, who: &str, practised: &Practised) -> Notice {
        let (event_class, subject) = match self.kind {
            DrillKind::DoubleSkip => ("governance_red", "governance would be RED"),
            DrillKind::EpsilonBreach => {
                ("migration_rolled_back", "a migration would be taken back")
            }
        };
        let id = &self.id;
        let runs: Vec<_> = practised.given.iter().map(|it| &*it.run).collect();
        Notice {
            event_class,
            about: id.clone(),
            recipient_id: who.to_owned(),
            subject: format!("{id}: {subject}"),
            body: format!(
                "DRILL: the runs {} are made up, and nothing has changed. The rule says: {}.\n\
                 Answer it with: govdeck act answer-drill {id}",
                runs.join(", "),
                practised.found
            ),
            drill: true,
        }
    }
}
