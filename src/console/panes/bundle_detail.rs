//! What stands beside the list of bundles: what one is for, what it would touch, who approved it, and how its runs ended.

use crate::clock::Moment;
use crate::rules::bundle::RunType;
use crate::rules::bundle_run::{self as rule, BundleStatus, RunOutcome, Tier, Touched};
use crate::rules::text::{counted, shorten};
use crate::store::bundle::{Bundle, Known, Listed, Plan, Run};

use super::super::bundle_sight::BundleDetail;
use super::super::model::Model;
use super::super::picture::Picture;
use super::super::theme::Token;
use super::super::ui::{Parts, muted};
use super::bundles::token;

/// How many digits of a hash are shown.
const DIGITS: usize = 12;

/// Explains the selected bundle.
pub(super) fn explain(model: &Model, picture: &Picture, row: &Listed) -> Vec<Parts> {
    let bundle = &row.bundle;
    let own = model.running.as_deref();
    let own = own.filter(|run| run.migration_id == bundle.migration_id);
    let mut lines = own.map_or(Vec::new(), |run| run.lines(model.at));
    lines.push(vec![(Token::Fg, bundle.intent.clone())]);
    lines.push(kind(bundle));
    lines.push(way(bundle));
    if row.dead_end > 0 {
        lines.push(vec![(
            Token::StatusDanger,
            "A ROLLBACK FAILED: nothing more runs there; mend the store by hand".to_owned(),
        )]);
    }
    let detail = picture.bundle.as_ref();
    let is_it = |it: &&BundleDetail| it.known.bundle.migration_id == bundle.migration_id;
    match detail.filter(is_it) {
        None => lines.push(vec![muted("reading its plans and runs")]),
        Some(detail) => {
            let known = &detail.known;
            if known.plans.is_empty() {
                lines.push(vec![(
                    Token::StatusUnknown,
                    "no plan is registered".to_owned(),
                )]);
            }
            // The one that is told object by object comes first: it is the next to be made.
            let is_told = |plan: &&Plan| detail.told == Some(plan.environment);
            for plan in known.plans.iter().filter(is_told) {
                lines.extend(planned(model, known, plan));
                lines.extend(blast(detail));
            }
            for plan in known.plans.iter().filter(|plan| !is_told(plan)) {
                lines.extend(planned(model, known, plan));
            }
            let now = picture.now;
            lines.extend(known.runs.iter().rev().flat_map(|run| ran(model, run, now)));
        }
    }
    lines.extend(super::you_may(model, "bundle"));
    lines
}

fn kind(bundle: &Bundle) -> Parts {
    let (look, back) = match (bundle.requires_rollback, &bundle.approval_reference) {
        (true, _) => (Token::Muted, "can be taken back".to_owned()),
        (false, reference) => {
            let reference = reference.as_deref().unwrap_or("nobody approved that");
            (
                Token::StatusWarn,
                format!("CANNOT BE TAKEN BACK: {reference}"),
            )
        }
    };
    let mut parts = vec![
        muted(format!("{}, {}, ", bundle.kind, bundle.change_class)),
        (look, back),
    ];
    if bundle.touches_dictionary {
        parts.push((
            Token::StatusWarn,
            ", the metric dictionary is in scope".to_owned(),
        ));
    }
    parts
}

/// The way of a bundle, with the place where it stands.
fn way(bundle: &Bundle) -> Parts {
    use BundleStatus::{
        Approved, Draft, ExecutedDev, ExecutedProd, ExecutedStage, Merged, RolledBack, Superseded,
    };
    let at = bundle.status;
    if matches!(at, RolledBack | Superseded) {
        let by = bundle.superseded_by.as_ref();
        let by = by.map_or(String::new(), |by| format!(" by {by}"));
        return vec![(token(at), format!("{at}{by}"))];
    }
    let steps = [
        Draft,
        Approved,
        Merged,
        ExecutedDev,
        ExecutedStage,
        ExecutedProd,
    ];
    let step = |step: BundleStatus| match step.cmp(&at) {
        std::cmp::Ordering::Less => (Token::PhaseDone, format!("{step} ")),
        std::cmp::Ordering::Equal => (Token::PhaseCurrent, format!("[{step}] ")),
        std::cmp::Ordering::Greater => (Token::PhaseNext, format!("{step} ")),
    };
    steps.map(step).to_vec()
}

