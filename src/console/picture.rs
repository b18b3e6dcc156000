//! One consistent look at the database: counts, the visible windows, and what is possible with the selected row.

use std::time::Instant;

use crate::actions::{self, Asked, Entry, Signing};
use crate::clock::Moment;
use crate::rules::cadence::Week;
use crate::rules::people::{Actor, Basis};
use crate::rules::{Condition, Refusal};
use crate::store::block::{self, BlockSort, OpenBlock, ReasonCount};
use crate::store::deployment::{self, Deployment};
use crate::store::ledger::{self, Change, Head, LedgerSort};
use crate::store::presence::{self, Armed};
use crate::store::publish::{self, Counts};
use crate::store::window::{Look, Window};
use crate::store::{Failure, Store, StoreError, View, artifact, cadence, leaf, outbox, person};

use super::panes::PaneId;

/// How many blocks that wait for the person, and how many new entries, Home lists.
const LISTED: i64 = 20;

/// How many cells of a drift the detail of a block names.
const CELLS: usize = 6;

/// What the model wants to see; the reader keeps looking at this.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The pane that is open.
    pub pane: PaneId,
    /// Which window of the open blocks.
    pub blocks: Look<BlockSort>,
    /// Which window of the ledger.
    pub entries: Look<LedgerSort>,
    /// The row whose detail is shown: its kind and its id.
    pub selected: Option<(&'static str, String)>,
    /// The newest entry that this person had seen when they last left.
    pub last_looked: Option<i64>,
    /// Whether decision cards are signed at this console.
    pub signing: Signing,
}

/// One consistent look at the database.
#[derive(Debug)]
pub struct Picture {
    /// The database's time; in a demo, what the demo's clock shows.
    pub now: Moment,
    /// The moment at which the database said so, by this process's own clock.
    pub at: Instant,
    /// How many seconds of that time a real second has: 1, but in a demo.
    pub rate: u32,
    /// How far this workstation's clock is ahead of the database's own, in milliseconds.
    pub skew_milliseconds: i64,
    /// The deployment.
    pub deployment: Deployment,
    /// Who is at the keys; nobody may only look.
    pub actor: Option<Actor>,
    /// The login.
    pub login: String,
    /// The schema, where it is newer than this program knows.
    pub newer_schema: Option<i64>,
    /// The newest entry.
    pub head: Head,
    /// How many runs stand where.
    pub counts: Counts,
    /// What is known of this cert week.
    pub week: Week,
    /// How many messages wait for delivery.
    pub waiting_messages: i64,
    /// The open blocks by reason.
    pub reasons: Vec<ReasonCount>,
    /// The blocks that wait for whoever is at the keys.
    pub mine: Vec<OpenBlock>,
    /// How many entries are new since the last look; none when there was no last look.
    pub new_entries: Option<i64>,
    /// The newest entries, newest first.
    pub recent: Vec<ledger::Entry>,
    /// Who is armed.
    pub armed: Vec<Armed>,
    /// The window of open blocks.
    pub blocks: Window<OpenBlock>,
    /// The window of the ledger.
    pub entries: Window<ledger::Entry>,
    /// The selected entry with its changes and its card.
    pub entry: Option<EntryDetail>,
    /// What explains the drift of the selected block; none where nothing was filed.
    pub drift: Option<DriftDetail>,
    /// What can be done with the selected row.
    pub possible: Vec<Possible>,
    /// What was wanted when the picture was taken.
    pub wanted: Wanted,
}

impl Picture {
    /// Says how many blocks wait for whoever is at the keys; beyond what is listed nobody counts.
    #[must_use]
    pub fn how_many_wait(&self) -> String {
        let count = self.mine.len();
        let beyond = i64::try_from(count).is_ok_and(|count| count >= LISTED);
        format!("{count}{}", if beyond { "+" } else { "" })
    }
}

/// An entry with its changes and its card.
#[derive(Debug)]
pub struct EntryDetail {
    /// The entry's position.
    pub seq: i64,
    /// What it changed, each with the image before.
    pub changes: Vec<(Change, Option<String>)>,
    /// The decision card, as canonical JSON, or why it cannot be shown.
    pub card: Result<String, String>,
}

/// What explains a block's drift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriftDetail {
    /// The run.
    pub run: String,
    /// The cells that differ, in a line, or why that cannot be told; as hostile as the names of metrics.
    pub says: String,
}

/// An action, and whether it can be done with the selected row now.
#[derive(Debug)]
pub struct Possible {
    /// The action.
    pub entry: &'static Entry,
    /// Everything that must hold.
    pub conditions: Vec<Condition>,
    /// Why it cannot be done; none when it can.
    pub refusal: Option<Refusal>,
}

