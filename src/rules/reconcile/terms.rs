//! What both sides and the policy must agree on before any row is looked at.

use std::cmp::Ordering;

use ::semver::Version;
use serde::Serialize;

use super::fault::{Fault, Reject, quoted};
use super::lineage::{Bypass, Lineage};
use super::policy::{Policy, Said};
use super::sidecar::{Field, Sidecar};
use super::{Party, RejectReason};
use crate::canon::Digest;
use crate::clock::Moment;
use crate::rules::semver;

/// The one time zone that a window may be in.
const UTC: &str = "UTC";

const CONTRACT_MAX_SEMVER: &str = "contract_max_semver";

/// Holds what both sides agree on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Terms {
    /// When the window begins, as both wrote it.
    pub start_inclusive: String,
    /// When the window has ended, as both wrote it.
    pub end_exclusive: String,
    /// The revision of the tuple.
    pub tuple_revision_hash: String,
    /// The dictionary, as leadership wrote its version.
    pub dictionary_semver: String,
    /// The policy.
    pub epsilon_policy_version: String,
    /// The digest of leadership's rows.
    pub leadership_ingest_hash: String,
    /// The digest of the partner's rows.
    pub partner_ingest_hash: String,
    /// What both say of a bypass; whether they agree on it is not a term.
    pub lineage: Lineage,
}

/// Writes a digest as sidecars and references do.
#[must_use]
pub fn sha256_text(digest: Digest) -> String {
    format!("sha256:{digest}")
}

/// One side as its terms are judged.
#[derive(Debug)]
pub(super) struct Described<'a> {
    pub(super) party: Party,
    /// The name of the sidecar's file.
    pub(super) file: &'a str,
    pub(super) sidecar: &'a Result<Sidecar, Fault>,
    /// The digest of the rows' bytes.
    pub(super) digest: Digest,
}

/// A side whose sidecar was read.
struct Spoken<'a> {
    of: &'a Described<'a>,
    sidecar: &'a Sidecar,
}

type Held = Result<(), Reject>;

/// Judges the terms in the order of precedence.
pub(super) fn agree(
    sides: [&Described<'_>; 2],
    policy: &Policy,
    policy_file: &str,
) -> Result<Terms, Reject> {
    let [leadership, partner] = [spoken(sides[0])?, spoken(sides[1])?];
    let both = [&leadership, &partner];
    let said = policy.said.as_ref();
    both.into_iter().try_for_each(rows_are_those)?;
    let versions = Versions::read(both, said, policy_file)?;
    both.into_iter().try_for_each(window_is_utc)?;
    both.into_iter().try_for_each(window_is_sound)?;
    same(both, Field::StartInclusive, RejectReason::WindowMismatch)?;
    same(both, Field::EndExclusive, RejectReason::WindowMismatch)?;
    let tuple = Field::TupleRevisionHash;
    stated(both, tuple, RejectReason::TupleRevisionMismatch)?;
    same(both, tuple, RejectReason::TupleRevisionMismatch)?;
    versions.dictionaries_agree(&partner)?;
    policies_agree(both, said, policy_file)?;
    versions.footers_are_known(both)?;
    if let Err(fault) = &policy.epsilons {
        return Err(fault
            .clone()
            .rejects(RejectReason::EpsilonInvalid, policy_file));
    }
    let text = |field| leadership.get(field).unwrap_or_default().to_owned();
    Ok(Terms {
        start_inclusive: text(Field::StartInclusive),
        end_exclusive: text(Field::EndExclusive),
        tuple_revision_hash: text(tuple),
        dictionary_semver: text(Field::DictionarySemver),
        epsilon_policy_version: text(Field::EpsilonPolicyVersion),
        leadership_ingest_hash: sha256_text(leadership.of.digest),
        partner_ingest_hash: sha256_text(partner.of.digest),
        lineage: Lineage {
            leadership: Bypass::of(leadership.sidecar),
            partner: Bypass::of(partner.sidecar),
        },
    })
}

impl<'a> Spoken<'a> {
    /// Returns what a field says; an empty text says nothing.
    fn get(&self, field: Field) -> Option<&'a str> {
        self.sidecar.get(field).filter(|said| !said.is_empty())
    }

    fn rejected(&self, reason: RejectReason, field: Field, what: impl Into<String>) -> Reject {
        Fault::of_field(field.word(), what).rejects(reason, self.of.file)
    }

    /// Returns what a field says, or rejects the side for its silence.
    fn needs(&self, field: Field, reason: RejectReason) -> Result<&'a str, Reject> {
        let silent = || self.rejected(reason, field, "is missing");
        self.get(field).ok_or_else(silent)
    }
}

/// Takes a sidecar that was read and is of its side.
fn spoken<'a>(of: &'a Described<'a>) -> Result<Spoken<'a>, Reject> {
    let reason = RejectReason::SidecarMissing;
    let sidecar = match of.sidecar {
        Ok(sidecar) => sidecar,
        Err(fault) => return Err(fault.clone().rejects(reason, of.file)),
    };
    let spoken = Spoken { of, sidecar };
    let side = spoken.needs(Field::Side, reason)?;
    if side != of.party.word() {
        let what = format!("is {}, not {}", quoted(side), of.party);
        return Err(spoken.rejected(reason, Field::Side, what));
    }
    for field in [Field::BypassAuditId, Field::ParentFreezeId] {
        if sidecar.get(field) == Some("") {
            let what = "is empty; a side without a bypass writes \"no bypass\"";
            return Err(spoken.rejected(reason, field, what));
        }
    }
    Ok(spoken)
}

