-- What people did last, found without reading the whole ledger.

CREATE INDEX governance_ledger_by_actor ON governance_ledger (actor_id, seq);
CREATE INDEX governance_ledger_by_approver ON governance_ledger (approved_by, seq) WHERE approved_by IS NOT NULL;
