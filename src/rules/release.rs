//! Whether a run may be distributed: it passed, nothing holds it, and its artefact is what it was when it was minted.

use std::fmt;
use std::str::FromStr;

use super::block::SnapshotStatus;
use super::governance::{Annex, Governance};
use super::reconcile::RunVerdict;
use super::{Condition, Verdict};
use crate::canon::Digest;
use crate::clock::Moment;

/// Where an artefact is, and what it must hash to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactRef {
    /// A file below the governance root.
    File {
        /// Its path from there.
        path: String,
        /// What its bytes hash to.
        sha256: Digest,
    },
    /// An artefact that is filed in the database.
    Filed(Digest),
}

/// Says that a text names no artefact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no artefact is named: it takes file:PATH#sha256:HEX or sha256:HEX")]
pub struct ArtifactRefError;

impl fmt::Display for ArtifactRef {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, sha256 } => write!(out, "file:{path}#sha256:{sha256}"),
            Self::Filed(sha256) => write!(out, "sha256:{sha256}"),
        }
    }
}

impl FromStr for ArtifactRef {
    type Err = ArtifactRefError;

    fn from_str(text: &str) -> Result<Self, ArtifactRefError> {
        let digest = |hex: &str| hex.parse().map_err(|_| ArtifactRefError);
        if let Some(hex) = text.strip_prefix("sha256:") {
            return digest(hex).map(Self::Filed);
        }
        let file = text.strip_prefix("file:").ok_or(ArtifactRefError)?;
        let (path, hex) = file.rsplit_once("#sha256:").ok_or(ArtifactRefError)?;
        if !stays_below(path) {
            return Err(ArtifactRefError);
        }
        Ok(Self::File {
            path: path.to_owned(),
            sha256: digest(hex)?,
        })
    }
}

/// Tells whether a path, read from some folder, names something in that folder without climbing out of it.
#[must_use]
pub fn stays_below(path: &str) -> bool {
    !path.contains(char::is_control) && path.split('/').all(|part| !["", ".", ".."].contains(&part))
}

/// What was found where the artefact should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Bytes that hash to what they must.
    Same(Digest),
    /// Other bytes; in words, which and where.
    Changed(String),
    /// Nothing that could be read, and why.
    Unreachable(String),
    /// The run names no artefact.
    NotNamed,
}

/// What decides about the distribution of a run.
#[derive(Debug, Clone, Copy)]
pub struct Release<'a> {
    /// Where the run stands.
    pub status: SnapshotStatus,
    /// Whether the audit says that it passed; none where there is no audit.
    pub audit_passed: Option<bool>,
    /// Whether it is a drill.
    pub drill: bool,
    /// How governance stands.
    pub governance: &'a Governance,
    /// The annex that lets it out while governance is red.
    pub annex: Option<Annex<'a>>,
    /// The time.
    pub now: Moment,
    /// What was found where its artefact should be.
    pub artifact: &'a Found,
    /// How both sides of its tuple compared the last time, if they ever were.
    pub variance: Option<RunVerdict>,
}

/// Lists what must hold before a run is distributed.
#[must_use]
pub fn may_distribute(release: &Release<'_>) -> Vec<Condition> {
    let verdict = match (release.status, release.audit_passed) {
        (SnapshotStatus::GatePassed, Some(true)) => Verdict::Pass,
        (SnapshotStatus::Blocked, _) | (_, Some(false)) => Verdict::Fail,
        _ => Verdict::CannotTell,
    };
    let passed = Condition {
        id: "gate_passed",
        verdict,
        owner: "the pipeline".to_owned(),
        evidence: match (release.status, release.audit_passed) {
            (SnapshotStatus::PendingGate, _) => "the gate has not decided it".to_owned(),
            (status, None) => format!("the run is {status}, and its audit is missing"),
            (status, Some(_)) => format!("the run is {status}"),
        },
        fix: "only a run that `govdeck gate publish` passed is distributed; mint another"
            .to_owned(),
    };
    let real = Condition::holds(
        "not_a_drill",
        !release.drill,
        "the pipeline",
        if release.drill { "a drill" } else { "no drill" },
        "a drill is never distributed",
    );
    vec![
        passed,
        real,
        release
            .governance
            .lets_out(release.annex.as_ref(), release.now),
        artifact(release.artifact),
        near_enough(release.variance),
    ]
}

