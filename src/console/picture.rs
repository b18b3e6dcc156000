//! One consistent look at the database: counts, the visible windows, and what is possible with the selected row.

use std::time::{Duration, Instant};

use crate::actions::{self, Signing};
use crate::clock::Moment;
use crate::rules::approval::{Part, WAITS_MINUTES, part_of};
use crate::rules::cadence::Week;
use crate::rules::people::{Actor, Role};
use crate::rules::week::State;
use crate::store::approval::{self, ApprovalRequest, Waiting};
use crate::store::block::{self, BlockSort, OpenBlock, ReasonCount};
use crate::store::bundle::{self, BundleSort};
use crate::store::deployment::{self, Deployment};
use crate::store::dictionary::{self, DictionaryMetric, MetricSort};
use crate::store::ledger::{self, Head, LedgerSort};
use crate::store::migration::{KnownHour, MigrationSort, MismatchSort};
use crate::store::past::NoPast;
use crate::store::people::{self, Listed, PersonSort};
use crate::store::presence::{self, Armed};
use crate::store::publish::{self, Counts};
use crate::store::week::{self, WeekSort};
use crate::store::window::{Look, Window};
use crate::store::{Store, StoreError, View, cadence, outbox, person};

use super::agent_sight::{self, AgentSight};
use super::bundle_sight::{self, BundleDetail};
use super::detail::{
    self, Asks, BlockDetail, EntryDetail, MetricDetail, PersonDetail, ReleaseSight, SeriesSight,
    WeekDetail,
};
use super::list::Rows;
use super::migration_sight::{self, Migrations};
use super::panes::PaneId;
use super::past_sight::{self, PastSight};
use super::possible::possible;

/// How often a picture is taken anew at most while nothing is written.
const SOONEST: Duration = Duration::from_secs(1);

pub use super::detail::Lately;
pub use super::possible::Possible;

/// How many blocks that wait for the person, and how many new entries, Home lists.
pub(super) const LISTED: i64 = 20;
/// Among how many proposals those are found that are somebody's.
const LOOKED_AT: i64 = 200;

/// What the model wants to see; the reader keeps looking at this.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The pane that is open.
    pub pane: PaneId,
    /// Which window of the open blocks.
    pub blocks: Look<BlockSort>,
    /// Which window of the migrations.
    pub migrations: Look<MigrationSort>,
    /// Which window of the mismatches.
    pub mismatches: Look<MismatchSort>,
    /// Which window of the bundles.
    pub bundles: Look<BundleSort>,
    /// Which window of the metrics.
    pub dictionary: Look<MetricSort>,
    /// Which window of the weekly runs.
    pub weeks: Look<WeekSort>,
    /// Which window of the ledger.
    pub entries: Look<LedgerSort>,
    /// Which window of the people.
    pub people: Look<PersonSort>,
    /// The row whose detail is shown: its kind and its id.
    pub selected: Option<(&'static str, String)>,
    /// What actions are about: mostly the selected row.
    pub about: Option<(&'static str, String)>,
    /// The newest entry that this person had seen when they last left.
    pub last_looked: Option<i64>,
    /// Whether decision cards are signed at this console.
    pub signing: Signing,
    /// What leads to the database.
    pub way: Way,
    /// The moment in the past that is looked at; none is now.
    pub as_of: Option<Moment>,
}

/// What leads to the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Way {
    /// A connection for each session.
    #[default]
    Direct,
    /// A pooler, whose connections say nothing of who is behind them.
    Pooler,
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
    /// Whether anybody works unattended, and how messages fare.
    pub agent: AgentSight,
    /// The open blocks by reason.
    pub reasons: Vec<ReasonCount>,
    /// The blocks that wait for whoever is at the keys.
    pub mine: Vec<OpenBlock>,
    /// The proposals that wait for them, and their own that wait for another.
    pub approvals: Vec<Approval>,
    /// How many entries are new since the last look; none when there was no last look.
    pub new_entries: Option<i64>,
    /// The newest entries, newest first.
    pub recent: Vec<ledger::Entry>,
    /// Who is armed.
    pub armed: Vec<Armed>,
    /// The logins that are connected, where the server can tell; read for the pane People alone.
    pub connected: Option<Vec<String>>,
    /// The window of open blocks.
    pub blocks: Window<OpenBlock>,
    /// How each active series stands; read for every pane, as it may be somebody's turn to sign.
    pub series: Vec<SeriesSight>,
    /// The window of the weekly runs.
    pub weeks: Window<week::Listed>,
    /// The migrations, what mismatches, and the selected one.
    pub migrations: Box<Migrations>,
    /// The bundles by how far they have come, and their window; read for the pane Bundles alone.
    pub progress: Vec<bundle::Count>,
    /// The window of the bundles.
    pub bundles: Window<bundle::Listed>,
    /// The selected bundle with its plans and runs.
    pub bundle: Option<BundleDetail>,
    /// The window of the metrics.
    pub dictionary: Window<DictionaryMetric>,
    /// Which release of the dictionary holds; read for the pane Dictionary alone.
    pub released: Option<ReleaseSight>,
    /// The selected metric with what binds to it and where it was used.
    pub metric: Option<MetricDetail>,
    /// The window of the ledger.
    pub entries: Window<ledger::Entry>,
    /// The window of the people.
    pub people: Window<Listed>,
    /// The selected weekly run with its metrics and the names under it.
    pub run: Option<WeekDetail>,
    /// The selected entry with its changes and its card.
    pub entry: Option<EntryDetail>,
    /// The selected person with roles, keys and last entries.
    pub person: Option<PersonDetail>,
    /// How well people must be known, class by class; read for the pane People alone.
    pub policies: Vec<Asks>,
    /// The selected block with what explains it and what happened to it.
    pub block: Option<BlockDetail>,
    /// How fast blocks were answered lately; read for the pane Blocks alone.
    pub lately: Option<Lately>,
    /// What can be done with the selected row.
    pub possible: Vec<Possible>,
    /// What was found of the past, where that is looked at, or why there is none; then the pane's rows are of that moment,
    /// and everything else is of now.
    pub past: Option<Result<PastSight, NoPast>>,
    /// What was wanted when the picture was taken.
    pub wanted: Wanted,
}

