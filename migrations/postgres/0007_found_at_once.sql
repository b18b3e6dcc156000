-- What a picture counts and a job looks for, found without reading every run there ever was.

CREATE INDEX publish_snapshots_pending ON publish_snapshots (publish_run_id) WHERE status = 'pending_gate' AND drill = FALSE;
CREATE INDEX publish_snapshots_passed ON publish_snapshots (publish_scope, created_at_utc, publish_run_id) WHERE status = 'gate_passed';
CREATE INDEX publish_replay_audit_passed ON publish_replay_audit (created_at_utc) WHERE status = 'gate_passed' AND drill = FALSE;
CREATE INDEX publish_leaf_kept ON publish_leaf (keep_until_utc, publish_run_id, side) WHERE bytes IS NOT NULL;
