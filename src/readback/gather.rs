//! Gathers a week's readback from what its runs found.

use std::path::Path;

use crate::clock::Moment;
use crate::jobs::outside;
use crate::rules::Verdict;
use crate::rules::dictionary::version;
use crate::rules::readback::{
    AnnexLine, CarveOut, Citation, Cited, FaqStub, Footer, Headline, Readback, RunLine, SCHEMA,
};
use crate::rules::reconcile::NO_BYPASS;
use crate::rules::release::Found;
use crate::store::dictionary::{self, RunManifest};
use crate::store::migration;
use crate::store::week::{self, Incident, Metric, Window};
use crate::store::{Store, StoreError, View, publish};

const WEEK: i64 = 7 * 24 * 60;
/// How long after a week its numbers may be compared, in minutes: a series may run once a year.
const LATEST: i64 = 366 * 24 * 60;
/// How many metrics of a run are looked through for those that are protected.
const LOOKED_AT: i64 = 100_000;

/// Gathers the readback of the week that begins on a Monday.
pub async fn gather(store: &Store, root: &Path, monday: Moment) -> Result<Readback, StoreError> {
    let view = &mut store.view().await?;
    let end = monday.plus_minutes(WEEK);
    let windows = windows_of(view, monday, end).await?;
    let mut readback = Readback {
        schema: SCHEMA,
        week: monday.iso_week(),
        made_at_utc: view.now(),
        runs: Vec::new(),
        without_window: without_window(view, monday, end, &windows).await?,
        headlines: Vec::new(),
        carve_outs: Vec::new(),
        annexes: Vec::new(),
        addenda: Vec::new(),
        notices: Vec::new(),
        faq: Vec::new(),
        footer: Footer {
            footer_schema_semver: None,
            dictionary_semver: None,
            annex_view_version: None,
            migration_banner_id: None,
        },
    };
    for window in &windows {
        let diff = outside::found(store, root, window).await?;
        readback.runs.push(run_line(view, window, &diff).await?);
        headlines(view, window, &mut readback).await?;
        for manifest in dictionary::manifests_of(view, &window.job_run_id).await? {
            carve_out(view, &manifest, &mut readback.carve_outs).await?;
        }
    }
    // What did not pass is known only when the week was compared, which is after its end.
    let known = windows.iter().filter_map(|it| it.completed_at).max();
    let known = known.unwrap_or(end).max(end);
    for incident in week::incidents_in(view, monday, known).await? {
        if windows.iter().any(|it| it.series_id == incident.series_id) {
            of_incident(view, &incident, &mut readback).await?;
        }
    }
    let told = migration::notices(view).await?.into_iter();
    let told = told.filter(|it| (monday..=known).contains(&it.published_at_utc));
    readback.notices = told.map(|it| it.notice_text).collect();
    readback.footer = footer(view, &windows, (monday, end)).await?;
    Ok(readback)
}

/// Finds the scheduled windows whose numbers are of the week; one that compared nothing counts for what it would have.
async fn windows_of(
    view: &mut View,
    monday: Moment,
    end: Moment,
) -> Result<Vec<Window>, StoreError> {
    let mut found = Vec::new();
    for window in week::scheduled_in(view, monday, monday.plus_minutes(LATEST)).await? {
        let begins = match window.start_inclusive {
            Some(start) => start,
            None => match week::series(view, &window.series_id).await? {
                Some(series) => window.scheduled_at.plus_minutes(-series.every_minutes),
                None => continue,
            },
        };
        if monday <= begins && begins < end {
            found.push(window);
        }
    }
    Ok(found)
}

/// Lists the active series that should have a window whose numbers are of the week, and have none.
async fn without_window(
    view: &mut View,
    monday: Moment,
    end: Moment,
    windows: &[Window],
) -> Result<Vec<String>, StoreError> {
    let mut missing = Vec::new();
    for series in week::active_series(view).await? {
        let schedule = series.schedule();
        let is_planned = windows.iter().any(|it| it.series_id == series.series_id);
        if !is_planned && schedule.begins_in(monday, end) {
            missing.push(series.series_id);
        }
    }
    Ok(missing)
}

async fn run_line(view: &mut View, window: &Window, diff: &Found) -> Result<RunLine, StoreError> {
    let names = week::names(view, window, diff).await?;
    let signers = names
        .iter()
        .filter(|(name, _)| name.revoked_at_utc.is_none());
    let signers = signers.map(|(name, is_current)| {
        let older = if *is_current {
            ""
        } else {
            ", ON OLDER EVIDENCE"
        };
        format!("{} ({}{older})", name.signer_id, name.attestation)
    });
    Ok(RunLine {
        series: window.series_id.clone(),
        job_run_id: window.job_run_id.clone(),
        status: window.status,
        artifact_uri: window.artifact_uri.clone(),
        signers: signers.collect(),
    })
}

