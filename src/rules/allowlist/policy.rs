//! The policy of one phase: what the document of an allow-list says.

use super::Phase;
use crate::canon::scan::{Scan, Scanner, Start};
use crate::canon::{self, Digest, Integers, JsonError, Reason, Texts};
use crate::rules::dictionary::version;
use crate::rules::reconcile::fields::members_of;
use crate::rules::reconcile::quoted;
use crate::rules::text::is_hostile;

/// The fields: four texts, four lists, and three lists that need not be there.
const FIELDS: [&str; 11] = [
    "migration_id",
    "phase",
    "from_semver",
    "to_semver",
    "allowed_top_level_keys",
    "nested_paths_allowed",
    "forbidden_exact_keys",
    "protected_metric_ids",
    "added_keys",
    "removed_keys",
    "type_changed_keys",
];

const TEXTS: usize = 4;

/// The first field that need not be there.
const DECLARED: usize = 8;

/// The longest id of a migration, which is a folder's name.
const MOST_ID: usize = 128;

/// Says which keys an export may have in a phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The migration.
    pub migration_id: String,
    /// Its phase.
    pub phase: Phase,
    /// The dictionary it comes from.
    pub from_semver: String,
    /// The dictionary it goes to.
    pub to_semver: String,
    /// The top-level keys that may be there.
    pub allowed_top_level_keys: Texts,
    /// The nested leaves that may be there, where their first segment may be too.
    pub nested_paths_allowed: Texts,
    /// The paths that may not be there, whatever else allows them.
    pub forbidden_exact_keys: Texts,
    /// The metrics that the migration must not lose.
    pub protected_metric_ids: Texts,
    /// What it says is added, if it does.
    pub added_keys: Option<Texts>,
    /// What it says is removed, if it does.
    pub removed_keys: Option<Texts>,
    /// What it says is of another type, if it does.
    pub type_changed_keys: Option<Texts>,
}

/// Hashes the canonical form of an allow-list: `allowlist_sha256`.
pub fn allowlist_sha256(document: &[u8]) -> Result<Digest, JsonError> {
    Ok(Digest::of(&canon::canonical_exact(document)?))
}

impl Policy {
    /// Reads a policy: one strict JSON object, no other fields.
    pub fn read(bytes: &[u8]) -> Result<Self, JsonError> {
        let mut scanner = Scanner::new(bytes, Integers::Exact)?;
        let at = scanner.at();
        let mut phase = None;
        let mut texts = [const { None }; TEXTS];
        let mut lists = [const { None }; FIELDS.len() - TEXTS];
        members_of(&mut scanner, &FIELDS, |scanner, place| {
            let name = FIELDS[place];
            if let Some(list) = place.checked_sub(TEXTS).and_then(|at| lists.get_mut(at)) {
                *list = Some(take_list(scanner, name)?);
                return Ok(());
            }
            scanner.peek()?;
            let at = scanner.at();
            let text = take_text(scanner, name)?;
            let refuse = |what| scanner.refusal(at, Reason::Malformed, format!("{name}: {what}"));
            match name {
                "phase" => phase = Some(phase_of(&text).map_err(refuse)?),
                "migration_id" => is_folder_name(&text).map_err(refuse)?,
                _ => drop(version(&text).map_err(|refusal| refuse(refusal.sentence))?),
            }
            texts[place] = Some(text);
            Ok(())
        })?;
        let refuse = |what: &str| JsonError::from(scanner.refusal(at, Reason::Malformed, what));
        let is_there = |place: usize| match place.checked_sub(TEXTS) {
            None => texts[place].is_some(),
            Some(list) => lists[list].is_some(),
        };
        if let Some(place) = (0..DECLARED).find(|place| !is_there(*place)) {
            return Err(refuse(&format!("{} is missing", FIELDS[place])));
        }
        let [migration_id, _, from_semver, to_semver] = texts.map(Option::unwrap_or_default);
        rises(&from_semver, &to_semver).map_err(|what| refuse(&what))?;
        let phase = phase.ok_or_else(|| refuse("phase is missing"))?;
        scanner.clone().finish()?;
        let [
            top,
            nested,
            forbidden,
            protected,
            added_keys,
            removed_keys,
            type_changed_keys,
        ] = lists;
        Ok(Self {
            migration_id,
            phase,
            from_semver,
            to_semver,
            allowed_top_level_keys: top.unwrap_or_default(),
            nested_paths_allowed: nested.unwrap_or_default(),
            forbidden_exact_keys: forbidden.unwrap_or_default(),
            protected_metric_ids: protected.unwrap_or_default(),
            added_keys,
            removed_keys,
            type_changed_keys,
        })
    }

