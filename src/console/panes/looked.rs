//! What jobs found last of a migration: the exports that landed, the replay of what was frozen, and the questions.

use crate::clock::Moment;
use crate::rules::Verdict;
use crate::rules::migration::{Gate, Phase};
use crate::rules::time;
use crate::store::migration::ExporterFingerprint;

use super::super::migration_sight::{Looked, Looks, MigrationDetail};
use super::super::model::Model;
use super::super::picture::Picture;
use super::super::reading::spoken;
use super::super::theme::Token;
use super::super::ui::{Parts, Pen, muted};

/// How many folders are told of.
const FOLDERS: usize = 8;
/// For how many hours a look at exports tells something.
const FRESH: i64 = 24;

/// Says a verdict as short as gates do.
fn short(verdict: Verdict) -> (Token, String) {
    let (token, word) = match verdict {
        Verdict::CannotTell => (Token::GateUnknown, "?"),
        told => spoken(told),
    };
    (token, word.to_owned())
}

fn says(verdict: Verdict) -> (Token, String) {
    let (token, word) = spoken(verdict);
    (token, word.to_owned())
}

/// Says how long ago something was found.
pub(super) fn age(picture: &Picture, at: Moment) -> String {
    let age = picture.now.since(at);
    if age.num_minutes() < 1 {
        "now".to_owned()
    } else {
        time::span(age)
    }
}

/// Says in one line what was found last, and how long ago.
pub(super) fn summary(picture: &Picture, (phase, looks): (Phase, &Looks), pen: &Pen<'_>) -> Parts {
    let dot = pen.glyphs.dot();
    let mut parts = vec![muted("exports ")];
    let worst = looks.fingerprints.iter().map(|it| {
        let age = picture.now.since(it.observed_at_utc);
        let is_of_now = it.phase == phase && age.num_hours() < FRESH;
        if is_of_now {
            it.verdict
        } else {
            Verdict::CannotTell
        }
    });
    let worst = Verdict::all(worst);
    let oldest = looks.fingerprints.iter().map(|it| it.observed_at_utc).min();
    parts.push(short(worst));
    parts.extend(oldest.map(|at| muted(format!(" {}", age(picture, at)))));
    parts.push(muted(format!(" {dot} replay ")));
    match (looks.of_each_release().as_slice(), &looks.replay) {
        ([], replay) => parts.push(short(counts(replay.as_ref()))),
        (releases, _) => {
            for (place, (_, verdict)) in releases.iter().enumerate() {
                let slash = if place == 0 { "" } else { "/" };
                parts.push(muted(slash));
                parts.push(short(*verdict));
            }
        }
    }
    let aged = |look: &Option<Looked>| {
        let at = look.as_ref().map(|it| it.evidence.observed_at_utc);
        at.map(|at| muted(format!(" {}", age(picture, at))))
    };
    parts.extend(aged(&looks.replay));
    parts.push(muted(format!(" {dot} FAQ ")));
    parts.push(short(counts(looks.faq.as_ref())));
    parts.extend(aged(&looks.faq));
    parts
}

fn counts(look: Option<&Looked>) -> Verdict {
    look.map_or(Verdict::CannotTell, |it| it.report.verdict)
}

/// Tells of each look on a line of its own, unless a gate has told of it; what was not looked at yet says which job does.
pub(super) fn lines(model: &Model, picture: &Picture, detail: &MigrationDetail) -> Vec<Parts> {
    let looks = &detail.looks;
    let mut lines = exports(model, picture, &looks.fingerprints);
    let not_yet = |what: &str, job: &str| {
        vec![
            muted(format!("{what}: ")),
            (
                Token::StatusUnknown,
                format!("nothing was found out yet; govdeck job {job}"),
            ),
        ]
    };
    lines.push(match &looks.replay {
        None => not_yet("replay", "replay"),
        Some(look) => {
            let mut parts = vec![muted("replay")];
            for (semver, verdict) in looks.of_each_release() {
                parts.push(muted(format!(" under {semver} ")));
                parts.push(says(verdict));
            }
            parts.extend(found(model, picture, look));
            parts
        }
    });
    if detail.reports.iter().any(|it| it.gate == Gate::Faq) {
        return lines;
    }
    lines.push(match &looks.faq {
        None => not_yet("FAQ probe", "faq-probe"),
        Some(look) => {
            let mut parts = vec![muted("FAQ probe "), says(look.report.verdict)];
            parts.extend(found(model, picture, look));
            parts
        }
    });
    lines
}

fn found(model: &Model, picture: &Picture, look: &Looked) -> Parts {
    vec![
        (Token::Fg, format!(": {}", look.report.found)),
        when(model, picture, look.evidence.observed_at_utc),
    ]
}

fn when(model: &Model, picture: &Picture, at: Moment) -> (Token, String) {
    muted(format!(
        "  {}, {}",
        model.date_and_clock(at),
        age(picture, at)
    ))
}

/// Tells of the newest look at each folder that exports land in.
pub(super) fn exports(
    model: &Model,
    picture: &Picture,
    fingerprints: &[ExporterFingerprint],
) -> Vec<Parts> {
    if fingerprints.is_empty() {
        let not_yet = "nobody looked at their keys yet; govdeck job fingerprint";
        return vec![vec![
            muted("exports: "),
            (Token::StatusUnknown, not_yet.to_owned()),
        ]];
    }
    let one = |it: &ExporterFingerprint| {
        vec![
            muted(format!("exports in {} ", it.folder)),
            says(it.verdict),
            (Token::Fg, format!(" in {}: {}", it.phase, it.detail)),
            when(model, picture, it.observed_at_utc),
        ]
    };
    let mut lines: Vec<Parts> = fingerprints.iter().take(FOLDERS).map(one).collect();
    let more = fingerprints.len().saturating_sub(FOLDERS);
    if more > 0 {
        lines.push(vec![muted(format!("exports in {more} further folders"))]);
    }
    lines
}
