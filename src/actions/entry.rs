//! What an action is: a self-describing row, facts read from a view, and a pure proposal.

use std::future::Future;
use std::sync::Arc;

pub use super::asked::{Asked, Prepared, Signing};
use crate::canon::Digest;
use crate::clock::Moment;
use crate::rules::guard::Level;
use crate::rules::migration::hour::{frozen, is_frozen};
use crate::rules::people::{Acting, Basis, Role};
use crate::rules::permission::Permission;
use crate::rules::{Condition, Refusal};
use crate::store::approval::ApprovalRequest;
use crate::store::artifact::Artifact;
use crate::store::outbox::Notice;
use crate::store::presence::Arming;
use crate::store::tables::{Boxed, GovernedRow, image_of};
use crate::store::week::Kept;
use crate::store::{StoreError, Target, View, migration};

/// Words that somebody could give, as far as the database alone can tell, to judge an action by before they do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggested {
    /// The words.
    pub asked: Asked,
    /// The conditions about which these words say nothing yet: only a person's own do.
    pub untold: &'static [&'static str],
    /// The field whose word can be offered to them.
    pub offers: Option<&'static str>,
}

/// A field of an action, as help and dialogs show it.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub help: &'static str,
    /// Whether it may be left out.
    pub required: Required,
}

/// Whether a field may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required {
    /// It must be given.
    Yes,
    /// It may be left out.
    No,
}

/// A row that would change: as it is, and as it would be.
#[derive(Debug, Clone)]
pub struct Row {
    /// The canonical image now; none when the row is new.
    pub before: Option<Vec<u8>>,
    /// The row at its next version.
    pub after: Arc<dyn GovernedRow>,
}

impl Row {
    /// Adds a new row.
    pub(super) fn new(after: impl GovernedRow + 'static) -> Self {
        Self {
            before: None,
            after: Arc::new(after),
        }
    }

    /// Changes a row that exists.
    pub(super) fn change(
        before: &impl GovernedRow,
        after: impl GovernedRow + 'static,
    ) -> Result<Self, Stop> {
        Ok(Self {
            before: Some(before.image()?),
            after: Arc::new(after),
        })
    }
}

/// What an action would do, and everything that must hold for it.
#[derive(Debug)]
pub struct Draft {
    /// What is acted on, at the version that was seen.
    pub target: Target,
    /// What must hold, each with its verdict.
    pub conditions: Vec<Condition>,
    /// The rows that would change.
    pub rows: Vec<Row>,
    /// The messages that would be sent.
    pub notices: Vec<Notice>,
    /// The evidence that would be filed, each piece by the role it plays.
    pub evidence: Vec<(&'static str, Artifact)>,
    /// What whoever decides reads to its end before, line by line.
    pub report: Vec<String>,
    /// The console that would be armed or disarmed.
    pub arming: Option<Arming>,
    /// The metrics that would be kept of the run that it ends.
    pub kept: Option<Kept>,
    /// The proposal of somebody else that this would be the second yes to.
    pub second: Option<Second>,
    /// The proposal that this would answer, by a yes or a no.
    pub answers: Option<ApprovalRequest>,
}

/// Somebody else's proposal, planned anew for whoever would say the second yes.
#[derive(Debug)]
pub struct Second {
    /// The proposal.
    pub request: ApprovalRequest,
    /// The verb of what is proposed.
    pub verb: &'static str,
    /// What it is about.
    pub target: Target,
    /// What it rests on, as found now.
    pub conditions: Vec<Condition>,
    /// The card that both see.
    pub card: Vec<u8>,
}

impl Draft {
    pub(super) fn new(target: Target, conditions: Vec<Condition>, rows: Vec<Row>) -> Self {
        Self {
            target,
            conditions,
            rows,
            notices: Vec::new(),
            evidence: Vec::new(),
            report: Vec::new(),
            arming: None,
            kept: None,
            second: None,
            answers: None,
        }
    }

    pub(super) fn answering(self, request: &ApprovalRequest) -> Self {
        Self {
            answers: Some(request.clone()),
            ..self
        }
    }

    pub(super) fn with_notices(self, notices: Vec<Notice>) -> Self {
        Self { notices, ..self }
    }

    pub(super) fn with_evidence(self, evidence: Vec<(&'static str, Artifact)>) -> Self {
        Self { evidence, ..self }
    }

    pub(super) fn with_report(self, report: Vec<String>) -> Self {
        Self { report, ..self }
    }

    pub(super) fn with_kept(self, kept: Kept) -> Self {
        Self {
            kept: Some(kept),
            ..self
        }
    }

    pub(super) fn with_arming(self, arming: Option<Arming>) -> Self {
        Self { arming, ..self }
    }
}

/// Why planning an action ended early.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The words do not make sense, whatever the database holds.
    #[error(transparent)]
    BadInput(Refusal),
    /// An expected no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An action: what it is called, what it reads, and what it would do.
pub(super) trait Action: Sized + Send + Sync + 'static {
    /// What it is called, how much it asks, and of whom.
    const MAY: Permission;
    /// The key behind the console's `a`; a blank where nobody confirms it.
    const KEY: char;
    const SUMMARY: &'static str;
    /// How it is taken back; see [`Entry::undo`].
    const UNDO: &'static str;
    /// What kind of thing its target is.
    const KIND: &'static str;
    const TARGET: &'static str;
    const SUBJECT: Subject = Subject::There;
    const FIELDS: &'static [Field] = &[];

