//! Whether what an entry says was signed is signed, by a key that was its writer's at that time.

use std::collections::BTreeMap;

use super::Report;
use crate::rules::people::Attestation;
use crate::signing::{PublicKey, Signature};
use crate::store::artifact::{self, Filed};
use crate::store::key::{self, PersonKey};
use crate::store::ledger::{Entry, Evidence};
use crate::store::{StoreError, View};

/// The keys of everybody, by fingerprint.
pub(super) struct Keys(BTreeMap<String, PersonKey>);

impl Keys {
    pub(super) async fn read(view: &mut View) -> Result<Self, StoreError> {
        let keys = key::all(view).await?;
        Ok(Self(
            keys.into_iter()
                .map(|key| (key.fingerprint.clone(), key))
                .collect(),
        ))
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
    match keys.0.get(&fingerprint) {
        None => Err(format!(
            "is signed by the key {fingerprint}, which is nobody's"
        )),
        Some(key) if key.person_id != writer => Err(format!(
            "is signed by a key of {}, not of {writer}",
            key.person_id
        )),
        Some(key) if !key.is_valid_at(entry.at_utc) => Err(format!(
            "is signed by the key {fingerprint}, which was not valid then"
        )),
        Some(_) => Ok(()),
    }
}
