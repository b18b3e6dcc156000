-- How blocks end and routes change: signs of work on a taken block, and one pending change for each reason.

ALTER TABLE publish_replay_audit ADD COLUMN progress_at_utc moment;
ALTER TABLE publish_replay_audit ADD COLUMN last_note TEXT
        CHECK ((last_note IS NULL) = (progress_at_utc IS NULL));
CREATE UNIQUE INDEX route_change_one_pends ON route_change (block_reason) WHERE status = 'pending';
CREATE INDEX publish_replay_audit_by_time ON publish_replay_audit (created_at_utc, publish_run_id) WHERE block_reason IS NOT NULL;