/// A tuple whose sides were found too far apart stays in; one that nobody compared is not held by that.
fn near_enough(variance: Option<RunVerdict>) -> Condition {
    Condition::holds(
        "variance",
        matches!(variance, None | Some(RunVerdict::Pass)),
        "the owner of tuple_drift",
        variance.map_or("never compared before a publish".to_owned(), |verdict| {
            format!("leadership against partners before the publish: {verdict}")
        }),
        "mend the side that is wrong, mint anew, and ask `govdeck gate variance` again",
    )
}

fn artifact(found: &Found) -> Condition {
    let (verdict, evidence) = match found {
        Found::Same(sha256) => (Verdict::Pass, format!("its bytes hash to {sha256}")),
        Found::Changed(how) => (Verdict::Fail, how.clone()),
        Found::Unreachable(why) => (Verdict::CannotTell, why.clone()),
        Found::NotNamed => (
            Verdict::CannotTell,
            "the run names no artefact that could be hashed".to_owned(),
        ),
    };
    Condition {
        id: "artifact",
        verdict,
        owner: "the pipeline".to_owned(),
        evidence,
        fix: "distribute the bytes that were minted, or mint what there is now".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_reads_back_and_never_climbs() {
        let sha256 = Digest::of(b"x");
        for good in [
            format!("file:out/a.csv#sha256:{sha256}"),
            format!("file:a#sha256:b#sha256:{sha256}"),
            format!("sha256:{sha256}"),
        ] {
            let read: ArtifactRef = good.parse().expect("a reference");
            assert_eq!(read.to_string(), good);
        }
        for path in [
            "",
            "/etc/passwd",
            "../a",
            "a/../b",
            "a//b",
            "./a",
            "a/.",
            "a/",
            "a\n",
        ] {
            let bad = format!("file:{path}#sha256:{sha256}");
            assert_eq!(bad.parse::<ArtifactRef>(), Err(ArtifactRefError), "{bad:?}");
        }
        for bad in [
            "",
            "file:a",
            "a.csv",
            "sha256:",
            "file:a#sha256:00",
            "s3://b/a",
        ] {
            assert_eq!(bad.parse::<ArtifactRef>(), Err(ArtifactRefError), "{bad:?}");
        }
    }

    /// Every combination; it passes in exactly the ways in which all four pass.
    #[test]
    fn the_whole_table_of_distribution() {
        let one = Digest::of(b"1");
        let artifacts = [
            (Found::Same(one), Verdict::Pass),
            (Found::Changed("other bytes".to_owned()), Verdict::Fail),
            (Found::Unreachable("gone".to_owned()), Verdict::CannotTell),
            (Found::NotNamed, Verdict::CannotTell),
        ];
        let now = "2026-05-20T12:00:00Z".parse().expect("a moment");
        let governances = [
            Governance::NotEstablished,
            Governance::Green,
            Governance::Amber,
            Governance::Red { runs: Vec::new() },
        ];
        let mut passed = 0;
        for status in SnapshotStatus::ALL.iter().copied() {
            for audit_passed in [None, Some(true), Some(false)] {
                for drill in [false, true] {
                    for governance in &governances {
                        for (artifact, of_artifact) in &artifacts {
                            let conditions = may_distribute(&Release {
                                status,
                                audit_passed,
                                drill,
                                governance,
                                annex: None,
                                now,
                                artifact,
                                variance: None,
                            });
                            let of_run = match (status, audit_passed) {
                                (SnapshotStatus::GatePassed, Some(true)) => Verdict::Pass,
                                (SnapshotStatus::Blocked, _) | (_, Some(false)) => Verdict::Fail,
                                _ => Verdict::CannotTell,
                            };
                            let expected = Verdict::all([
                                of_run,
                                Verdict::of(!drill),
                                Verdict::of(governance.hold().is_none()),
                                *of_artifact,
                            ]);
                            let verdict = Verdict::all(conditions.iter().map(|c| c.verdict));
                            assert_eq!(verdict, expected, "{conditions:?}");
                            passed += usize::from(verdict == Verdict::Pass);
                        }
                    }
                }
            }
        }
        assert_eq!(passed, 3, "not established, green and amber");
    }

    #[test]
    fn a_tuple_that_was_found_too_far_apart_stays_in() {
        for (variance, verdict) in [
            (None, Verdict::Pass),
            (Some(RunVerdict::Pass), Verdict::Pass),
            (Some(RunVerdict::Fail), Verdict::Fail),
            (Some(RunVerdict::Reject), Verdict::Fail),
        ] {
            assert_eq!(near_enough(variance).verdict, verdict, "{variance:?}");
        }
    }
}