/// Takes a picture of what is wanted.
pub async fn take(store: &Store, wanted: &Wanted) -> Result<Picture, StoreError> {
    let mut view = store.view().await?;
    // Both are measured before anything else is read: each later read would be taken for a difference of clocks.
    let (at, here) = (Instant::now(), Moment::on_this_workstation());
    let view = &mut view;
    let actor = person::actor(view).await?;
    let mine = match &actor {
        Some(actor) => block::waiting_for(view, &actor.person_id, LISTED).await?,
        None => Vec::new(),
    };
    let new_entries = match wanted.last_looked {
        Some(seq) => Some(ledger::after(view, seq).await?),
        None => None,
    };
    let recent = Look {
        reach: u16::try_from(LISTED).unwrap_or(u16::MAX) / 2,
        ..Look::default()
    };
    let entries = match wanted.pane {
        PaneId::Ledger => ledger::window(view, &wanted.entries).await?,
        _ => Window::default(),
    };
    let blocks = match wanted.pane {
        PaneId::Blocks => block::window(view, &wanted.blocks).await?,
        _ => Window::default(),
    };
    let since = view.now().start_of_week();
    Ok(Picture {
        now: view.now(),
        rate: view.rate(),
        at,
        skew_milliseconds: here.since(view.server_now()).num_milliseconds(),
        deployment: deployment::read(view).await?,
        login: view.login().to_owned(),
        newer_schema: store.newer_schema(),
        head: ledger::head(view).await?,
        counts: publish::counts(view).await?,
        week: cadence::week(view, since).await?,
        waiting_messages: outbox::waiting(view).await?,
        reasons: block::by_reason(view).await?,
        mine,
        new_entries,
        recent: ledger::window(view, &recent).await?.rows,
        armed: presence::armed(view).await?,
        entry: detail(view, wanted).await?,
        drift: drift(view, wanted).await?,
        possible: possible(view, wanted, actor.as_ref()).await?,
        wanted: wanted.clone(),
        actor,
        blocks,
        entries,
    })
}

async fn detail(view: &mut View, wanted: &Wanted) -> Result<Option<EntryDetail>, StoreError> {
    let Some(("entry", id)) = &wanted.selected.as_ref().map(|(kind, id)| (*kind, id)) else {
        return Ok(None);
    };
    let Ok(seq) = id.parse::<i64>() else {
        return Ok(None);
    };
    let mut changes = Vec::new();
    for change in ledger::changes(view, seq, seq).await? {
        let before = ledger::image_before(view, &change).await?;
        changes.push((change, before));
    }
    let card = match ledger::entries(view, seq, 1).await?.first() {
        Some(entry) => card(view, entry).await?,
        None => Err("the entry is gone".to_owned()),
    };
    Ok(Some(EntryDetail { seq, changes, card }))
}

/// Reads what explains the drift of the selected block.
async fn drift(view: &mut View, wanted: &Wanted) -> Result<Option<DriftDetail>, StoreError> {
    let Some(("block", run)) = &wanted.selected.as_ref().map(|(kind, id)| (*kind, id)) else {
        return Ok(None);
    };
    let filed = leaf::drift(view, run).await?;
    Ok(filed.map(|filed| DriftDetail {
        run: (*run).clone(),
        says: match filed.drift {
            Ok(drift) => drift.in_a_line(CELLS),
            Err(why) => why,
        },
    }))
}

/// Reads the decision card; one that was tampered with is said, and takes no picture away.
async fn card(
    view: &mut View,
    entry: &ledger::Entry,
) -> Result<Result<String, String>, StoreError> {
    match artifact::bytes(view, entry.card_sha256).await {
        Ok(Some(bytes)) => Ok(Ok(String::from_utf8_lossy(&bytes).into_owned())),
        Ok(None) => Ok(Err(
            "the decision card is gone; verify the ledger".to_owned()
        )),
        Err(error) if error.kind == Failure::Unusable => Ok(Err(error.sentence)),
        Err(error) => Err(error),
    }
}

/// Asks every action on this kind of row whether it could be done; the rules answer, not the console.
async fn possible(
    view: &mut View,
    wanted: &Wanted,
    actor: Option<&Actor>,
) -> Result<Vec<Possible>, StoreError> {
    let (Some((kind, id)), Some(_)) = (&wanted.selected, actor) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for entry in actions::ENTRIES {
        if entry.basis != Basis::Person || entry.kind != *kind || !entry.fields.is_empty() {
            continue;
        }
        let asked = Asked::of(id.as_str()).with_signing(wanted.signing);
        let possible = match actions::propose(view, entry.verb, asked).await {
            Ok(proposal) => Possible {
                entry,
                conditions: proposal.conditions().to_vec(),
                refusal: proposal.refusal(),
            },
            Err(actions::Stop::Store(error)) => return Err(error),
            Err(actions::Stop::Refused(refusal) | actions::Stop::BadInput(refusal)) => Possible {
                entry,
                conditions: Vec::new(),
                refusal: Some(refusal),
            },
        };
        found.push(possible);
    }
    Ok(found)
}
