-- What was practised, and who answered: made-up rows, what the rules made of them, and who would have been told. It stands apart
-- from what it practises, so that no window, run, incident or migration can name it.
CREATE TABLE drill_record (
    drill_id TEXT COLLATE "C" PRIMARY KEY CHECK (drill_id ~ '^[a-z0-9][a-z0-9._-]{0,99}$'),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('double_skip', 'epsilon_breach')),
    drill BOOLEAN NOT NULL,
    given TEXT NOT NULL CHECK (given <> ''),
    expected TEXT NOT NULL CHECK (expected <> ''),
    found TEXT NOT NULL CHECK (found <> ''),
    passed BOOLEAN NOT NULL,
    paged TEXT NOT NULL CHECK (paged <> ''),
    practised_at_utc moment NOT NULL,
    answered_by TEXT COLLATE "C" REFERENCES person (person_id),
    answered_at_utc moment,
    version BIGINT NOT NULL CHECK (version >= 1),
    CONSTRAINT always_a_drill CHECK (drill = TRUE AND substr(drill_id, 1, 6) = 'drill-'),
    CONSTRAINT passed_means_as_expected CHECK ((passed = TRUE) = (expected = found)),
    CONSTRAINT answered_whole CHECK ((answered_by IS NULL) = (answered_at_utc IS NULL)),
    CONSTRAINT answered_after_it CHECK (answered_at_utc >= practised_at_utc)
);
CREATE INDEX drill_record_by_time ON drill_record (practised_at_utc, drill_id);