impl Picture {
    /// Tells for how long it may be shown while nothing is written: what may be done changes with the time too.
    #[must_use]
    pub fn good_for(&self, renewal: Duration) -> Duration {
        let rate = self.rate.max(1);
        let hour = self.migrations.hour.as_ref();
        let opens = hour.and_then(|sight| sight.hour.as_ref()?.stand().opens());
        let left = opens.and_then(|opens| opens.since(self.now).to_std().ok());
        let soonest = left.map_or(renewal, |left| left.min(renewal));
        (soonest / rate).max(SOONEST)
    }

    /// Returns the rows of a pane's list, as far as they were read; Home and Cutover have no list.
    #[must_use]
    pub fn rows(&self, pane: PaneId) -> Option<&dyn Rows> {
        match pane {
            PaneId::Home | PaneId::Cutover => None,
            PaneId::Migration => Some(&self.migrations.rows),
            PaneId::Mismatches => Some(&self.migrations.mismatches),
            PaneId::Bundles => Some(&self.bundles),
            PaneId::Dictionary => Some(&self.dictionary),
            PaneId::Blocks => Some(&self.blocks),
            PaneId::Weeks => Some(&self.weeks),
            PaneId::Ledger => Some(&self.entries),
            PaneId::People => Some(&self.people),
        }
    }

    /// Lists the series whose newest run is green, and not signed by whoever is at the keys, where they are a signer.
    #[must_use]
    pub fn owed(&self) -> Vec<&SeriesSight> {
        let signer = self.actor.as_ref();
        let Some(signer) = signer.filter(|actor| actor.holds_one_of(&[Role::Signer])) else {
            return Vec::new();
        };
        let owes = |sight: &&SeriesSight| {
            sight.look.standing.state == State::Green && !sight.signers.contains(&signer.person_id)
        };
        self.series.iter().filter(owes).collect()
    }

    /// Says how much waits for whoever is at the keys; beyond what is listed nobody counts.
    #[must_use]
    pub fn how_many_wait(&self, now: Moment) -> String {
        let proposals = self.asked_of_me(now).count();
        let is_all = |count: usize| i64::try_from(count).is_ok_and(|count| count < LISTED);
        let (redeploys, deficiencies) = (
            self.migrations.redeploys.len(),
            self.migrations.deficiencies.len(),
        );
        let listed = [
            self.mine.len(),
            self.approvals.len(),
            redeploys,
            deficiencies,
        ];
        let beyond = !listed.into_iter().all(is_all);
        let hour = usize::from(self.hour_to_lead().is_some());
        let tasks = redeploys + deficiencies;
        let count = self.mine.len() + proposals + self.owed().len() + hour + tasks;
        format!("{count}{}", if beyond { "+" } else { "" })
    }

    /// Returns the hour that runs, when whoever is at the keys leads it.
    #[must_use]
    pub fn hour_to_lead(&self) -> Option<&KnownHour> {
        let who = &self.actor.as_ref()?.person_id;
        let running = self.migrations.running.as_ref();
        running.filter(|hour| hour.hour.lead_id == *who)
    }

