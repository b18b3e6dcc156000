//! The reasons of findings: fixed words, each with its meaning and what to do.

use crate::rules::words;

words! {
    /// What can be wrong with a bundle; the words are fixed.
    pub enum Reason {
        /// A file is not what it should be, or a script that is due is not there.
        ArtifactInvalid = "artifact_invalid",
        /// A baseline is not there.
        BaselineMissing = "baseline_missing",
        /// The declaration has another shape than its schema asks for.
        DeclarationInvalid = "declaration_invalid",
        /// The diff says something else than the baselines, or contradicts itself.
        DiffInconsistent = "diff_inconsistent",
        /// The diff is not there.
        DiffMissing = "diff_missing",
        /// A digest is not `sha256:` and 64 lower-case hexadecimal digits.
        DigestInvalid = "digest_invalid",
        /// A digest is not that of the file.
        DigestMismatch = "digest_mismatch",
        /// A change that cannot be taken back names no approval, or does not say why.
        IrreversibleWithoutApproval = "irreversible_without_approval",
        /// More was touched than the limits allow.
        LimitExceeded = "limit_exceeded",
        /// A limit is missing or is no whole number from zero up.
        LimitsInvalid = "limits_invalid",
        /// A file belongs to another migration, or ids are used twice or out of order.
        MigrationIdMismatch = "migration_id_mismatch",
        /// A name leads out of the bundle's folder.
        PathEscape = "path_escape",
        /// What is protected is not what it was.
        ProtectedDomainChanged = "protected_domain_changed",
        /// A receipt is not what its schema asks for, or does not list what it must.
        ReceiptInvalid = "receipt_invalid",
        /// There is neither a receipt nor a pointer to one.
        ReceiptMissing = "receipt_missing",
        /// A way back is due and not there.
        RollbackMissing = "rollback_missing",
        /// The scope allows what it forbids.
        ScopeContradiction = "scope_contradiction",
        /// The scope says nothing that could be enforced.
        ScopeNotEnforceable = "scope_not_enforceable",
        /// Something was touched that the scope does not allow.
        ScopeViolation = "scope_violation",
        /// A file holds what looks like a secret.
        SecretFound = "secret_found",
        /// A symbolic link lies in the bundle.
        Symlink = "symlink",
        /// The receipt tells of checks that did not pass.
        ValidationNotPass = "validation_not_pass",
        /// The declaration is not of the strict subset of YAML.
        YamlRejected = "yaml_rejected",
    }
}

impl Reason {
    /// Says what it means, in one sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::ArtifactInvalid => {
                "a file is not what it should be, or a script that is due is not there"
            }
            Self::BaselineMissing => "a baseline is not there",
            Self::DeclarationInvalid => {
                "the declaration has another shape than its schema asks for"
            }
            Self::DiffInconsistent => {
                "the diff says something else than the baselines, or contradicts itself"
            }
            Self::DiffMissing => "the diff is not there",
            Self::DigestInvalid => "a digest is not `sha256:` and 64 lower-case hexadecimal digits",
            Self::DigestMismatch => "a digest is not that of the file",
            Self::IrreversibleWithoutApproval => {
                "a change that cannot be taken back names no approval, or does not say why"
            }
            Self::LimitExceeded => "more was touched than the limits allow",
            Self::LimitsInvalid => "a limit is missing or is no whole number from zero up",
            Self::MigrationIdMismatch => {
                "a file belongs to another migration, or ids are used twice or out of order"
            }
            Self::PathEscape => "a name leads out of the bundle's folder",
            Self::ProtectedDomainChanged => "what is protected is not what it was",
            Self::ReceiptInvalid => {
                "a receipt is not what its schema asks for, or does not list what it must"
            }
            Self::ReceiptMissing => "there is neither a receipt nor a pointer to one",
            Self::RollbackMissing => "a way back is due and not there",
            Self::ScopeContradiction => "the scope allows what it forbids",
            Self::ScopeNotEnforceable => "the scope says nothing that could be enforced",
            Self::ScopeViolation => "something was touched that the scope does not allow",
            Self::SecretFound => "a file holds what looks like a secret",
            Self::Symlink => "a symbolic link lies in the bundle",
            Self::ValidationNotPass => "the receipt tells of checks that did not pass",
            Self::YamlRejected => "the declaration is not of the strict subset of YAML",
        }
    }

    /// Says what to do about it.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::ArtifactInvalid => "mend the file, or make it anew with the runner",
            Self::BaselineMissing => {
                "run the change on a rehearsal target, which writes both baselines"
            }
            Self::DeclarationInvalid => "compare it with `govdeck bundle schema declaration`",
            Self::DiffInconsistent => {
                "make diff and baselines anew in one run; none is written by hand"
            }
            Self::DiffMissing => "run the change on a rehearsal target, which writes it",
            Self::DigestInvalid => "write it as `sha256:` and what `sha256sum` prints",
            Self::DigestMismatch => {
                "find out which of the two was changed after the run, and run it again"
            }
            Self::IrreversibleWithoutApproval => {
                "name the decision in approvals.reference, and write into notes.md why and what makes up for it"
            }
            Self::LimitExceeded => "make the change smaller, or have the larger limit reviewed",
            Self::LimitsInvalid => "give all three limits as whole numbers",
            Self::MigrationIdMismatch => {
                "give folder, declaration, diff, receipts and registry the one id, and never use one again"
            }
            Self::PathEscape => {
                "name files by their path from the bundle's folder, with slashes and without `..`"
            }
            Self::ProtectedDomainChanged => {
                "take the change back; for the dictionary name an approval in approvals.reference"
            }
            Self::ReceiptInvalid => {
                "keep the receipt as the runner wrote it; run again when a file has changed"
            }
            Self::ReceiptMissing => {
                "commit receipts/run_receipt.json, or receipts/receipt_ref.json when it is kept elsewhere"
            }
            Self::RollbackMissing => {
                "write the rollback script; or say requires_rollback: false, with an approval"
            }
            Self::ScopeContradiction => "take the name out of one of the two lists",
            Self::ScopeNotEnforceable => "name every table, without patterns",
            Self::ScopeViolation => "change the script, or have the wider scope reviewed",
            Self::SecretFound => "take it out, rotate it, and name a reference to it instead",
            Self::Symlink => "put the file itself there",
            Self::ValidationNotPass => {
                "mend the change and run it again; a failed run is no evidence of a pass"
            }
            Self::YamlRejected => {
                "write one plain document in UTF-8, without anchors, aliases, tags, merge keys and equal keys"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_stand_in_their_order() {
        let words: Vec<_> = Reason::ALL.iter().map(|reason| reason.word()).collect();
        assert!(words.is_sorted());
        assert_eq!(words.len(), 23);
    }
}