/// Says what a plan did, and whether somebody approved just that.
fn planned(model: &Model, known: &Known, plan: &Plan) -> Vec<Parts> {
    let took = plan.milliseconds.map_or(String::new(), |milliseconds| {
        format!(", {}.{} s", milliseconds / 1000, milliseconds % 1000 / 100)
    });
    let first = vec![
        muted("plan "),
        (Token::Fg, plan.environment.to_string()),
        muted(format!(" {} ", shorten(&plan.plan_hash, DIGITS))),
        (
            Token::Accent,
            format!(
                "{}, {:+} {}, {}{took}",
                counted(plan.tables_touched, "table", "tables"),
                plan.index_delta,
                if plan.index_delta.abs() == 1 {
                    "index"
                } else {
                    "indexes"
                },
                counted(plan.rows_touched, "row", "rows"),
            ),
        ),
        muted(format!(
            " by {} at {}",
            plan.planned_by,
            model.date_and_clock(plan.planned_at_utc)
        )),
    ];
    let mut lines = vec![first];
    if known.bundle.requires_rollback && !known.has_led_back(plan) {
        lines.push(vec![(
            Token::StatusWarn,
            "  ITS WAY BACK WAS NEVER RUN: govdeck bundle plan --register".to_owned(),
        )]);
    }
    lines.push(approved(known, plan));
    lines
}

fn approved(known: &Known, plan: &Plan) -> Parts {
    let tier: Tier = plan.environment;
    let id = known.decide(|facts| facts.approval(tier).map(|run| run.run_id.to_owned()));
    let run = known
        .runs
        .iter()
        .find(|run| Some(&run.run_id) == id.as_ref());
    let made = known.decide(|facts| facts.made_in(tier).is_some());
    let said = match run {
        _ if made => (Token::StatusOk, "  made there".to_owned()),
        None => (
            Token::AckWaiting,
            "  no approval waits to be used".to_owned(),
        ),
        Some(run) if run.plan_hash.as_ref() == Some(&plan.plan_hash) => (
            Token::AckSigned,
            format!(
                "  approved by {} and {}",
                run.claimed_by,
                run.approved_by.as_deref().unwrap_or("nobody else")
            ),
        ),
        Some(_) => (
            Token::AckStale,
            "  APPROVAL LAPSED: the plan changed since".to_owned(),
        ),
    };
    vec![said]
}

/// Lists what the plan touches, before and after.
fn blast(detail: &BundleDetail) -> Vec<Parts> {
    match &detail.touched {
        Err(why) => vec![vec![(Token::StatusDanger, format!("  {why}"))]],
        Ok(touched) if touched.is_empty() => vec![vec![muted("  touches no object")]],
        Ok(touched) => touched.iter().map(object).collect(),
    }
}

fn object(it: &Touched) -> Parts {
    let side = |hash: &str| shorten(hash.trim_start_matches("sha256:"), DIGITS).into_owned();
    let (sign, look) = match (&it.before, &it.after) {
        (None, _) => ("+", Token::DiffNew),
        (_, None) => ("-", Token::DiffOld),
        _ => ("~", Token::Accent),
    };
    let mut parts = vec![(look, format!("  {sign} {} {}", it.kind, it.name))];
    if let Some(before) = &it.before {
        parts.push((Token::DiffOld, format!(" {}", side(before))));
    }
    if let Some(after) = &it.after {
        parts.push(muted(" -> "));
        parts.push((Token::DiffNew, side(after)));
    }
    parts
}

/// Says how a run went, and where its receipt is.
fn ran(model: &Model, run: &Run, now: Moment) -> Vec<Parts> {
    let look = match run.outcome {
        RunOutcome::Running => Token::StatusPending,
        it if it.is_success(run.run_type) => Token::StatusOk,
        RunOutcome::RolledBack | RunOutcome::Interrupted => Token::StatusWarn,
        _ => Token::StatusDanger,
    };
    let place = run
        .environment
        .map_or(String::new(), |tier| format!(" {tier}"));
    let outcome = match (run.run_type, run.outcome) {
        (RunType::Approval | RunType::Merge, _) => "done".to_owned(),
        (_, RunOutcome::RollbackFailed) => "ROLLBACK FAILED".to_owned(),
        (_, outcome) => outcome.to_string(),
    };
    let receipt = run.receipt_sha256.as_deref();
    let at = run.ended_at_utc.unwrap_or(run.claimed_at_utc);
    let who = match &run.approved_by {
        Some(second) => format!("{} and {second}", run.claimed_by),
        None => run.claimed_by.clone(),
    };
    let mut lines = vec![vec![
        muted(format!("{}{place} ", run.run_type)),
        (look, outcome),
        muted(format!(" by {who} at {}", model.date_and_clock(at))),
        muted(receipt.map_or(", no receipt yet".to_owned(), |hash| {
            format!(", receipt {}", shorten(hash, DIGITS))
        })),
    ]];
    if let Some(late) = rule::given_up(&run.run_id, run.outcome, run.claimed_at_utc, now) {
        lines.push(vec![(Token::StatusWarn, format!("  {late}"))]);
    }
    if let Some(detail) = &run.detail {
        lines.push(vec![(Token::Fg, format!("  {detail}"))]);
    }
    lines
}
