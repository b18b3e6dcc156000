//! Adopts a policy of epsilons with its pair of limits, by two people, with what it would have done before.

use super::super::add_person::plain_line;
use super::super::entry::{Action, Asked, Draft, Field, Required, Row, Stop, Subject};
use crate::canon;
use crate::clock::Moment;
use crate::rules::Refusal;
use crate::rules::dictionary::{
    epsilons_hash_of, repeats_the_release, version as dictionary_version,
};
use crate::rules::people::Acting;
use crate::rules::permission::{self, Permission};
use crate::rules::reconcile::Policy;
use crate::rules::week::{self as rule, Backtest, Pair, PastWeek};
use crate::store::artifact::{Artifact, EPSILON_POLICY, POLICY_BACKTEST};
use crate::store::dictionary::{self, Release};
use crate::store::week::{self, EpsilonPolicy};
use crate::store::{StoreError, Target, View};

/// The largest document that is taken; a proposal carries it until a second person says yes.
const MOST_BYTES: usize = 512 * 1024;

pub(in crate::actions) struct Facts {
    same: Option<EpsilonPolicy>,
    release: Option<Release>,
    weeks: Vec<PastWeek>,
}

pub(in crate::actions) struct AdoptPolicy {
    version: String,
    pair: Pair,
    document: Vec<u8>,
    release: String,
    epsilons_sha256: Option<String>,
    metrics: Result<u64, String>,
    backtest: Backtest,
    report: Vec<u8>,
}

impl Action for AdoptPolicy {
    const MAY: Permission = permission::ADOPT_POLICY;
    const KEY: char = 'p';
    const SUMMARY: &'static str = "Adopt a policy: how far apart two sides may be";
    const UNDO: &'static str = "adopt-policy: the figures from before under a new version; runs stay as they were compared";
    const KIND: &'static str = "policy";
    const TARGET: &'static str = "The policy's new version";
    const SUBJECT: Subject = Subject::New;
    const FIELDS: &'static [Field] = &[
        Field {
            name: "document",
            help: "The document with an epsilon for each metric, as JSON",
            required: Required::Yes,
        },
        Field {
            name: "release",
            help: "The release of the dictionary whose epsilons it repeats",
            required: Required::Yes,
        },
        Field {
            name: "soft",
            help: "The ratio above which a week is watched",
            required: Required::Yes,
        },
        Field {
            name: "hard",
            help: "The ratio above which a cutover is rolled back",
            required: Required::Yes,
        },
        Field {
            name: "floor",
            help: "What a ratio is taken of at least",
            required: Required::Yes,
        },
        Field {
            name: "backtest",
            help: "What the pair would have made of the weeks before, as JSON",
            required: Required::Yes,
        },
    ];
    type Facts = Facts;

    fn parse(asked: &Asked) -> Result<Self, Refusal> {
        let version = plain_line("policy's version", &asked.target)?.to_owned();
        let document = canonical("document", asked.required("document")?)?;
        let report = canonical("backtest", asked.required("backtest")?)?;
        let backtest = serde_json::from_slice(&report).map_err(|error| {
            Refusal::new(
                format!("the backtest is malformed: {error}"),
                "make it with govdeck policy backtest",
            )
        })?;
        let text = |field| asked.required(field).map(str::to_owned);
        let policy = Policy::read(&document);
        Ok(Self {
            pair: Pair {
                soft: text("soft")?,
                hard: text("hard")?,
                floor: text("floor")?,
            },
            metrics: policy.checked(&version),
            release: dictionary_version(asked.required("release")?)?.text(),
            epsilons_sha256: epsilons_hash_of(&document).map(|hash| hash.to_string()),
            version,
            document,
            backtest,
            report,
        })
    }

    async fn facts(&self, view: &mut View) -> Result<Facts, StoreError> {
        Ok(Facts {
            same: week::policy(view, &self.version).await?,
            release: dictionary::release(view, &self.release).await?,
            weeks: weeks_behind(view, &self.backtest).await?,
        })
    }

    fn propose(&self, facts: &Facts, by: &Acting<'_>, now: Moment) -> Result<Draft, Stop> {
        let document = Artifact::new(EPSILON_POLICY.1, self.document.clone());
        let report = Artifact::new(POLICY_BACKTEST.1, self.report.clone());
        let row = EpsilonPolicy {
            epsilon_policy_version: self.version.clone(),
            document_sha256: document.sha256.to_string(),
            soft: self.pair.soft.clone(),
            hard: self.pair.hard.clone(),
            floor: self.pair.floor.clone(),
            backtest_sha256: report.sha256.to_string(),
            proposed_by: by.id(),
            approved_by: by.second(),
            adopted_at_utc: now,
            version: 1,
            dictionary_semver: Some(self.release.clone()),
            epsilons_sha256: self.epsilons_sha256.clone(),
        };
        let target = Target {
            kind: Self::KIND,
            id: self.version.clone(),
            version: facts.same.as_ref().map_or(0, |there| there.version),
        };
        let mut conditions = rule::may_adopt(
            facts.same.is_none(),
            &self.metrics,
            &self.pair,
            &self.backtest,
            &facts.weeks,
        );
        conditions.push(repeats_the_release(
            &self.release,
            facts.release.as_ref().map(|it| &*it.epsilons_sha256),
            self.epsilons_sha256.as_deref(),
        ));
        let draft = Draft::new(target, conditions, vec![Row::new(row)]);
        Ok(draft.with_evidence(vec![
            (EPSILON_POLICY.0, document),
            (POLICY_BACKTEST.0, report),
        ]))
    }
}

/// Reads the weeks that a backtest replays: those of its series, or of all where it names none.
async fn weeks_behind(view: &mut View, report: &Backtest) -> Result<Vec<PastWeek>, StoreError> {
    let series = match report.weeks.first() {
        Some(first) => {
            let window = week::find(view, &first.job_run_id).await?;
            window.map(|it| it.series_id).into_iter().collect()
        }
        None => week::active_series(view)
            .await?
            .into_iter()
            .map(|it| it.series_id)
            .collect::<Vec<_>>(),
    };
    let mut weeks = Vec::new();
    for series in series {
        weeks.extend(week::past(view, &series, rule::WEEKS).await?);
    }
    Ok(weeks)
}

fn canonical(what: &str, text: &str) -> Result<Vec<u8>, Refusal> {
    if text.len() > MOST_BYTES {
        return Err(Refusal::new(
            format!("the {what} is larger than {MOST_BYTES} bytes"),
            "name fewer metrics",
        ));
    }
    canon::canonical_exact(text.as_bytes()).map_err(|error| {
        Refusal::new(
            format!("the {what} is malformed: {error}"),
            "mend the JSON text there",
        )
    })
}
