//! What the tables of the metric dictionary need beyond their CHECKs.

use super::single::{On, WRITE, Wall, wall};

pub(super) const WALLS: &[Wall] = &[
    wall(
        "dictionary_release",
        WRITE,
        "a release is made by the newest entry, after the newest release, and stays",
        "NEW.version = 1 AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'release_dictionary' \
         AND l.target_id = NEW.dictionary_semver AND l.actor_id = NEW.released_by) \
         AND NEW.previous_semver IS NOT DISTINCT FROM (SELECT p.dictionary_semver FROM dictionary_release p WHERE NOT EXISTS \
         (SELECT 1 FROM dictionary_release n WHERE n.previous_semver = p.dictionary_semver))",
    ),
    wall(
        "dictionary_release",
        &[On::Insert],
        "releases rise as semver does",
        "NEW.previous_semver IS NULL OR EXISTS (SELECT 1 FROM dictionary_release p WHERE p.dictionary_semver = NEW.previous_semver \
         AND ((NEW.major, NEW.minor, NEW.patch) > (p.major, p.minor, p.patch) \
         OR ((NEW.major, NEW.minor, NEW.patch) = (p.major, p.minor, p.patch) AND p.pre <> '')))",
    ),
    wall(
        "metric_dictionary",
        WRITE,
        "a metric changes with a release of the newest entry",
        "EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'release_dictionary' \
         AND l.target_id = NEW.dictionary_semver)",
    ),
    wall(
        "metric_dictionary",
        &[On::Update],
        "an id never comes to mean something else",
        "NEW.metric_id = OLD.metric_id AND NEW.definition = OLD.definition AND NEW.formula = OLD.formula AND NEW.unit = OLD.unit \
         AND NEW.aggregation_rule = OLD.aggregation_rule AND NEW.epsilon_class = OLD.epsilon_class",
    ),
    wall(
        "metric_dictionary",
        &[On::Update],
        "what was deprecated stays so",
        "OLD.deprecated_after IS NULL OR NEW.deprecated_after IS NOT NULL",
    ),
    wall(
        "epsilon_policy",
        &[On::Insert],
        "a policy repeats the epsilons of a release",
        "EXISTS (SELECT 1 FROM dictionary_release r WHERE r.dictionary_semver = NEW.dictionary_semver AND r.epsilons_sha256 = NEW.epsilons_sha256)",
    ),
    wall(
        "bind_query",
        WRITE,
        "a join is registered by the newest entry, and keeps its surface",
        "EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'register_bind_query' \
         AND l.target_id = NEW.bind_query_id || '/' || NEW.dictionary_semver AND l.actor_id = NEW.registered_by) \
         AND NOT EXISTS (SELECT 1 FROM bind_query o WHERE o.bind_query_id = NEW.bind_query_id AND o.surface <> NEW.surface)",
    ),
    wall(
        "bind_proof",
        WRITE,
        "a proof is recorded by the newest entry, and stays",
        "EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'record_bind_proof' \
         AND l.target_id = NEW.proof_id) AND NEW.version = 1",
    ),
    wall(
        "variance_check",
        WRITE,
        "a check is recorded by the newest entry, and stays",
        "EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.action = 'record_variance' \
         AND l.target_id = NEW.variance_id) AND NEW.version = 1",
    ),
    wall(
        "partner_annex_view",
        WRITE,
        "a view of the annex is registered by the newest entry, and stays",
        "NEW.version = 1 AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) \
         AND l.action = 'register_annex_view' AND l.target_id = NEW.annex_view_version AND l.actor_id = NEW.registered_by)",
    ),
    wall(
        "faq_rows",
        WRITE,
        "a question is edited by the newest entry",
        "EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) AND l.target_id = NEW.faq_id \
         AND l.actor_id = NEW.edited_by AND CASE l.action WHEN 'put_faq' THEN NEW.status = 'active' \
         WHEN 'retire_faq' THEN NEW.status = 'retired' ELSE FALSE END)",
    ),
    wall(
        "faq_rows",
        &[On::Update],
        "a question stays about its metric",
        "NEW.dictionary_metric_id = OLD.dictionary_metric_id",
    ),
    wall(
        "run_manifest",
        WRITE,
        "what a side said of itself belongs to the run that the newest entry ends, and stays",
        "NEW.version = 1 AND EXISTS (SELECT 1 FROM governance_ledger l WHERE l.seq = (SELECT seq FROM ledger_head) \
         AND l.action = 'finish_run' AND l.target_id = NEW.job_run_id)",
    ),
];
