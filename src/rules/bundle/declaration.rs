//! The declaration: what a change is, may do, and consists of.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::names::{MigrationId, escape};
use super::schemas::{Fault, Schema};
use super::shown::quoted;
use super::yaml::{self, Held, Node};
use super::{Finding, Kind, Limits, Place, Reason, Scope, limits};
use crate::rules::text;

/// The name of the file.
pub const DECLARATION_FILE: &str = "migration.yml";

/// The largest declaration that is read.
pub const MOST_DECLARATION_BYTES: usize = 256 * 1024;

/// Holds what `migration.yml` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// The id, never used again.
    pub migration_id: String,
    /// The kind of store.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// What it is for, in plain words.
    pub intent: String,
    /// What it may touch.
    pub scope: Scope,
    /// How far it may reach.
    pub limits: Limits,
    /// Whether there must be a way back.
    pub requires_rollback: bool,
    /// Who has to look at it.
    pub approvals: Approvals,
    /// What runs it.
    pub runner: Runner,
    /// The files it consists of.
    pub artifacts: Artifacts,
}

/// Who has to look at a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approvals {
    /// Reviewers or groups of them.
    pub required_reviewers: Vec<String>,
    /// The class of the change, such as `governance-critical`.
    pub change_class: String,
    /// The governance approval of what cannot be taken back or is protected: a decision record.
    #[serde(default)]
    pub reference: Option<String>,
}

/// What runs a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Runner {
    /// The tool.
    pub tool: String,
    /// The command.
    pub command: String,
    /// Names of references to secrets, never their values.
    #[serde(default)]
    pub environment: Vec<String>,
}

/// The files of a bundle, by their path from its folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Named", into = "Named")]
pub struct Artifacts {
    /// Scripts that make the change, in their order.
    pub forward: Vec<String>,
    /// Scripts that take it back, in their order.
    pub rollback: Vec<String>,
    /// The baseline before.
    pub pre: String,
    /// The baseline after.
    pub post: String,
    /// The summary of what differs between them.
    pub summary: String,
}

