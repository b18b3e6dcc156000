//! Registers a column of the dictionary with the one that takes its place, or withdraws such a pair.

use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop};
use super::{Facts, MIGRATION, open, read, target, there};
use crate::clock::Moment;
use crate::rules::migration::{PairStatus, Phase, faults_of_pairs};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::{Condition, Refusal};
use crate::store::migration::{ColumnPair, Known};
use crate::store::{StoreError, View};

const LEGACY: Field = Field {
    name: "legacy",
    help: "The column that goes, as breach_count",
    required: Required::Yes,
};

pub(in crate::actions) struct RegisterPair {
    id: String,
    legacy: String,
    modern: String,
    rule: String,
}

pub(in crate::actions) struct WithdrawPair {
    id: String,
    legacy: String,
}

fn before_cutover(known: &Known) -> Condition {
    let phase = known.migration.phase;
    Condition::holds(
        "before_cutover",
        matches!(phase, Phase::Prepare | Phase::DualWrite),
        "data_engineer",
        format!("it is in {phase}"),
        "pairs are settled before the cutover; the clock of clean hours begins anew with each change",
    )
}

impl Action for RegisterPair {
    const MAY: Permission = permission::REGISTER_PAIR;
    const KEY: char = 'n';
    const SUMMARY: &'static str = "Register a column with the one that takes its place";
    const UNDO: &'static str = "withdraw-pair: the clock of clean hours begins anew";
    const KIND: &'static str = MIGRATION;
    const TARGET: &'static str = "The migration's id";
    const FIELDS: &'static [Field] = &[
        LEGACY,
        Field {
            name: "modern",
            help: "The column that comes, as breachCount or route.ownerRouteId",
            required: Required::Yes,
        },
        Field {
            name: "rule",
            help: "How both are filled meanwhile, in plain words",
            required: Required::Yes,
        },
    ];
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            legacy: asked.required("legacy")?.to_owned(),
            modern: asked.required("modern")?.to_owned(),
            rule: asked.required("rule")?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        read(view, &self.id).await
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let facts = there(facts.as_ref(), &self.id)?;
        let known = &facts.known;
        let mut pairs = known.active_pairs();
        pairs.retain(|(legacy, _)| *legacy != self.legacy);
        pairs.push((&self.legacy, &self.modern));
        let faults = faults_of_pairs(&pairs, &[]);
        let found = known
            .pairs
            .iter()
            .find(|it| it.legacy_column == self.legacy);
        let is_new = found.is_none_or(|pair| pair.status == PairStatus::Withdrawn);
        let conditions = vec![
            open(known),
            before_cutover(known),
            Condition::holds(
                "not_registered",
                is_new,
                "data_engineer",
                found.map_or("not registered yet".to_owned(), |pair| {
                    format!(
                        "{} stands for {}: {}",
                        pair.modern_column, pair.legacy_column, pair.status
                    )
                }),
                "withdraw the pair that is there first",
            ),
            Condition::holds(
                "names",
                faults.is_empty(),
                "data_engineer",
                faults
                    .first()
                    .map_or("both names can be columns".to_owned(), ToString::to_string),
                "1 to 56 bytes, each name once in a migration, ignoring case",
            ),
        ];
        let row = ColumnPair {
            migration_id: self.id.clone(),
            legacy_column: self.legacy.clone(),
            modern_column: self.modern.clone(),
            population_rule: self.rule.clone(),
            status: PairStatus::Active,
            registered_by: by.id(),
            registered_at_utc: now,
            version: found.map_or(1, |pair| pair.version + 1),
        };
        let rows = vec![match found {
            Some(before) => Row::change(before, row)?,
            None => Row::new(row),
        }];
        Ok(Draft::new(target(&known.migration), conditions, rows))
    }
}

impl Action for WithdrawPair {
    const MAY: Permission = permission::WITHDRAW_PAIR;
    const KEY: char = 'w';
    const SUMMARY: &'static str = "Withdraw a pair of columns";
    const UNDO: &'static str = "register-pair: the clock of clean hours begins anew";
    const KIND: &'static str = MIGRATION;
    const TARGET: &'static str = "The migration's id";
    const FIELDS: &'static [Field] = &[LEGACY];
    type Facts = Option<Facts>;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        Ok(Self {
            id: asked.target.clone(),
            legacy: asked.required("legacy")?.to_owned(),
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Option<Facts>, StoreError> {
        read(view, &self.id).await
    }

    fn propose(&self, facts: &Option<Facts>, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let facts = there(facts.as_ref(), &self.id)?;
        let known = &facts.known;
        let found = known
            .pairs
            .iter()
            .find(|it| it.legacy_column == self.legacy);
        let before = found.ok_or_else(|| {
            Refusal::new(
                format!("{} has no pair with {:?}", self.id, self.legacy),
                "`govdeck migration show` lists them",
            )
        })?;
        let conditions = vec![
            open(known),
            before_cutover(known),
            Condition::holds(
                "active",
                before.status == PairStatus::Active,
                "data_engineer",
                format!("the pair is {}", before.status),
                "nothing is left to do",
            ),
        ];
        let after = ColumnPair {
            status: PairStatus::Withdrawn,
            registered_by: by.id(),
            registered_at_utc: now,
            version: before.version + 1,
            ..before.clone()
        };
        let rows = vec![Row::change(before, after)?];
        Ok(Draft::new(target(&known.migration), conditions, rows))
    }
}
