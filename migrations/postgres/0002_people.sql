-- People, completed: the keys they sign with, what their policy asks of them, and the second person.

-- Who said yes as the second person; the actor is the one who proposed.
ALTER TABLE governance_ledger ADD COLUMN approved_by TEXT COLLATE "C" REFERENCES person (person_id) CHECK (approved_by <> actor_id);

CREATE TABLE person_key (
    fingerprint TEXT COLLATE "C" PRIMARY KEY CHECK (length(fingerprint) = 50 AND substr(fingerprint, 1, 7) = 'SHA256:'),
    person_id TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    public_key TEXT COLLATE "C" NOT NULL UNIQUE CHECK (substr(public_key, 1, 16) = 'ssh-ed25519 AAAA' OR substr(public_key, 1, 31) = 'sk-ssh-ed25519@openssh.com AAAA'),
    added_at_utc moment NOT NULL,
    revoked_at_utc moment,
    revoked_by TEXT COLLATE "C" REFERENCES person (person_id),
    version BIGINT NOT NULL CHECK (version >= 1),
    CONSTRAINT revoked_by_means_at CHECK ((revoked_at_utc IS NULL) = (revoked_by IS NULL))
);
CREATE INDEX person_key_by_person ON person_key (person_id, fingerprint);

CREATE TABLE attestation_policy (
    action_class TEXT COLLATE "C" PRIMARY KEY CHECK (action_class IN ('confirm', 'review', 'phrase', 'approval')),
    minimum TEXT NOT NULL CHECK (minimum IN ('signed', 'login', 'unattested')),
    set_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    approved_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    set_at_utc moment NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    CONSTRAINT two_persons CHECK (set_by <> approved_by)
);

CREATE TABLE approval_request (
    ticket TEXT COLLATE "C" PRIMARY KEY CHECK (ticket ~ '^[0-9a-f]{32}$'),
    action TEXT COLLATE "C" NOT NULL CHECK (action <> ''),
    target_kind TEXT COLLATE "C" NOT NULL CHECK (target_kind <> ''),
    target_id TEXT COLLATE "C" NOT NULL CHECK (target_id <> ''),
    target_version BIGINT NOT NULL CHECK (target_version >= 0),
    asked TEXT NOT NULL CHECK (asked <> ''),
    reason TEXT NOT NULL CHECK (length(reason) >= 20),
    state_hash TEXT NOT NULL CHECK (state_hash ~ '^[0-9a-f]{64}$'),
    card_sha256 TEXT COLLATE "C" NOT NULL UNIQUE REFERENCES artifact (sha256),
    proposed_by TEXT COLLATE "C" NOT NULL REFERENCES person (person_id),
    attestation TEXT NOT NULL CHECK (attestation IN ('signed', 'login', 'unattested')),
    proposed_at_utc moment NOT NULL,
    expires_at_utc moment NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('waiting', 'approved', 'declined', 'withdrawn', 'lapsed', 'expired')),
    ended_by TEXT COLLATE "C" REFERENCES person (person_id),
    ended_at_utc moment,
    ended_because TEXT,
    version BIGINT NOT NULL CHECK (version >= 1),
    CONSTRAINT expires_later CHECK (expires_at_utc > proposed_at_utc),
    CONSTRAINT ended_means_at_some_time CHECK ((status = 'waiting') = (ended_at_utc IS NULL)),
    CONSTRAINT ended_means_because CHECK ((status IN ('waiting', 'approved')) = (ended_because IS NULL)),
    CONSTRAINT ended_by_somebody_or_by_rule CHECK ((status IN ('approved', 'declined', 'withdrawn')) = (ended_by IS NOT NULL)),
    CONSTRAINT another_answers CHECK (status NOT IN ('approved', 'declined') OR COALESCE(ended_by <> proposed_by, FALSE)),
    CONSTRAINT its_proposer_withdraws CHECK (status <> 'withdrawn' OR COALESCE(ended_by = proposed_by, FALSE))
);
CREATE UNIQUE INDEX approval_request_one_waits ON approval_request (action, target_kind, target_id) WHERE status = 'waiting';
CREATE INDEX approval_request_waiting ON approval_request (expires_at_utc, ticket) WHERE status = 'waiting';