    /// Tells whether a leaf may be there, as long as it is not forbidden.
    #[must_use]
    pub fn allows(&self, path: &str) -> bool {
        match path.split_once('.') {
            None => self.allowed_top_level_keys.contains(path),
            Some((first, _)) => {
                self.nested_paths_allowed.contains(path)
                    && self.allowed_top_level_keys.contains(first)
            }
        }
    }

    /// Tells whether a leaf may not be there, whatever allows it.
    #[must_use]
    pub fn forbids(&self, path: &str) -> bool {
        self.forbidden_exact_keys.contains(path)
    }

    /// Tells whether a leaf may go when the phase begins.
    #[must_use]
    pub fn lets_go(&self, path: &str) -> bool {
        self.phase == Phase::Cutover && self.forbids(path)
    }
}

fn phase_of(text: &str) -> Result<Phase, String> {
    let all: Vec<_> = Phase::ALL.iter().map(|phase| phase.word()).collect();
    text.parse().map_err(|_| {
        let found = quoted(text);
        format!("{found} has no allow-list; one of: {}", all.join(", "))
    })
}

/// Checks that an id can be a folder's name on any system.
fn is_folder_name(id: &str) -> Result<(), String> {
    let is_bad = |character: char| {
        character.is_whitespace() || is_hostile(character) || "/\\:*?\"<>|".contains(character)
    };
    if id.is_empty() || id.len() > MOST_ID || id.starts_with('.') || id.contains(is_bad) {
        return Err(format!("{} is no name of a folder", quoted(id)));
    }
    Ok(())
}

/// Checks that a migration goes forward within one major version.
fn rises(from: &str, to: &str) -> Result<(), String> {
    let read = |text: &str| version(text).map_err(|refusal| refusal.sentence);
    let (old, new) = (read(from)?, read(to)?);
    if !new.is_after(&old) {
        let (from, to) = (quoted(from), quoted(to));
        return Err(format!("to_semver {to} is not after from_semver {from}"));
    }
    if new.parts().0[0] != old.parts().0[0] {
        return Err("from_semver and to_semver are not of one major version".to_owned());
    }
    Ok(())
}

pub(super) fn take_text(scanner: &mut Scanner<'_>, name: &str) -> Scan<String> {
    if scanner.peek()? == Start::String {
        return Ok(scanner.string()?.text.into_owned());
    }
    let what = format!("{name} is no text");
    Err(scanner.refusal(scanner.at(), Reason::Malformed, what))
}

fn take_list(scanner: &mut Scanner<'_>, name: &str) -> Scan<Texts> {
    if scanner.peek()? != Start::Array {
        let what = format!("{name} is no list of texts");
        return Err(scanner.refusal(scanner.at(), Reason::Malformed, what));
    }
    let mut places = Vec::new();
    let walked = scanner.elements(|scanner| {
        if scanner.peek()? != Start::String {
            let what = format!("an element of {name} is no text");
            return Err(scanner.refusal(scanner.at(), Reason::Malformed, what));
        }
        // No text that is taken has places that do not fit.
        places.push(u32::try_from(scanner.at()).unwrap_or(u32::MAX));
        scanner.string().map(|_| ())
    });
    let list = Texts::read(scanner, places).map_err(|place| {
        let place = place as usize;
        let text = scanner.back_at(place).string();
        let text = text.map(|text| text.text).unwrap_or_default();
        let what = format!("{name}: {} stands twice", quoted(&text));
        scanner.refusal(place, Reason::Malformed, what)
    })?;
    walked.map(|()| list)
}
