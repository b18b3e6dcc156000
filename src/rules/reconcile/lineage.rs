//! Bypass lineage: a week that was published under a bypass of a freeze shows the same ids on both sides.
//!
//! No metric and no reason for a rejection stands for this; a lineage that differs fails the run, with a sentence.

use serde::Serialize;

use super::Party;
use super::fault::quoted;
use super::sidecar::{Field, Sidecar};

/// What a side writes that had no bypass and says so.
pub const NO_BYPASS: &str = "no bypass";

/// What one side says of its bypass.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Bypass {
    /// The bypass, or [`NO_BYPASS`]; nothing when the side is silent.
    pub bypass_audit_id: Option<String>,
    /// The freeze that it goes round, or [`NO_BYPASS`].
    pub parent_freeze_id: Option<String>,
}

impl Bypass {
    /// Takes what a sidecar says.
    #[must_use]
    pub fn of(sidecar: &Sidecar) -> Self {
        let said = |field| sidecar.get(field).map(str::to_owned);
        Self {
            bypass_audit_id: said(Field::BypassAuditId),
            parent_freeze_id: said(Field::ParentFreezeId),
        }
    }
}

/// What both sides say of their bypass.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Lineage {
    /// What leadership says.
    pub leadership: Bypass,
    /// What the partner says.
    pub partner: Bypass,
}

impl Lineage {
    /// Says what is wrong where each side has to tell: a bypass with its freeze, or that there was none.
    #[must_use]
    pub fn fault_where_it_is_told(&self) -> Option<String> {
        let told = |bypass: &Bypass| {
            let both = bypass
                .bypass_audit_id
                .as_deref()
                .zip(bypass.parent_freeze_id.as_deref());
            both.is_some_and(|(audit, freeze)| (audit == NO_BYPASS) == (freeze == NO_BYPASS))
        };
        let silent = [
            (Party::Leadership, &self.leadership),
            (Party::Partner, &self.partner),
        ];
        let silent = silent.into_iter().find(|(_, bypass)| !told(bypass));
        self.fault().or_else(|| {
            silent.map(|(party, _)| {
                format!(
                    "the bypass lineage is not told: {party} names a bypass and its freeze, or writes {NO_BYPASS:?} for both"
                )
            })
        })
    }

    /// Says how the sides differ, if they do; a side that says nothing does not agree with one that says something.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let (leadership, partner) = (&self.leadership, &self.partner);
        [
            (
                Field::BypassAuditId,
                &leadership.bypass_audit_id,
                &partner.bypass_audit_id,
            ),
            (
                Field::ParentFreezeId,
                &leadership.parent_freeze_id,
                &partner.parent_freeze_id,
            ),
        ]
        .into_iter()
        .find(|(_, leadership, partner)| leadership != partner)
        .map(|(field, leadership, partner)| {
            let told = |said: &Option<String>| match said {
                Some(said) => quoted(said),
                None => "not said".to_owned(),
            };
            format!(
                "the bypass lineage differs: {field} is {} for leadership and {} for the partner",
                told(leadership),
                told(partner)
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lineage(leadership: [Option<&str>; 2], partner: [Option<&str>; 2]) -> Lineage {
        let bypass = |[audit, freeze]: [Option<&str>; 2]| Bypass {
            bypass_audit_id: audit.map(str::to_owned),
            parent_freeze_id: freeze.map(str::to_owned),
        };
        Lineage {
            leadership: bypass(leadership),
            partner: bypass(partner),
        }
    }

    #[test]
    fn where_it_is_told_neither_silence_nor_half_a_word_passes() {
        let (none, id) = (Some(NO_BYPASS), Some("BYP-9"));
        for (said, passes) in [
            ([none, none], true),
            ([id, Some("FZ-1")], true),
            ([None, None], false),
            ([id, None], false),
            ([none, Some("FZ-1")], false),
            ([id, none], false),
        ] {
            let fault = lineage(said, said).fault_where_it_is_told();
            assert_eq!(fault.is_none(), passes, "{said:?}: {fault:?}");
        }
        assert!(
            lineage([id, none], [id, id])
                .fault_where_it_is_told()
                .is_some()
        );
    }

    #[test]
    fn sides_agree_only_on_what_both_say() {
        let (none, id, other) = (Some(NO_BYPASS), Some("BYP-9"), Some("BYP-8"));
        for (leadership, partner, agrees) in [
            ([None, None], [None, None], true),
            ([none, none], [none, none], true),
            ([id, Some("FZ-1")], [id, Some("FZ-1")], true),
            ([id, Some("FZ-1")], [None, None], false),
            ([None, None], [id, Some("FZ-1")], false),
            ([id, None], [none, None], false),
            ([none, none], [None, None], false),
            ([id, None], [other, None], false),
            ([id, Some("FZ-1")], [id, Some("FZ-2")], false),
            ([id, Some("FZ-1")], [id, None], false),
        ] {
            let fault = lineage(leadership, partner).fault();
            assert_eq!(
                fault.is_none(),
                agrees,
                "{leadership:?} {partner:?}: {fault:?}"
            );
        }
        assert_eq!(
            lineage([id, None], [None, None]).fault().as_deref(),
            Some(
                "the bypass lineage differs: bypass_audit_id is \"BYP-9\" for leadership and not said for the partner"
            )
        );
    }
}
