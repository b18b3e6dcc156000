//! Whether a migration can still be taken back: looks at the database, at the target of bundles and at frozen files, and
//! writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::below_root;
use super::bundle::{AtStore, Reach};
use crate::bundles::Progress;
use crate::rules::bundle::Object;
use crate::rules::migration::{
    EvidenceKind, LONG_VIEW, Looked, Reversible, WIDE_VIEW, WayBackFacts, reversible,
};
use crate::settings::{Dsn, Settings};
use crate::store::migration::{self, Expanded, Known};
use crate::store::{Store, StoreError};

const NOT_EXPANDED: &str = "no bundle that expanded the dictionary is registered as made here";

/// What the settings say of what the way back rests on.
#[derive(Debug, Clone)]
pub struct WayBack<'a> {
    /// The governance root.
    pub root: &'a Path,
    /// The database that SQL bundles change, or why there is none.
    pub target: Result<&'a Dsn, String>,
}

impl<'a> WayBack<'a> {
    /// Reads it from the settings.
    #[must_use]
    pub fn of(settings: &'a Settings) -> Self {
        Self {
            root: &settings.governance_root,
            target: settings.bundle_target().map_err(|error| error.to_string()),
        }
    }
}

/// Looks whether a migration can be taken back.
pub async fn look(
    store: &Store,
    rests_on: &WayBack<'_>,
    known: &Known,
) -> Result<Reversible, StoreError> {
    let target = &rests_on.target;
    let mut view = store.view().await?;
    let now = view.now();
    let built = migration::built(&mut view).await?;
    let key = migration::dictionary_key(&mut view).await?;
    let not_alterable = match target {
        Ok(dsn) => {
            let login = migration::login_of(dsn);
            migration::not_alterable(&mut view, login.as_deref()).await?
        }
        Err(why) => Err(why.clone()),
    };
    let expanded = migration::expanded(&mut view).await?;
    let frozen = frozen(&mut view, known).await?;
    let mut there = BTreeMap::new();
    for golden in frozen.iter().flatten() {
        let filed = migration::as_filed(&mut view, &golden.sha256).await?;
        there.insert(golden.sha256.clone(), filed.is_some());
    }
    // Nothing is held open while files are hashed and another connection looks.
    drop(view);
    let root = rests_on.root;
    let goldens = frozen.map(|all| {
        let judge = |golden: Golden| {
            let is_filed = there.get(&golden.sha256) == Some(&true);
            let wrong = (!is_filed).then(|| match below_root::hash(root, &golden.file) {
                Ok(found) if found.to_string() == golden.sha256 => None,
                Ok(found) => Some(format!(
                    "it hashes to {found}, which is not what was frozen"
                )),
                Err(why) => Some(why),
            });
            (golden.file, wrong.flatten())
        };
        all.into_iter().map(judge).collect()
    });
    let views = match (&expanded, target) {
        (None, _) => Err(NOT_EXPANDED.to_owned()),
        (_, Err(why)) => Err(why.clone()),
        (Some(expanded), Ok(dsn)) => {
            let reach = Reach {
                target: (*dsn).clone(),
                drivers: Vec::new(),
            };
            views(expanded, &reach).await
        }
    };
    let scripts = match &expanded {
        None => Err(NOT_EXPANDED.to_owned()),
        Some(expanded) if expanded.rollback.is_empty() => {
            let id = &expanded.bundle.migration_id;
            Err(format!("{id} has no rollback script"))
        }
        Some(expanded) => Ok(expanded.rollback.iter().map(script).collect()),
    };
    let columns: Vec<&str> = built.columns.iter().map(|it| &*it.0).collect();
    let legacy: Vec<&str> = known.active_pairs().into_iter().map(|it| it.0).collect();
    Ok(known.decide(now, |facts| {
        reversible(&WayBackFacts {
            now,
            clock_is_behind: facts.clock_is_behind,
            stand: facts.stand,
            legacy,
            columns,
            views,
            key,
            not_alterable,
            scripts,
            goldens,
        })
    }))
}

fn script((path, digest, is_there): &(String, String, bool)) -> (String, bool) {
    (format!("{path} ({digest})"), *is_there)
}

/// Compares both views with what the expansion left, at the target of bundles.
async fn views(expanded: &Expanded, reach: &Reach) -> Looked<Vec<(&'static str, bool)>> {
    let id = &expanded.bundle.migration_id;
    let left = expanded.left.as_ref();
    let left = left.ok_or_else(|| format!("what {id} left is not there as it was filed"))?;
    let looked = async {
        let at = AtStore::open(expanded.declaration.clone(), reach, Progress::default()).await?;
        at.baseline().await
    };
    let now = looked.await.map_err(|error: StoreError| error.sentence)?;
    let mut found = Vec::new();
    for view in [WIDE_VIEW, LONG_VIEW] {
        let is_it = |it: &&Object| it.kind == "view" && it.name.rsplit('.').next() == Some(view);
        let Some(stands) = now.objects.iter().find(is_it) else {
            continue;
        };
        found.push((view, left.objects.contains(stands)));
    }
    Ok(found)
}

/// A golden, as the newest replay named it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Golden {
    file: String,
    sha256: String,
}

/// Reads which goldens the newest replay compared, from what was filed of it.
async fn frozen(
    view: &mut crate::store::View,
    known: &Known,
) -> Result<Looked<Vec<Golden>>, StoreError> {
    let mut evidence = known.evidence.iter();
    let newest = evidence.find(|it| it.gate == EvidenceKind::Replay);
    let Some(newest) = newest else {
        return Ok(Err("nothing was replayed yet".to_owned()));
    };
    let compared = match migration::replays(view, newest).await? {
        Ok(compared) => compared.replays,
        Err(why) => return Ok(Err(why.to_owned())),
    };
    let goldens = compared.into_iter().map(|it| Golden {
        file: it.file,
        sha256: it.sha256,
    });
    let goldens: BTreeSet<Golden> = goldens.collect();
    if goldens.is_empty() {
        return Ok(Err("the newest replay compared no golden".to_owned()));
    }
    Ok(Ok(goldens.into_iter().collect()))
}
