-- The fork of a database, on which the hour of a cutover is rehearsed, is a deployment that says so of itself.
-- A CHECK is changed by making the table anew.

CREATE TABLE deployment_before AS SELECT deployment_id, name, environment, created_at_utc, version FROM deployment;
DROP TABLE deployment;

CREATE TABLE deployment (
    deployment_id TEXT PRIMARY KEY CHECK (length(deployment_id) = 32 AND length(CAST(deployment_id AS BLOB)) = 32 AND deployment_id NOT GLOB '*[^0-9a-f]*'),
    name TEXT NOT NULL CHECK (name <> ''),
    environment TEXT NOT NULL CHECK (environment IN ('prod', 'staging', 'dev', 'demo', 'rehearsal')),
    created_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(created_at_utc, 1, 19), '+0 days') || substr(created_at_utc, 20) IS created_at_utc
        AND substr(created_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1)
) STRICT;
CREATE UNIQUE INDEX deployment_is_one ON deployment ((1));

INSERT INTO deployment SELECT deployment_id, name, environment, created_at_utc, version FROM deployment_before;
DROP TABLE deployment_before;
