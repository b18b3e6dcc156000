//! Runs a verb that takes a store: opens it as the verb needs, and waits no longer than it may.

use std::time::Duration;

use super::later::Later;
use super::page::{Exit, Failure, Page};
use super::{Verb, block, bundle, cadence, hour, ledger, migration_report, sign, status, waiting};
use crate::settings::Settings;
use crate::store::{Access, OsAccount, Store, schema};

/// How long a verb waits for the database; hashing everything again and upgrading may take as long as they take.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// How long a verb waits that works on more than the database's answers on the way.
const PATIENCE_WITH_FILES: Duration = Duration::from_mins(30);

/// Runs a verb, and stops waiting for a server that no longer answers; the process ends with it.
pub(super) async fn within_patience(verb: Verb, settings: &Settings) -> Result<Page, Failure> {
    let patience = match verb {
        // A person reads and types as long as they want.
        Verb::Init(_)
        | Verb::Sign(_)
        | Verb::Evidence(_)
        | Verb::Bundle(Later(bundle::Bundle::AtTarget(_)))
        | Verb::Rehearse(_)
        | Verb::Hour(Later(hour::Hours::Begin { .. } | hour::Hours::Work { .. }))
        | Verb::Ledger(Later(ledger::Ledger::Verify { .. })) => Duration::MAX,
        Verb::Job(_)
        | Verb::Card(_)
        | Verb::Week(_)
        | Verb::Publish(_)
        | Verb::Block(Later(block::Block::Show { .. }))
        | Verb::Cite(_)
        | Verb::Readback(_) => PATIENCE_WITH_FILES,
        Verb::Gate(ref gate) if gate.takes_its_time() => PATIENCE_WITH_FILES,
        _ => PATIENCE,
    };
    let silence = |_| {
        Failure::new(
            Exit::CannotTell,
            format!(
                "the database has not answered for {} seconds",
                patience.as_secs()
            ),
            "whether something was written, `govdeck ledger show` tells when it answers again",
        )
    };
    tokio::time::timeout(patience, Box::pin(run_on_store(verb, settings)))
        .await
        .map_err(silence)?
}

async fn run_on_store(verb: Verb, settings: &Settings) -> Result<Page, Failure> {
    let account = OsAccount::of_this_process()?;
    if let Verb::Init(Later(verb)) = verb {
        return verb.run(settings, account).await;
    }
    let access = match verb {
        Verb::Act(ref act) => act.access(),
        Verb::Approval(ref approval) => approval.access(),
        Verb::Key(ref key) => key.access(),
        Verb::Window(ref window) => window.access(),
        Verb::Policy(ref policy) => policy.access(),
        Verb::Dictionary(ref dictionary) => dictionary.access(),
        Verb::Migration(ref migration) => migration.access(),
        Verb::Hour(ref hour) => hour.access(),
        Verb::Outbox(ref outbox) => outbox.access(),
        Verb::Bundle(ref bundle) => bundle.access(),
        Verb::Sign(_)
        | Verb::Card(_)
        | Verb::Drill(_)
        | Verb::Job(_)
        | Verb::Publish(_)
        | Verb::Rehearse(_) => Access::Write,
        Verb::Gate(ref gate) => gate.access(),
        _ => Access::Read,
    };
    // Whoever is alone at work holds a session, which a pooler would hand to others.
    let dsn = match verb {
        Verb::Bundle(Later(bundle::Bundle::AtTarget(_)))
        | Verb::Rehearse(_)
        | Verb::Hour(Later(hour::Hours::Begin { .. } | hour::Hours::Work { .. })) => {
            settings.direct()?
        }
        _ => &settings.dsn,
    };
    let store = Store::open(dsn, account, access).await?;
    if let Some(found) = store.newer_schema() {
        let known = schema::latest();
        eprintln!(
            "warning: the database has schema {found}, this program knows only {known}: it may only look"
        );
    }
    let pen = sign::Pen {
        signer: sign::signer(settings),
        waiting: waiting::Waiting::of(settings),
    };
    let root = &settings.governance_root;
    let page = match verb {
        Verb::Status => status::run(&store, settings).await,
        Verb::Snapshot(Later(verb)) => verb.run(&store, settings).await,
        Verb::Act(Later(verb)) => match verb.looking_outside(&store, root).await {
            Ok(verb) => verb.run(&store, &pen).await,
            Err(failure) => Err(failure),
        },
        Verb::Why(Later(verb)) => verb.run(&store, root, pen.signer.as_ref()).await,
        Verb::Approval(Later(verb)) => verb.run(&store, &pen).await,
        Verb::Key(Later(verb)) => verb.run(&store, &pen).await,
        Verb::Gate(Later(verb)) => verb.run(&store, settings).await,
        Verb::Sign(Later(verb)) => verb.run(&store, root, &pen).await,
        Verb::Week(Later(verb)) => verb.run(&store, root).await,
        Verb::Policy(Later(verb)) => verb.run(&store, &pen).await,
        Verb::Migration(Later(verb)) => verb.run(&store, settings, &pen).await,
        Verb::Hour(Later(verb)) => verb.run(&store, settings, &pen).await,
        Verb::Rehearse(Later(verb)) => Box::pin(verb.run(&store, settings)).await,
        Verb::Calendar => migration_report::calendar(&store).await,
        Verb::Dictionary(Later(verb)) => verb.run(&store, &pen).await,
        Verb::Bundle(Later(verb)) => verb.run(&store, settings, &pen).await,
        Verb::Readback(Later(verb)) => verb.run(&store, settings).await,
        Verb::Cite(Later(verb)) => verb.run(&store, settings).await,
        Verb::Window(Later(verb)) => verb.run(&store, &pen).await,
        Verb::Cadence => cadence::run(&store).await,
        Verb::Drill(Later(verb)) => verb.run(&store).await,
        Verb::Job(Later(verb)) => verb.run(&store, settings).await,
        Verb::Publish(Later(verb)) => verb.run(&store, settings).await,
        Verb::Block(Later(verb)) => verb.run(&store).await,
        Verb::Ledger(Later(verb)) => verb.run(&store).await,
        Verb::Outbox(Later(verb)) => verb.run(&store).await,
        Verb::Artifact(Later(verb)) => verb.run(&store).await,
        Verb::Evidence(Later(verb)) => verb.run(&store).await,
        Verb::Card(Later(verb)) => verb.run(&store, root, &pen.waiting).await,
        // The verbs that need no store never come here.
        _ => Err(Failure::new(
            Exit::BadInput,
            "this verb works without a database",
            "report this as a bug",
        )),
    };
    store.close().await;
    page
}