/// The shape of `artifacts` in the file.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    forward: Vec<String>,
    #[serde(default)]
    rollback: Vec<String>,
    baselines: Baselines,
    diffs: Diffs,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Baselines {
    pre: String,
    post: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Diffs {
    summary: String,
}

impl From<Named> for Artifacts {
    fn from(named: Named) -> Self {
        Self {
            forward: named.forward,
            rollback: named.rollback,
            pre: named.baselines.pre,
            post: named.baselines.post,
            summary: named.diffs.summary,
        }
    }
}

impl From<Artifacts> for Named {
    fn from(artifacts: Artifacts) -> Self {
        Self {
            forward: artifacts.forward,
            rollback: artifacts.rollback,
            baselines: Baselines {
                pre: artifacts.pre,
                post: artifacts.post,
            },
            diffs: Diffs {
                summary: artifacts.summary,
            },
        }
    }
}

/// A declaration of the right shape, with the document it was read from.
#[derive(Debug, Clone)]
pub struct Declared {
    /// What it says.
    pub declaration: Declaration,
    document: Node,
}

/// Something that a declaration says and should not: the reason, the steps to it, and what is wrong.
pub(super) type Complaint = (Reason, Vec<String>, String);

impl Declared {
    /// Reads `migration.yml`: strict YAML first, then the schema.
    pub fn read(bytes: &[u8]) -> Result<Self, Vec<Finding>> {
        let finding = |reason, what: &str| vec![Finding::new(reason, DECLARATION_FILE, what)];
        if bytes.len() > MOST_DECLARATION_BYTES {
            let what = format!("more than {MOST_DECLARATION_BYTES} bytes");
            return Err(finding(Reason::DeclarationInvalid, &what));
        }
        let document = yaml::read(bytes).map_err(|refused| {
            let (place, what) = (refused.place, &refused.what);
            vec![Finding::at(
                Reason::YamlRejected,
                DECLARATION_FILE,
                place,
                what,
            )]
        })?;
        let value = document.to_json();
        let mut found = hostile(bytes, &document);
        let faults = Schema::Declaration.faults(&value);
        found.extend(faults.iter().map(|fault| of_fault(fault, &document)));
        found.extend(limits::faults(&value["limits"]).map(|(name, what)| {
            let steps = ["limits".to_owned(), name.to_owned()];
            placed(&document, &(Reason::LimitsInvalid, steps.to_vec(), what))
        }));
        if !found.is_empty() {
            return Err(found);
        }
        match serde_json::from_value(value) {
            Ok(declaration) => Ok(Self {
                declaration,
                document,
            }),
            Err(error) => Err(finding(Reason::DeclarationInvalid, &error.to_string())),
        }
    }

    /// Finds what the declaration says and should not, though its shape is right.
    #[must_use]
    pub fn faults(&self) -> Vec<Finding> {
        let declaration = &self.declaration;
        let mut complaints = declaration.artifacts.complaints();
        if let Err(what) = declaration.migration_id.parse::<MigrationId>() {
            let steps = vec!["migration_id".to_owned()];
            complaints.push((Reason::DeclarationInvalid, steps, what));
        }
        complaints.extend(declaration.scope_complaints());
        let placed = |complaint| placed(&self.document, complaint);
        complaints.iter().map(placed).collect()
    }
}

/// Finds raw and escaped characters that hide or reorder text.
fn hostile(bytes: &[u8], document: &Node) -> Vec<Finding> {
    let raw = String::from_utf8_lossy(bytes);
    let is_hostile = |character: char| text::is_hostile(character) && !"\n\r\t".contains(character);
    let finding = |place: Place, what: &str| {
        Finding::at(Reason::DeclarationInvalid, DECLARATION_FILE, place, what)
    };
    let said = |character: char| {
        let code = u32::from(character);
        format!("the character U+{code:04X}, which hides or reorders text")
    };
    if let Some((offset, character)) = raw.char_indices().find(|(_, c)| is_hostile(*c)) {
        return vec![finding(yaml::place_of(bytes, offset), &said(character))];
    }
    let mut found = Vec::new();
    // Names of files are judged with what else may be wrong with them.
    document.texts_but("artifacts", &mut |text, place| {
        if let Some(character) = text.chars().find(|c| is_hostile(*c)) {
            found.push(finding(place, &said(character)));
        }
    });
    found
}

/// Makes a finding of a fault by the schema; those of limits have a reason of their own.
fn of_fault(fault: &Fault, document: &Node) -> Finding {
    let node = document.at(&fault.path);
    let is_limits = match fault.path.first() {
        None => fault.missing.as_deref() == Some("limits"),
        Some(first) => first == "limits" && fault.unknown.is_none(),
    };
    let reason = if is_limits {
        Reason::LimitsInvalid
    } else {
        Reason::DeclarationInvalid
    };
    let key = fault.unknown.as_ref().and_then(|name| node.key_place(name));
    let what = match &node.held {
        Held::Bare(word) if fault.is_type && fault.what == "expected a text" => format!(
            "{}: {} without quotes is no text for every reader of YAML; put it in quotes",
            fault.field(),
            quoted(word)
        ),
        _ => fault.sentence(),
    };
    Finding::at(reason, DECLARATION_FILE, key.unwrap_or(node.place), &what)
}

fn placed(document: &Node, (reason, steps, what): &Complaint) -> Finding {
    let place = document.at(steps).place;
    Finding::at(*reason, DECLARATION_FILE, place, what)
}

impl Artifacts {
    /// Lists all names, each with the steps to it.
    fn named(&self) -> Vec<(Vec<String>, &str)> {
        let steps = |steps: &[&str]| {
            let all = ["artifacts"].iter().chain(steps);
            all.map(|step| (*step).to_owned()).collect::<Vec<_>>()
        };
        let mut named = Vec::new();
        for (list, names) in [("forward", &self.forward), ("rollback", &self.rollback)] {
            for (place, name) in names.iter().enumerate() {
                named.push((steps(&[list, &place.to_string()]), name.as_str()));
            }
        }
        named.push((steps(&["baselines", "pre"]), &self.pre));
        named.push((steps(&["baselines", "post"]), &self.post));
        named.push((steps(&["diffs", "summary"]), &self.summary));
        named
    }

    /// Lists all files that are named, in the order of the declaration.
    #[must_use]
    pub fn files(&self) -> Vec<&str> {
        self.named().into_iter().map(|(_, name)| name).collect()
    }

    fn complaints(&self) -> Vec<Complaint> {
        let mut seen = BTreeSet::new();
        let mut complaints = Vec::new();
        for (steps, name) in self.named() {
            if let Some(what) = escape(name) {
                complaints.push((Reason::PathEscape, steps, what));
            } else if name == DECLARATION_FILE || name.starts_with("receipts/") {
                let what = format!("{} is no place for an artefact", quoted(name));
                complaints.push((Reason::DeclarationInvalid, steps, what));
            } else if !seen.insert(name) {
                let what = format!("{} is named twice", quoted(name));
                complaints.push((Reason::DeclarationInvalid, steps, what));
            }
        }
        complaints
    }
}

impl Declaration {
    /// Finds what the scope allows and must not, or says and cannot be held to.
    fn scope_complaints(&self) -> Vec<Complaint> {
        let has_approval = self.approvals.reference.is_some();
        let complaints = self.scope.complaints(self.kind, has_approval);
        let step = |(reason, list, place, what): (_, &str, Option<usize>, _)| {
            let steps = ["scope".to_owned(), list.to_owned()];
            let place = place.map(|place| place.to_string());
            (reason, steps.into_iter().chain(place).collect(), what)
        };
        complaints.into_iter().map(step).collect()
    }
}