fn rows_are_those(side: &Spoken<'_>) -> Held {
    let reason = RejectReason::IngestHashMismatch;
    let said = side.needs(Field::IngestHash, reason)?;
    let found = sha256_text(side.of.digest);
    if said == found {
        return Ok(());
    }
    let what = format!("is {}, but the rows hash to {found}", quoted_hash(said));
    Err(side.rejected(reason, Field::IngestHash, what))
}

/// Quotes a hash, which is longer than other texts that a message repeats.
fn quoted_hash(said: &str) -> String {
    let is_hash = said.len() == 71
        && said
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b':');
    if is_hash {
        format!("\"{said}\"")
    } else {
        quoted(said)
    }
}

/// The versions of both sides, leadership first, and of the contract.
struct Versions {
    dictionaries: [Version; 2],
    footers: [Version; 2],
    /// Nothing when the policy cannot be read, which rejects further on.
    contract: Option<Version>,
}

impl Versions {
    fn read(sides: [&Spoken<'_>; 2], said: Option<&Said>, file: &str) -> Result<Self, Reject> {
        let reason = RejectReason::SemverInvalid;
        let version = |side: &Spoken<'_>, field| {
            let text = side.needs(field, reason)?;
            semver::parse(text).map_err(|refusal| side.rejected(reason, field, refusal.sentence))
        };
        let of_side = |side: &Spoken<'_>| {
            Ok((
                version(side, Field::DictionarySemver)?,
                version(side, Field::FooterSchemaSemver)?,
            ))
        };
        let (first, second) = (of_side(sides[0])?, of_side(sides[1])?);
        let rejected =
            |what: String| Fault::of_field(CONTRACT_MAX_SEMVER, what).rejects(reason, file);
        let contract = match said.map(|said| said.contract_max_semver.as_deref()) {
            None => None,
            Some(None | Some("")) => return Err(rejected("is missing".to_owned())),
            Some(Some(text)) => {
                Some(semver::parse(text).map_err(|refusal| rejected(refusal.sentence))?)
            }
        };
        Ok(Self {
            dictionaries: [first.0, second.0],
            footers: [first.1, second.1],
            contract,
        })
    }

    fn dictionaries_agree(&self, partner: &Spoken<'_>) -> Held {
        let [ours, theirs] = &self.dictionaries;
        if ours.cmp_precedence(theirs) == Ordering::Equal {
            return Ok(());
        }
        let what = format!("is {theirs}, and leadership follows {ours}");
        let reason = RejectReason::DictionarySemverMismatch;
        Err(partner.rejected(reason, Field::DictionarySemver, what))
    }

    fn footers_are_known(&self, sides: [&Spoken<'_>; 2]) -> Held {
        let Some(contract) = &self.contract else {
            return Ok(());
        };
        for (side, footer) in sides.into_iter().zip(&self.footers) {
            if footer.cmp_precedence(contract) == Ordering::Greater {
                let what =
                    format!("is {footer}, newer than {contract}, the newest of the contract");
                let reason = RejectReason::FooterSchemaTooNew;
                return Err(side.rejected(reason, Field::FooterSchemaSemver, what));
            }
        }
        Ok(())
    }
}

fn window_is_utc(side: &Spoken<'_>) -> Held {
    let reason = RejectReason::WindowTzPolicy;
    let zone = side.needs(Field::WindowTzPolicy, reason)?;
    if zone == UTC {
        return Ok(());
    }
    let what = format!("is {}, not \"{UTC}\"", quoted(zone));
    Err(side.rejected(reason, Field::WindowTzPolicy, what))
}

fn window_is_sound(side: &Spoken<'_>) -> Held {
    let reason = RejectReason::WindowInvalid;
    let moment = |field| {
        let text = side.needs(field, reason)?;
        let read = text.parse::<Moment>();
        read.map_err(|error| side.rejected(reason, field, format!("is {error}")))
    };
    let (start, end) = (moment(Field::StartInclusive)?, moment(Field::EndExclusive)?);
    if start < end {
        return Ok(());
    }
    let what = format!("is {end}, not after the start {start}");
    Err(side.rejected(reason, Field::EndExclusive, what))
}

fn stated(sides: [&Spoken<'_>; 2], field: Field, reason: RejectReason) -> Held {
    for side in sides {
        side.needs(field, reason)?;
    }
    Ok(())
}

/// Compares what both say byte for byte.
fn same(sides: [&Spoken<'_>; 2], field: Field, reason: RejectReason) -> Held {
    let [ours, theirs] = sides.map(|side| side.get(field).unwrap_or_default());
    if ours == theirs {
        return Ok(());
    }
    let what = format!("is {}, and {} for leadership", quoted(theirs), quoted(ours));
    Err(sides[1].rejected(reason, field, what))
}

fn policies_agree(sides: [&Spoken<'_>; 2], said: Option<&Said>, file: &str) -> Held {
    let (reason, field) = (
        RejectReason::EpsilonPolicyMismatch,
        Field::EpsilonPolicyVersion,
    );
    stated(sides, field, reason)?;
    same(sides, field, reason)?;
    let Some(said) = said else {
        return Ok(());
    };
    let ours = sides[0].get(field).unwrap_or_default();
    let what = match said.epsilon_policy_version.as_deref() {
        Some(version) if version == ours => return Ok(()),
        None | Some("") => "is missing".to_owned(),
        Some(version) => format!(
            "is {}, and {} for both sides",
            quoted(version),
            quoted(ours)
        ),
    };
    Err(Fault::of_field(field.word(), what).rejects(reason, file))
}