/// Adds the protected metrics of a run, and the questions about them.
async fn headlines(
    view: &mut View,
    window: &Window,
    readback: &mut Readback,
) -> Result<(), StoreError> {
    let Some(tuple) = window.tuple_revision_hash.as_deref() else {
        return Ok(());
    };
    let metrics = week::metrics(view, &window.job_run_id, LOOKED_AT).await?;
    let mut protected: Vec<_> = metrics.iter().filter(|metric| metric.protected).collect();
    protected.sort_by(|a, b| a.metric_id.cmp(&b.metric_id));
    for metric in protected {
        let headline = headline(view, metric, tuple).await?;
        readback.headlines.push(headline);
        for question in dictionary::faq_of(view, &metric.metric_id).await? {
            readback.faq.push(FaqStub {
                question: question.question,
                metric_id: question.dictionary_metric_id,
                annex_anchor: question.annex_anchor,
            });
        }
    }
    Ok(())
}

async fn headline(view: &mut View, metric: &Metric, tuple: &str) -> Result<Headline, StoreError> {
    let defined = dictionary::metric(view, &metric.metric_id).await?;
    let number = |value: &Option<String>| {
        let cites = Citation::new(&metric.metric_id, tuple).ok()?;
        Cited::new(value.as_deref()?, cites).ok()
    };
    let (leadership, partner) = (number(&metric.leadership), number(&metric.partner));
    let is_whole = leadership.is_some() && partner.is_some() && defined.is_some();
    let agree = match (metric.verdict.as_str(), is_whole) {
        ("PASS", true) => Verdict::Pass,
        ("PASS", false) => Verdict::CannotTell,
        _ => Verdict::Fail,
    };
    let (label, definition, unit) = match defined {
        Some(it) => (it.display_label, it.definition, it.unit),
        None => (
            metric.metric_id.clone(),
            "not in the dictionary".to_owned(),
            "unknown unit".to_owned(),
        ),
    };
    Ok(Headline {
        label,
        definition,
        unit,
        leadership,
        partner,
        agree,
    })
}

/// Adds the bypass that a side was published under; both sides of a run say the same, or the run has failed.
async fn carve_out(
    view: &mut View,
    manifest: &RunManifest,
    carve_outs: &mut Vec<CarveOut>,
) -> Result<(), StoreError> {
    let Some(bypass) = manifest.bypass_audit_id.as_deref() else {
        return Ok(());
    };
    let is_known = carve_outs
        .iter()
        .any(|it| (&*it.bypass_audit_id, &it.job_run_id) == (bypass, &manifest.job_run_id));
    if bypass == NO_BYPASS || is_known {
        return Ok(());
    }
    let blast_radius = match publish::bypass(view, bypass).await? {
        Some(found) => Some(format!(
            "by {} and {}, until {}: {}",
            found.requested_by, found.approved_by, found.expires_at_utc, found.reason
        )),
        None => None,
    };
    carve_outs.push(CarveOut {
        bypass_audit_id: bypass.to_owned(),
        parent_freeze_id: manifest.parent_freeze_id.clone().unwrap_or_default(),
        job_run_id: manifest.job_run_id.clone(),
        blast_radius,
    });
    Ok(())
}

async fn of_incident(
    view: &mut View,
    incident: &Incident,
    readback: &mut Readback,
) -> Result<(), StoreError> {
    for annex in week::annexes_of(view, &incident.incident_id).await? {
        readback.annexes.push(AnnexLine {
            annex_id: annex.annex_id,
            publish_run_id: annex.publish_run_id,
            reason: annex.reason,
            by: format!("{} and {}", annex.requested_by, annex.approved_by),
            expires_at_utc: annex.expires_at_utc,
        });
    }
    if incident.addendum_demanded {
        let ended = match (incident.left_at_utc, &incident.addendum_sha256) {
            (Some(at), Some(addendum)) => format!("left at {at}, addendum sha256:{addendum}"),
            (Some(at), None) => format!("left at {at}, WITHOUT AN ADDENDUM"),
            (None, _) => "still open, AN ADDENDUM IS OWED".to_owned(),
        };
        readback.addenda.push(format!(
            "{}: {} and {} did not pass, red since {}, after numbers had reached partners; {ended}",
            incident.series_id,
            incident.first_run_id,
            incident.second_run_id,
            incident.opened_at_utc
        ));
    }
    Ok(())
}

/// Reads the versions that the numbers were made under; runs of several establish none.
async fn footer(
    view: &mut View,
    windows: &[Window],
    (monday, end): (Moment, Moment),
) -> Result<Footer, StoreError> {
    let of = |said: fn(&Window) -> Option<&str>| -> Option<String> {
        let mut all: Vec<_> = windows
            .iter()
            .filter_map(said)
            .map(|text| version(text).map_or(text.to_owned(), |version| version.text()))
            .collect();
        all.sort_unstable();
        all.dedup();
        if all.len() == 1 { all.pop() } else { None }
    };
    let dictionary_semver = of(|it| it.dictionary_semver.as_deref());
    let annex_view = match &dictionary_semver {
        Some(semver) => dictionary::annex_view_of(view, semver).await?,
        None => None,
    };
    Ok(Footer {
        footer_schema_semver: of(|it| it.footer_schema_semver.as_deref()),
        dictionary_semver,
        annex_view_version: annex_view.map(|view| view.annex_view_version),
        migration_banner_id: migration::banner_between(view, monday, end).await?,
    })
}
