-- What was practised, and who answered: made-up rows, what the rules made of them, and who would have been told. It stands apart
-- from what it practises, so that no window, run, incident or migration can name it.
CREATE TABLE drill_record (
    drill_id TEXT PRIMARY KEY CHECK (length(drill_id) BETWEEN 1 AND 100 AND length(CAST(drill_id AS BLOB)) = length(drill_id)
        AND drill_id GLOB '[a-z0-9]*' AND drill_id NOT GLOB '*[^a-z0-9._-]*'),
    kind TEXT NOT NULL CHECK (kind IN ('double_skip', 'epsilon_breach')),
    drill INTEGER NOT NULL CHECK (drill IN (0, 1)),
    given TEXT NOT NULL CHECK (given <> ''),
    expected TEXT NOT NULL CHECK (expected <> ''),
    found TEXT NOT NULL CHECK (found <> ''),
    passed INTEGER NOT NULL CHECK (passed IN (0, 1)),
    paged TEXT NOT NULL CHECK (paged <> ''),
    practised_at_utc TEXT NOT NULL
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(practised_at_utc, 1, 19), '+0 days') || substr(practised_at_utc, 20) IS practised_at_utc
        AND substr(practised_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    answered_by TEXT REFERENCES person (person_id),
    answered_at_utc TEXT
        CHECK (strftime('%Y-%m-%dT%H:%M:%S', substr(answered_at_utc, 1, 19), '+0 days') || substr(answered_at_utc, 20) IS answered_at_utc
        AND substr(answered_at_utc, 20) GLOB '.[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
    version INTEGER NOT NULL CHECK (version >= 1),
    CONSTRAINT always_a_drill CHECK (drill = TRUE AND substr(drill_id, 1, 6) = 'drill-'),
    CONSTRAINT passed_means_as_expected CHECK ((passed = TRUE) = (expected = found)),
    CONSTRAINT answered_whole CHECK ((answered_by IS NULL) = (answered_at_utc IS NULL)),
    CONSTRAINT answered_after_it CHECK (answered_at_utc >= practised_at_utc)
) STRICT;
CREATE INDEX drill_record_by_time ON drill_record (practised_at_utc, drill_id);
