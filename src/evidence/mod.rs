//! Evidence for strangers: entries of the ledger, with cards and signatures, in one archive that checks itself with
//! `sha256sum` and `ssh-keygen`.
//!
//! This floor may import canon, clock, rules, signing and store. It takes nothing out of the ledger that does not
//! verify, never writes to a database, and lets no text from a database choose a file's name.

mod archive;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use crate::canon::Digest;
use crate::clock::Moment;
use crate::rules::{Refusal, people, text};
use crate::signing::{PublicKey, allowed_signer};
use crate::store::export::{Export, Scope, Taken, Verified, stored};
use crate::store::ledger::{Entry, Evidence, Head};
use crate::store::verify::Finding;
use crate::store::{StoreError, View, artifact, deployment, key};
use archive::{Archive, PROGRAM, Room, Text};

const VERIFY: &str = include_str!("verify.sh");
const README: &str = include_str!("readme.txt");

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The hash of the archive.
    pub sha256: Digest,
    /// How many bytes it has.
    pub size: u64,
    /// How many entries are in it, each with its card.
    pub entries: u64,
    /// How many further pieces of evidence.
    pub evidence: u64,
    /// How many signatures.
    pub signatures: u64,
    /// How many keys.
    pub keys: u64,
}

/// Why there is no archive.
#[derive(Debug, thiserror::Error)]
pub enum NotExported {
    /// No entry is in the scope.
    #[error("there is nothing to export")]
    Nothing,
    /// Something does not verify, or cannot be said to a stranger.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The archive cannot be written.
    #[error(transparent)]
    File(#[from] io::Error),
}

impl From<Finding> for NotExported {
    fn from(Finding { place, wrong }: Finding) -> Self {
        Self::Refused(Refusal::new(
            format!("{place}: {wrong}"),
            "nothing was exported; `govdeck ledger verify` tells everything that does not fit",
        ))
    }
}

/// Writes the entries of a scope into a new archive; everything comes from the one view.
pub async fn export(view: &mut View, scope: Scope, to: &Path) -> Result<Exported, NotExported> {
    let taken = describe(&scope);
    let mut archive = Archive::begin(to)?;
    let mut export = Export::begin(view, scope).await??;
    let mut done = Exported {
        sha256: Digest::of(&[]),
        size: 0,
        entries: 0,
        evidence: 0,
        signatures: 0,
        keys: 0,
    };
    archive.tell_entry("seq\thash\tprev_hash\tat\taction\tactor\tapproved_by\ttarget")?;
    archive.tell_signer("seq\tperson\ttime\tattestation")?;
    while let Some(taken) = export.next_entry(view).await? {
        pack(view, &mut archive, &taken?, &mut done).await?;
    }
    if done.entries == 0 {
        return Err(NotExported::Nothing);
    }
    let signers = allowed_signers(view).await?;
    done.keys = signers.lines().count() as u64;
    let readme = readme(view, &taken, export.head()).await?;
    let texts = [
        Text::plain("README.txt", &readme),
        Text::plain("allowed_signers", &signers),
        Text {
            mode: PROGRAM,
            ..Text::plain("verify.sh", VERIFY)
        },
    ];
    let made = archive.finish(to, texts)?;
    Ok(Exported {
        sha256: made.sha256,
        size: made.size,
        ..done
    })
}

async fn pack(
    view: &mut View,
    archive: &mut Archive,
    taken: &Taken,
    done: &mut Exported,
) -> Result<(), NotExported> {
    let entry = &taken.entry;
    people::check_person_id(entry.written_by())?;
    let number = format!("{:08}", entry.seq);
    archive.put(Room::Cards, &format!("{number}.json"), &taken.card)?;
    archive.put(Room::Entries, &format!("{number}.json"), &taken.hashed)?;
    let mut names = BTreeSet::new();
    for piece in &taken.evidence {
        let found = stored(view, entry.seq, "evidence", piece.sha256);
        let found: Verified<_> = found.await?;
        let found = found?;
        if piece.role == artifact::SIGNATURE {
            archive.put(Room::Signatures, &format!("{number}.sig"), &found.bytes)?;
            done.signatures += 1;
            continue;
        }
        let mut name = format!("{number}.{}", name_of(piece, &found.media_type));
        if !names.insert(name.clone()) {
            name = format!("{number}.{}.{name}", piece.sha256);
        }
        archive.put(Room::Evidence, &name, &found.bytes)?;
        done.evidence += 1;
    }
    archive.tell_entry(&entry_line(entry))?;
    archive.tell_signer(&signer_line(entry))?;
    done.entries += 1;
    Ok(())
}

/// What rules, gates and steps rest on, of which an entry may have several pieces; and how the names of such files end.
const OURS: &[((&str, &str), &str)] = &[
    (artifact::BIND_PICTURE, "svg"),
    (artifact::BIND_PROOF, "json"),
    (artifact::CUTOVER_PLAN, "json"),
    (artifact::CUTOVER_STEP, "json"),
    (artifact::DUAL_WRITE_SCANS, "json"),
    (artifact::EXPORTER_ALLOWLIST, "json"),
    (artifact::EXPORTER_FINGERPRINT, "json"),
    (artifact::GATE_EVIDENCE, "json"),
    (artifact::GOLDEN_BEFORE, "bin"),
    (artifact::IMPACT_MATRIX, "csv"),
    (artifact::REHEARSAL_RECEIPT, "json"),
    (artifact::REPLAY_GOLDEN, "csv"),
    (artifact::REPLAY_MANIFEST, "json"),
    (artifact::REPLAY_RESULT, "csv"),
    (artifact::ROLLBACK_TRIGGER, "json"),
];

/// Names a piece of evidence by its role and type, as far as these are ours; otherwise by its hash alone.
fn name_of(piece: &Evidence, media_type: &str) -> String {
    let known = [artifact::RECHECK, artifact::PROPOSED, artifact::APPROVED];
    let ending = match media_type {
        artifact::CARD | artifact::RECHECKED | artifact::APPROVAL => "json",
        _ => "bin",
    };
    match known.iter().find(|role| **role == piece.role) {
        Some(role) => format!("{role}.{ending}"),
        None => match OURS.iter().find(|((role, _), _)| *role == piece.role) {
            Some(((role, _), ending)) => format!("{role}-{}.{ending}", piece.sha256),
            None => format!("other-{}.{ending}", piece.sha256),
        },
    }
}

/// Makes a text one plain cell of a table.
fn cell(value: &str) -> String {
    if value.is_empty() {
        "-".to_owned()
    } else {
        text::scrub(value).into_owned()
    }
}

fn entry_line(entry: &Entry) -> String {
    let approved_by = entry.approved_by.as_deref().unwrap_or_default();
    format!(
        "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
        entry.seq,
        entry.hash,
        entry.prev_hash,
        entry.at_utc,
        cell(&entry.action),
        cell(&entry.actor_id),
        cell(approved_by),
        cell(&entry.target_id),
    )
}

fn signer_line(entry: &Entry) -> String {
    let writer = cell(entry.written_by());
    let time = verify_time(entry.at_utc);
    format!("{}\t{writer}\t{time}\t{}", entry.seq, entry.attestation)
}

/// Writes a moment as `ssh-keygen -O verify-time=` reads it: whole seconds in UTC.
fn verify_time(moment: Moment) -> String {
    moment.as_datetime().format("%Y%m%d%H%M%SZ").to_string()
}

async fn allowed_signers(view: &mut View) -> Result<String, NotExported> {
    let mut lines = String::new();
    for key in key::all(view).await? {
        let public = PublicKey::parse(&key.public_key)?;
        let line = allowed_signer(
            &key.person_id,
            &public,
            key.added_at_utc,
            key.revoked_at_utc,
        )?;
        lines.push_str(&line);
        lines.push('\n');
    }
    Ok(lines)
}

fn describe(scope: &Scope) -> String {
    let upto = scope
        .upto
        .map_or("the newest".to_owned(), |upto| upto.to_string());
    let of = scope.subject.as_deref();
    let of = of.map_or(String::new(), |subject| {
        format!(", those of {} only", cell(subject))
    });
    format!("entries from {} to {upto}{of}", scope.from)
}

async fn readme(view: &mut View, scope: &str, head: &Head) -> Result<String, StoreError> {
    let deployment = deployment::read(view).await?;
    // Last what comes from the database, so that no text of it is taken for a place.
    Ok(README
        .replace("{head_seq}", &head.seq.to_string())
        .replace("{head_hash}", &head.hash.to_string())
        .replace("{deployment_id}", &cell(&deployment.deployment_id))
        .replace("{scope}", scope)
        .replace("{deployment}", &cell(&deployment.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_role_and_no_type_chooses_a_name() {
        let piece = |role: &str| Evidence {
            seq: 1,
            role: role.to_owned(),
            sha256: Digest::of(b"x"),
        };
        let recheck = name_of(&piece("recheck"), artifact::RECHECKED);
        assert_eq!(recheck, "recheck.json");
        let golden = name_of(&piece("replay_golden"), "text/../../html");
        assert_eq!(golden, format!("replay_golden-{}.csv", Digest::of(b"x")));
        for role in ["../../etc/passwd", "a\nb", "", "-rf", "signature "] {
            let name = name_of(&piece(role), "text/../../html");
            assert_eq!(name, format!("other-{}.bin", Digest::of(b"x")));
        }
    }

    #[test]
    fn a_cell_is_one_cell() {
        assert_eq!(cell(""), "-");
        assert_eq!(cell("a\tb\nc\u{202e}"), "a<0009>b<000A>c<202E>");
    }

    #[test]
    fn times_are_whole_seconds_that_have_begun() {
        let at = |text: &str| verify_time(text.parse().expect("a moment"));
        assert_eq!(at("2026-05-14T02:14:07.999999Z"), "20260514021407Z");
    }
}
