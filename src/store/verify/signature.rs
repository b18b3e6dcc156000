//! Whether what an entry says was signed is signed, by a key that was its writer's at that time.

use std::collections::BTreeMap;

use super::Report;
use crate::rules::people::Attestation;
use crate::signing::{PublicKey, Signature};
use crate::store::artifact::{self, Filed};
use crate::store::key::{self, Span};
use crate::store::ledger::{Entry, Evidence};
use crate::store::{StoreError, View};

/// The keys of everybody by fingerprint, and where in the ledger they were valid.
pub(super) struct Keys {
    people: BTreeMap<String, String>,
    spans: BTreeMap<String, Span>,
}

impl Keys {
    pub(super) async fn read(view: &mut View) -> Result<Self, StoreError> {
        let keys = key::all(view).await?;
        Ok(Self {
            people: keys
                .into_iter()
                .map(|key| (key.fingerprint, key.person_id))
                .collect(),
            spans: key::spans(view).await?,
        })
    }
}

/// Checks an entry's signature over its card.
pub(super) fn check(
    report: &mut Report,
    entry: &Entry,
    evidence: &[Evidence],
    (card, signature): (Option<&Filed>, Option<&Filed>),
    keys: &Keys,
) {
    let place = format!("entry {}", entry.seq);
    let named = evidence
        .iter()
        .filter(|piece| piece.role == artifact::SIGNATURE)
        .count();
    let wanted = usize::from(entry.attestation == Attestation::Signed);
    if named != wanted {
        return report.add(place, format!("has {named} signatures, not {wanted}"));
    }
    // That the artefact itself is gone is told with all others that are.
    let (Some(card), Some(signature)) = (card, signature) else {
        return;
    };
    if let Err(wrong) = good(entry, &card.bytes, &signature.bytes, keys) {
        report.add(place, wrong);
    }
}

fn good(entry: &Entry, card: &[u8], armored: &[u8], keys: &Keys) -> Result<(), String> {
    let armored =
        std::str::from_utf8(armored).map_err(|_| "its signature is no text".to_owned())?;
    let verified = Signature::parse(armored)
        .and_then(|signature| signature.verify(card).map(PublicKey::fingerprint));
    let fingerprint = verified.map_err(|refusal| format!("its signature: {refusal}"))?;
    let writer = entry.written_by();
    let valid = keys.spans.get(&fingerprint).is_some_and(|span| {
        span.added < entry.seq && span.revoked.is_none_or(|revoked| entry.seq <= revoked)
    });
    match keys.people.get(&fingerprint) {
        None => Err(format!(
            "is signed by the key {fingerprint}, which is nobody's"
        )),
        Some(person) if person != writer => {
            Err(format!("is signed by a key of {person}, not of {writer}"))
        }
        Some(_) if !valid => Err(format!(
            "is signed by the key {fingerprint}, which was not valid then"
        )),
        Some(_) => Ok(()),
    }
}