    /// Lists the proposals that wait for the yes of whoever is at the keys.
    pub fn asked_of_me(&self, now: Moment) -> impl Iterator<Item = &ApprovalRequest> {
        self.approvals
            .iter()
            .filter(move |approval| {
                approval.part == Part::Second && now < approval.waiting.request.expires_at_utc
            })
            .map(|approval| &approval.waiting.request)
    }
}

/// A proposal that waits, and what whoever is at the keys has to do with it.
#[derive(Debug)]
pub struct Approval {
    /// The proposal.
    pub waiting: Waiting,
    /// Their part in it.
    pub part: Part,
}

/// Takes a picture of what is wanted.
pub async fn take(store: &Store, wanted: &Wanted) -> Result<Picture, StoreError> {
    let mut view = store.view().await?;
    let Some(at) = wanted.as_of else {
        return Box::pin(today(store, &mut view, wanted)).await;
    };
    // What is not put in afterwards is missing, and never as of today.
    let frame = Wanted {
        pane: PaneId::Home,
        selected: None,
        about: None,
        ..wanted.clone()
    };
    let mut picture = Box::pin(today(store, &mut view, &frame)).await?;
    Box::pin(past_sight::put(&mut view, wanted, at, &mut picture)).await?;
    Ok(picture)
}

/// Takes a picture of how things stand now.
async fn today(store: &Store, view: &mut View, wanted: &Wanted) -> Result<Picture, StoreError> {
    // Both are measured before anything else is read: each later read would be taken for a difference of clocks.
    let (at, here) = (Instant::now(), Moment::on_this_workstation());
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
    let lately = match wanted.pane {
        PaneId::Blocks => Some(detail::lately(view).await?),
        _ => None,
    };
    let people = match wanted.pane {
        PaneId::People => people::window(view, &wanted.people).await?,
        _ => Window::default(),
    };
    let weeks = match wanted.pane {
        PaneId::Weeks => week::listed(view, &wanted.weeks).await?,
        _ => Window::default(),
    };
    let (bundles, progress) = bundle_sight::list(view, wanted).await?;
    let (dictionary, released) = match wanted.pane {
        PaneId::Dictionary => (
            dictionary::listed(view, &wanted.dictionary).await?,
            detail::released(view).await?,
        ),
        _ => Default::default(),
    };
    let series = detail::series(view).await?;
    let policies = match wanted.pane {
        PaneId::People => detail::policies(view).await?,
        _ => Vec::new(),
    };
    let connected = match (wanted.pane, wanted.way) {
        (PaneId::People, Way::Direct) => presence::connected(view).await?,
        _ => None,
    };
    let since = view.now().start_of_week();
    let who = actor.as_ref().map(|actor| &*actor.person_id);
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
        agent: agent_sight::read(view).await?,
        reasons: block::by_reason(view).await?,
        mine,
        approvals: approvals(view, actor.as_ref()).await?,
        new_entries,
        recent: ledger::window(view, &recent).await?.rows,
        armed: presence::armed(view).await?,
        connected,
        run: detail::week(view, wanted).await?,
        migrations: Box::new(Box::pin(migration_sight::read(view, wanted, who)).await?),
        bundle: bundle_sight::read(view, wanted).await?,
        metric: detail::metric(view, wanted).await?,
        entry: detail::entry(view, wanted).await?,
        person: detail::person(view, wanted).await?,
        policies,
        block: detail::block(view, wanted).await?,
        lately,
        possible: Box::pin(possible(view, wanted, actor.as_ref())).await?,
        past: None,
        wanted: wanted.clone(),
        actor,
        blocks,
        series,
        bundles,
        progress,
        dictionary,
        released,
        weeks,
        entries,
        people,
    })
}

/// Reads the proposals that wait for somebody, or that they wait with; an expired one stays as long as it waited.
async fn approvals(view: &mut View, actor: Option<&Actor>) -> Result<Vec<Approval>, StoreError> {
    let Some(actor) = actor else {
        return Ok(Vec::new());
    };
    let since = view.now().plus_minutes(-WAITS_MINUTES);
    let waiting = approval::inbox(view, since, LOOKED_AT).await?;
    let theirs = |waiting: Waiting| {
        let request = &waiting.request;
        let today = actions::find(&request.action).ok()?.may.two;
        let needed = request.roles().unwrap_or_else(|| today.to_vec());
        let part = part_of(&request.proposed_by, &needed, actor)?;
        Some(Approval { waiting, part })
    };
    let most = usize::try_from(LISTED).unwrap_or(usize::MAX);
    Ok(waiting.into_iter().filter_map(theirs).take(most).collect())
}
