//! What can be done with the selected row now, and why not.

use crate::actions::{self, Entry, Signing, Stop};
use crate::rules::people::{Actor, Basis};
use crate::rules::{Condition, Refusal, condition};
use crate::store::{StoreError, View};

use super::picture::Wanted;

/// An action, and whether it can be done with the selected row now.
#[derive(Debug)]
pub struct Possible {
    /// The action.
    pub entry: &'static Entry,
    /// Everything that must hold.
    pub conditions: Vec<Condition>,
    /// Why it cannot be done; none when it can.
    pub refusal: Option<Refusal>,
    /// A field and the word that can be offered for it.
    pub offer: Option<(&'static str, String)>,
}

/// Asks every action on this kind of row whether it could be done; the rules answer, not the console.
pub(super) async fn possible(
    view: &mut View,
    wanted: &Wanted,
    actor: Option<&Actor>,
) -> Result<Vec<Possible>, StoreError> {
    let (Some((kind, id)), Some(_)) = (&wanted.about, actor) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for entry in actions::ENTRIES {
        if entry.basis != Basis::Person || entry.kind != *kind {
            continue;
        }
        match judge(view, entry, id, wanted.signing).await {
            Ok(possible) => found.extend(possible),
            Err(Stop::Store(error)) => return Err(error),
            Err(Stop::Refused(refusal) | Stop::BadInput(refusal)) => found.push(Possible {
                entry,
                conditions: Vec::new(),
                refusal: Some(refusal),
                offer: None,
            }),
        }
    }
    Ok(found)
}

/// Judges one action, by words that somebody could give where it takes some; none where only theirs will do.
async fn judge(
    view: &mut View,
    entry: &'static Entry,
    id: &str,
    signing: Signing,
) -> Result<Option<Possible>, Stop> {
    let Some(suggested) = entry.suggest(id, view).await? else {
        return Ok(None);
    };
    let offered = suggested
        .offers
        .and_then(|field| Some((field, suggested.asked.fields.get(field)?.clone())));
    let asked = suggested.asked.with_signing(signing);
    let proposal = actions::propose(view, entry.verb, asked).await?;
    let is_told = |condition: &&Condition| !suggested.untold.contains(&condition.id);
    let conditions = proposal.conditions().iter().filter(is_told).cloned();
    let conditions: Vec<_> = conditions.collect();
    Ok(Some(Possible {
        entry,
        refusal: condition::unmet(&conditions),
        conditions,
        offer: offered,
    }))
}