    /// What is read from the database to decide on.
    type Facts: Send + Sync;

    /// Reads the words; refuses what is malformed.
    fn parse(asked: &Asked) -> Result<Self, Refusal>;
    /// Reads the facts, from a look or from inside the writing transaction.
    fn facts(
        &self,
        view: &mut View,
    ) -> impl Future<Output = Result<Self::Facts, StoreError>> + Send;
    /// Returns words to judge it by; none where it takes some, and nothing can be told before they are given.
    fn suggest(
        target: &str,
        _view: &mut View,
    ) -> impl Future<Output = Result<Option<Suggested>, Stop>> + Send {
        let without_words = Self::FIELDS.is_empty().then(|| Suggested {
            asked: Asked::of(target),
            untold: &[],
            offers: None,
        });
        async { Ok(without_words) }
    }
    /// Says what would be done and what must hold; pure.
    fn propose(&self, facts: &Self::Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop>;
}

type Plan = for<'a> fn(&'a Asked, &'a mut View, &'a Acting<'a>) -> Boxed<'a, Result<Draft, Stop>>;

type Suggest = for<'a> fn(&'a str, &'a mut View) -> Boxed<'a, Result<Option<Suggested>, Stop>>;

/// Whether an action's target is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// It is: it can be selected.
    There,
    /// The action makes it: its id is new.
    New,
}

/// One action's row in the registry.
#[derive(Debug)]
pub struct Entry {
    /// The verb, as the ledger writes it.
    pub verb: &'static str,
    /// The key behind the console's `a`; a blank where nobody confirms it.
    pub key: char,
    /// What it does, in one line.
    pub summary: &'static str,
    /// How it is taken back: an action's name, `by itself` or `cannot be undone`, and after a colon what is to be known
    /// of that.
    pub undo: &'static str,
    /// How much is asked of whoever does it.
    pub level: Level,
    /// Whether a person or a rule decides it.
    pub basis: Basis,
    /// The roles of which the actor must hold one.
    pub roles: &'static [Role],
    /// Who may do it, whole.
    pub may: Permission,
    /// What kind of thing its target is.
    pub kind: &'static str,
    /// What its target is.
    pub target: &'static str,
    /// Whether its target is there already.
    pub subject: Subject,
    /// Its fields.
    pub fields: &'static [Field],
    pub(super) plan: Plan,
    suggest: Suggest,
}

pub(super) const fn entry<A: Action>() -> Entry {
    Entry {
        verb: A::MAY.verb,
        key: A::KEY,
        summary: A::SUMMARY,
        undo: A::UNDO,
        level: A::MAY.level,
        basis: A::MAY.basis,
        roles: A::MAY.roles,
        may: A::MAY,
        kind: A::KIND,
        target: A::TARGET,
        subject: A::SUBJECT,
        fields: A::FIELDS,
        plan: |asked, view, by| Box::pin(plan::<A>(asked, view, by)),
        suggest: |target, view| Box::pin(A::suggest(target, view)),
    }
}

async fn plan<A: Action>(asked: &Asked, view: &mut View, by: &Acting<'_>) -> Result<Draft, Stop> {
    let action = A::parse(asked).map_err(Stop::BadInput)?;
    let facts = action.facts(view).await?;
    let mut draft = action.propose(&facts, by, view.now())?;
    if is_frozen(A::MAY.verb)
        && let Some(hour) = migration::running_hour(view).await?
    {
        draft.conditions.push(frozen(&hour.banner_id()));
    }
    Ok(draft)
}

impl Entry {
    /// Tells whether one thing of its kind is meant when nobody names one: of migrations, the one under way.
    #[must_use]
    pub fn is_about_the_newest(&self) -> bool {
        ["migration", "hour"].contains(&self.kind) && self.subject == Subject::There
    }

    /// Returns the name that people type on a command line.
    #[must_use]
    pub fn name(&self) -> String {
        self.verb.replace('_', "-")
    }

    /// Returns words to judge it by on a target; none where only those of a person will do.
    pub async fn suggest(&self, target: &str, view: &mut View) -> Result<Option<Suggested>, Stop> {
        (self.suggest)(target, view).await
    }
}

impl Draft {
    /// Returns the hash of what the decision rests on: target, version, and each condition's verdict.
    pub(super) fn state_hash(&self) -> Result<Digest, StoreError> {
        let verdicts: Vec<_> = self
            .conditions
            .iter()
            .map(|condition| (condition.id, condition.verdict))
            .collect();
        let target = &self.target;
        Ok(Digest::of(&image_of(&(
            target.kind,
            &target.id,
            target.version,
            verdicts,
        ))?))
    }
}
