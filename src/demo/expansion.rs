//! The bundles that expand the dictionary of a story: written, planned, approved, merged and run at its own database.

use std::collections::BTreeMap;
use std::path::Path;

use super::chapters::migration::ID;
use super::chapters::papers::{COLUMNS, REFERENCE, filling};
use super::deeds::{act, confirmed, unless_refused};
use super::files;
use crate::actions::{Asked, Stop};
use crate::bundles::Progress;
use crate::bundles::expand::{Expansion, SERIES};
use crate::bundles::folder::Folder;
use crate::bundles::scaffold::{self, NotMade};
use crate::bundles::sql::Place;
use crate::jobs::bundle::{self as job, AtStore, Files, Reach};
use crate::jobs::hour::Commands;
use crate::jobs::rehearsal;
use crate::rules::Refusal;
use crate::rules::bundle::{DECLARATION_FILE, Declared, Kind};
use crate::rules::bundle_run::Tier;
use crate::rules::permission::CLAIM_BUNDLE_RUN;
use crate::settings::Dsn;
use crate::store::{Store, StoreError, approval, bundle, migration};

/// What a person does about a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Making {
    /// They write the bundles, all of them.
    Write,
    /// They try it, and register what it does.
    Plan,
    /// They propose that it may be run.
    Propose,
    /// They agree to that.
    Agree,
    /// They merge it.
    Merge,
    /// They run it.
    Run,
}

/// Where the bundles lie, and what they change.
pub(super) struct Site<'a> {
    pub(super) root: &'a Path,
    pub(super) dsn: &'a Dsn,
    pub(super) seed: u32,
}

impl Site<'_> {
    /// Lists the bundles by their ids.
    pub(super) fn ids(&self) -> Result<Vec<String>, StoreError> {
        let folder = self.root.join(Kind::Postgis.word());
        let about = |error| files::about(&folder, &error);
        let mut ids = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(about)? {
            let name = entry.map_err(about)?.file_name();
            ids.extend(name.into_string());
        }
        ids.sort_unstable();
        Ok(ids)
    }

    /// Lets a person do something about a bundle.
    pub(super) async fn make(
        &self,
        store: &Store,
        bundle: usize,
        making: Making,
        reason: &str,
    ) -> Result<(), StoreError> {
        if making == Making::Write {
            return unless_refused(self.write(store).await);
        }
        let ids = self.ids()?;
        let Some(id) = ids.get(bundle) else {
            return Ok(());
        };
        let of = || Asked::of(id).with("environment", Tier::Dev.word());
        let (verb, asked) = match making {
            Making::Write | Making::Run => {
                return unless_refused(self.run(store, id, reason).await);
            }
            Making::Plan => match self.plan(id).await {
                Ok(plan) => ("register_bundle", Asked::of(id).with("plan", plan)),
                Err(stop) => return unless_refused(Err(stop)),
            },
            Making::Propose => {
                let known = bundle::known(&mut store.view().await?, id).await?;
                let plan = known.as_ref().and_then(|known| known.plan(Tier::Dev));
                let Some(plan) = plan else { return Ok(()) };
                ("approve_bundle", of().with("plan", plan.plan_hash.clone()))
            }
            Making::Agree => {
                let waiting = approval::waiting(&mut store.view().await?, 1).await?;
                let Some(waiting) = waiting.first() else {
                    return Ok(());
                };
                ("approve", Asked::of(waiting.ticket.clone()))
            }
            Making::Merge => ("merge_bundle", Asked::of(id)),
        };
        act(store, verb, asked, reason).await
    }

    /// Writes what expands the dictionary, and a bundle that fills it.
    async fn write(&self, store: &Store) -> Result<(), Stop> {
        let mut view = store.view().await?;
        let known = migration::known(&mut view, ID).await?;
        let built = migration::built(&mut view).await?;
        let day = view.now().as_datetime().date_naive();
        drop(view);
        let types = COLUMNS.map(|(name, kind)| (name.to_owned(), kind.to_owned()));
        let expansion = Expansion {
            migration: ID,
            pairs: &known
                .as_ref()
                .map(migration::Known::active_pairs)
                .unwrap_or_default(),
            built: &built,
            types: &BTreeMap::from(types),
            reference: REFERENCE,
        };
        let kind = Kind::Postgis;
        let ids: [String; 3] =
            scaffold::next_ids(self.root, kind, SERIES, day).map_err(not_made)?;
        let [columns, index] = expansion.bundles(&ids[0], &ids[2])?;
        for (id, files) in ids
            .iter()
            .zip([columns, filling(&ids[1], self.seed), index])
        {
            scaffold::put(self.root, kind, id, &files).map_err(not_made)?;
        }
        Ok(())
    }

    /// Tries a bundle at the database, in a transaction that is taken back.
    async fn plan(&self, id: &str) -> Result<String, Stop> {
        let path = self.root.join(Kind::Postgis.word()).join(id);
        let unread = |why: String| Refusal::new(why, "`govdeck bundle check` tells more");
        let folder = Folder::open(&path).map_err(|error| files::about(&path, &error))?;
        let declaration = folder.text(DECLARATION_FILE).map_err(unread)?;
        let declared = Declared::read(declaration.as_bytes())
            .map_err(|found| unread(format!("{DECLARATION_FILE}: {found:?}")))?;
        let scripts = folder.scripts(&declared.declaration).map_err(unread)?;
        let worker =
            AtStore::open(declared.declaration, &self.reach(), Progress::default()).await?;
        let files = Files {
            declaration,
            scripts,
        };
        let planned = job::plan(&worker, files, Tier::Dev, Place::InPlace).await?;
        if !planned.passes() {
            let found = format!("{id} does not keep to its plan: {:?}", planned.back);
            return Err(unread(found).into());
        }
        let bytes = planned.registration.bytes();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    async fn run(&self, store: &Store, id: &str, reason: &str) -> Result<(), Stop> {
        let known = bundle::known(&mut store.view().await?, id).await?;
        let Some(known) = known else { return Ok(()) };
        let reach = self.reach();
        let worker = AtStore::of_known(store, &known, &reach, Progress::default()).await?;
        let asked = job::asked(&worker, id, Tier::Dev).await?;
        let claim = confirmed(store, CLAIM_BUNDLE_RUN.verb, asked, reason).await?;
        job::run(store, &worker, claim).await.map(drop)
    }

    /// Rehearses the hour with all of them on a fork, each deed once.
    pub(super) async fn rehearse(&self, store: &Store) -> Result<(), StoreError> {
        let reach = rehearsal::Reach {
            root: self.root.to_owned(),
            commands: Commands::default(),
            ledger: self.dsn.clone(),
            rehearsal: None,
            bundles: self.dsn.clone(),
        };
        let (faults, never) = (rehearsal::Faults::LeftOut, std::future::pending());
        // It holds a whole hour, and every other deed would carry its size along.
        let rehearsed = Box::pin(rehearsal::run(store, &reach, ID, faults, never)).await;
        unless_refused(rehearsed.map(drop))
    }

    fn reach(&self) -> Reach {
        Reach {
            target: self.dsn.clone(),
            drivers: Vec::new(),
        }
    }
}

fn not_made(error: NotMade) -> Stop {
    match error {
        NotMade::Refused(refusal) => Stop::Refused(refusal),
        NotMade::Io(path, error) => Stop::Store(files::about(&path, &error)),
    }
}
