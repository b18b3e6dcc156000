//! What a signer signs, in words for somebody who reads no code.

use std::collections::BTreeMap;

use crate::clock::Moment;
use crate::rules::release::Found;
use crate::rules::week::{AckBasis, Because};
use crate::store::week::{Look, Metric, Name, OverridePacket, Window};

/// How many numbers are shown, those that are farthest from each other.
pub(super) const SHOWN: i64 = 12;

/// Everything that a name would stand for.
pub(super) struct Report<'a> {
    pub look: &'a Look,
    pub window: &'a Window,
    pub worst: &'a [Metric],
    /// What the dictionary calls them.
    pub labels: &'a BTreeMap<String, String>,
    pub names: &'a [(Name, bool)],
    pub packet: Option<&'a OverridePacket>,
    pub diff: &'a Found,
    pub basis: Option<AckBasis>,
}

impl Report<'_> {
    /// Tells it line by line.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = self.what_was_compared();
        lines.push(String::new());
        lines.extend(self.why_it_may_be_signed());
        lines.extend(self.where_it_is_kept());
        if !self.names.is_empty() {
            lines.push(String::new());
            lines.extend(self.names.iter().map(signed_before));
        }
        lines
    }

    fn what_was_compared(&self) -> Vec<String> {
        let window = self.window;
        let total = window.metrics_total.unwrap_or(0);
        let failed = window.metrics_failed.unwrap_or(0);
        let mut lines = vec![
            format!("Weekly numbers of {}", window.series_id),
            format!(
                "From {} up to {}, which is not included; times are UTC.",
                time(window.start_inclusive),
                time(window.end_exclusive)
            ),
            format!(
                "What leadership sees was compared with what the partners get, {}.",
                counted(total, "number")
            ),
            if failed == 0 {
                "All of them are as close to each other as was agreed.".to_owned()
            } else {
                format!("{failed} of them are NOT as close to each other as was agreed.")
            },
            "Farthest from each other are:".to_owned(),
        ];
        let called = |worst: &Metric| match self.labels.get(&worst.metric_id) {
            Some(label) => format!("{label} ({})", worst.metric_id),
            None => worst.metric_id.clone(),
        };
        let worst = self.worst.iter();
        lines.extend(worst.map(|worst| format!("  {}: {}", called(worst), apart(worst))));
        if total > SHOWN {
            let rest = counted(total - SHOWN, "other number");
            lines.push(format!("  and closer to each other than these: {rest}"));
        }
        lines
    }

    fn why_it_may_be_signed(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} is {}: {}.",
            self.window.series_id,
            self.look.standing.state.word().to_uppercase(),
            plainly(self.look.standing.because)
        )];
        if let (Some(AckBasis::Override), Some(packet)) = (self.basis, self.packet) {
            lines.push(format!(
                "THIS WEEK IS NOT GREEN. {} and {} let it be signed all the same ({}): {}",
                packet.requested_by, packet.approved_by, packet.audit_id, packet.reason
            ));
            lines.push("Your name makes it no greener.".to_owned());
        }
        lines.extend(self.look.remediations.iter().map(|it| {
            format!(
                "What was done about the week before ({}): {}",
                it.remediation_id, it.evidence
            )
        }));
        lines
    }

    fn where_it_is_kept(&self) -> Vec<String> {
        let named = self.window.artifact_uri.as_deref().unwrap_or("nothing");
        let checked = match self.diff {
            Found::Same(_) => "It was read again just now and has not changed.",
            _ => "It could not be read again just now.",
        };
        vec![
            "The whole comparison, number by number, is kept under this fingerprint:".to_owned(),
            format!("  {named}"),
            checked.to_owned(),
        ]
    }
}

/// Says why a series stands as it does, in words for somebody who does not know what a window is.
const fn plainly(because: Because) -> &'static str {
    match because {
        Because::NoRuns => "no week has ended yet",
        Because::FirstPass => "this is its first week, and it passed",
        Because::Bootstrap => {
            "this is its first week; it passed, and two people declared it the first"
        }
        Because::DoubleGreen => "this week passed, and so did the one before",
        Because::NotRemediated => {
            "this week passed, the one before did not, and nobody has filed what was done about it"
        }
        Because::Remediated => {
            "this week passed; the one before did not, and what was done about it is filed"
        }
        Because::NotPassed => "this week did not pass",
        Because::TwiceNotPassed => "two weeks in a row did not pass",
        Because::IncidentOpen => {
            "two weeks in a row did not pass, and what happened is not settled"
        }
        Because::LeftRed => "two weeks in a row had not passed; since then this one did",
    }
}

/// Shows a day, with the time where it is not midnight.
fn time(moment: Option<Moment>) -> String {
    let text = moment.map_or("?".to_owned(), |at| at.to_string());
    match text.split_once('T') {
        Some((day, "00:00:00.000000Z")) => day.to_owned(),
        Some((day, time)) => format!("{day} {}", time.get(..8).unwrap_or(time)),
        None => text,
    }
}

fn day(moment: Moment) -> String {
    moment.to_string().chars().take(10).collect()
}

fn counted(count: i64, what: &str) -> String {
    if count == 1 {
        format!("{count} {what}")
    } else {
        format!("{count} {what}s")
    }
}

/// Says of one metric how far apart its sides are, and how far they may be.
fn apart(metric: &Metric) -> String {
    let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    let apart = match (&metric.delta, &metric.epsilon) {
        (Some(delta), Some(epsilon)) => {
            format!(
                "{} apart, up to {epsilon} was agreed",
                delta.trim_start_matches('-')
            )
        }
        (Some(delta), None) => {
            format!(
                "{} apart, and nothing was agreed",
                delta.trim_start_matches('-')
            )
        }
        (None, _) => "one side has no such number".to_owned(),
    };
    let verdict = if metric.reason.is_none() {
        "fine".to_owned()
    } else {
        let owner = metric.owner_id.as_deref().unwrap_or("nobody");
        format!("NOT FINE, {owner} answers for it")
    };
    format!(
        "leadership {}, partners {}; {apart}: {verdict}",
        side(&metric.leadership),
        side(&metric.partner)
    )
}

fn signed_before((name, is_current): &(Name, bool)) -> String {
    let who = &name.signer_id;
    let day = day(name.acked_at_utc);
    match (name.revoked_at_utc, is_current) {
        (Some(_), _) => format!("{who} had signed it on {day}, and took that back."),
        (None, true) => format!("{who} signed it on {day}."),
        (None, false) => {
            format!("{who} signed it on {day}, but what was signed has changed: it does not count.")
        }
    }
}
