-- People, completed: the keys they sign with, what their policy asks of them, and the second person.

-- Who said yes as the second person; the actor is the one who proposed.
ALTER TABLE governance_ledger ADD COLUMN approved_by TEXT REFERENCES person (person_id) CHECK (approved_by <> actor_id);

CREATE TABLE person_key (
    fingerprint TEXT PRIMARY KEY CHECK (length(fingerprint) = 50 AND substr(fingerprint, 1, 7) = 'SHA256:'),
    person_id TEXT NOT NULL REFERENCES person (person_id),
    public_key TEXT NOT NULL UNIQUE CHECK (substr(public_key, 1, 16) = 'ssh-ed25519 AAAA' OR substr(public_key, 1, 31) = 'sk-ssh-ed25519@openssh.com AAAA'),
    added_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(added_at_utc, 1, 19), '+0 days') || substr(added_at_utc, 20) IS added_at_utc
        AND substr(added_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    revoked_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(revoked_at_utc, 1, 19), '+0 days') || substr(revoked_at_utc, 20) IS revoked_at_utc
        AND substr(revoked_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    revoked_by TEXT REFERENCES person (person_id),
    version INTEGER NOT NULL CHECK (version >= 1),
    CONSTRAINT revoked_by_means_at CHECK ((revoked_at_utc IS NULL) = (revoked_by IS NULL))
) STRICT;
CREATE INDEX person_key_by_person ON person_key (person_id, fingerprint);

CREATE TABLE attestation_policy (
    action_class TEXT PRIMARY KEY CHECK (action_class IN ('confirm', 'review', 'phrase', 'approval')),
    minimum TEXT NOT NULL CHECK (minimum IN ('signed', 'login', 'unattested')),
    set_by TEXT NOT NULL REFERENCES person (person_id),
    approved_by TEXT NOT NULL REFERENCES person (person_id),
    set_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(set_at_utc, 1, 19), '+0 days') || substr(set_at_utc, 20) IS set_at_utc
        AND substr(set_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    CONSTRAINT two_persons CHECK (set_by <> approved_by)
) STRICT;

CREATE TABLE approval_request (
    ticket TEXT PRIMARY KEY CHECK (length(ticket) = 32 AND length(CAST(ticket AS BLOB)) = 32 AND ticket NOT GLOB '*[^0-9a-f]*'),
    action TEXT NOT NULL CHECK (action <> ''),
    target_kind TEXT NOT NULL CHECK (target_kind <> ''),
    target_id TEXT NOT NULL CHECK (target_id <> ''),
    target_version INTEGER NOT NULL CHECK (target_version >= 0),
    asked TEXT NOT NULL CHECK (asked <> ''),
    reason TEXT NOT NULL CHECK (length(reason) >= 20),
    state_hash TEXT NOT NULL CHECK (length(state_hash) = 64 AND length(CAST(state_hash AS BLOB)) = 64 AND state_hash NOT GLOB '*[^0-9a-f]*'),
    card_sha256 TEXT NOT NULL UNIQUE REFERENCES artifact (sha256),
    proposed_by TEXT NOT NULL REFERENCES person (person_id),
    attestation TEXT NOT NULL CHECK (attestation IN ('signed', 'login', 'unattested')),
    proposed_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(proposed_at_utc, 1, 19), '+0 days') || substr(proposed_at_utc, 20) IS proposed_at_utc
        AND substr(proposed_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    expires_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(expires_at_utc, 1, 19), '+0 days') || substr(expires_at_utc, 20) IS expires_at_utc
        AND substr(expires_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    status TEXT NOT NULL CHECK (status IN ('waiting', 'approved', 'declined', 'withdrawn', 'lapsed', 'expired')),
    ended_by TEXT REFERENCES person (person_id),
    ended_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(ended_at_utc, 1, 19), '+0 days') || substr(ended_at_utc, 20) IS ended_at_utc
        AND substr(ended_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    ended_because TEXT,
    version INTEGER NOT NULL CHECK (version >= 1),
    CONSTRAINT expires_later CHECK (expires_at_utc > proposed_at_utc),
    CONSTRAINT ended_means_at_some_time CHECK ((status = 'waiting') = (ended_at_utc IS NULL)),
    CONSTRAINT ended_means_because CHECK ((status IN ('waiting', 'approved')) = (ended_because IS NULL)),
    CONSTRAINT ended_by_somebody_or_by_rule CHECK ((status IN ('approved', 'declined', 'withdrawn')) = (ended_by IS NOT NULL)),
    CONSTRAINT another_answers CHECK (status NOT IN ('approved', 'declined') OR COALESCE(ended_by <> proposed_by, FALSE)),
    CONSTRAINT its_proposer_withdraws CHECK (status <> 'withdrawn' OR COALESCE(ended_by = proposed_by, FALSE))
) STRICT;
CREATE UNIQUE INDEX approval_request_one_waits ON approval_request (action, target_kind, target_id) WHERE status = 'waiting';
CREATE INDEX approval_request_waiting ON approval_request (expires_at_utc, ticket) WHERE status = 'waiting';
