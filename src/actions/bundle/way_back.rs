//! What a run of a bundle would take away from the way back of a migration, as the database alone can tell.

use crate::clock::Moment;
use crate::rules::Condition;
use crate::rules::bundle::{Baseline, Declared, Kind};
use crate::rules::bundle_run::Tier;
use crate::rules::migration::{
    DICTIONARY, Dialect, LONG_VIEW, Site, WIDE_VIEW, WouldDo, leaves_the_way_back,
};
use crate::store::bundle::{self, Known, Run};
use crate::store::migration::{self, Needs};
use crate::store::{StoreError, View};

/// Which way a run goes.
pub(super) enum Way<'a> {
    /// It makes the change.
    Forward(Tier),
    /// It takes back what a run made.
    Back(Tier, Option<&'a Run>),
}

/// What a run would do, and whom that concerns.
pub(in crate::actions) struct WayBack {
    needs: Vec<Needs>,
    is_sql: bool,
    is_in_scope: bool,
    before: Option<Baseline>,
    after: Option<Baseline>,
    scripts: String,
    dialect: Dialect,
    schema: String,
}

impl WayBack {
    /// Reads what a run would do; nothing of it where no migration could need the views.
    pub(super) async fn read(
        view: &mut View,
        known: &Known,
        way: Way<'_>,
    ) -> Result<Self, StoreError> {
        let needs = migration::needing(view).await?;
        let mut found = Self {
            is_sql: known.bundle.kind == Kind::Postgis,
            is_in_scope: false,
            before: None,
            after: None,
            scripts: String::new(),
            dialect: migration::dialect(view),
            schema: String::new(),
            needs,
        };
        if found.needs.is_empty() || !found.is_sql {
            return Ok(found);
        }
        found.schema = migration::built(view).await?.schema;
        let (tier, ran) = match &way {
            Way::Forward(tier) => (*tier, None),
            Way::Back(tier, ran) => (*tier, *ran),
        };
        let plan = known.plan(tier);
        let of_run = ran.map(|run| (run.pre_sha256.clone(), run.post_sha256.clone()));
        let of_plan = plan.map(|plan| (plan.pre_sha256.clone(), plan.post_sha256.clone()));
        let (pre, post) = match (of_run, of_plan) {
            (Some((Some(pre), Some(post))), _) | (_, Some((pre, post))) => (Some(pre), Some(post)),
            _ => (None, None),
        };
        let (pre, post) = (baseline(view, pre).await?, baseline(view, post).await?);
        let is_back = matches!(way, Way::Back(..));
        (found.before, found.after) = if is_back { (post, pre) } else { (pre, post) };
        let pieces = bundle::pieces(view, &known.bundle).await?;
        let declared = pieces.first().map(|piece| Declared::read(&piece.bytes));
        if let Some(Ok(declared)) = declared {
            let declared = declared.declaration;
            let paths = if is_back {
                declared.artifacts.rollback
            } else {
                declared.artifacts.forward
            };
            for piece in pieces.iter().filter(|piece| paths.contains(&piece.path)) {
                found
                    .scripts
                    .push_str(&String::from_utf8_lossy(&piece.bytes));
                found.scripts.push('\n');
            }
            let ours = [WIDE_VIEW, LONG_VIEW, DICTIONARY];
            found.is_in_scope = declared.scope.allowed_tables.iter().any(|table| {
                let bare = table.rsplit('.').next().unwrap_or(table);
                ours.iter().any(|name| name.eq_ignore_ascii_case(bare))
            });
        } else {
            // What cannot be read may have anything in its scope.
            found.is_in_scope = true;
        }
        Ok(found)
    }

    /// States that nothing is taken away that a migration needs.
    pub(super) fn kept(&self, now: Moment) -> Condition {
        let site = Site {
            dialect: self.dialect,
            schema: &self.schema,
        };
        let needing: Vec<_> = self
            .needs
            .iter()
            .map(|needs| needs.for_rules(&self.scripts, &site))
            .collect();
        let would = WouldDo {
            is_sql: self.is_sql,
            is_in_scope: self.is_in_scope,
            before: self.before.as_ref(),
            after: self.after.as_ref(),
            scripts: &self.scripts,
        };
        leaves_the_way_back(&needing, &would, now)
    }
}

async fn baseline(view: &mut View, sha256: Option<String>) -> Result<Option<Baseline>, StoreError> {
    let bytes = match sha256 {
        Some(sha256) => migration::as_filed(view, &sha256).await?,
        None => None,
    };
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}
