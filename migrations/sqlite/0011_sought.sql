-- What a filter of the dictionary looks into, folded once, in the indexes that the list is read by.
ALTER TABLE metric_dictionary ADD COLUMN sought TEXT GENERATED ALWAYS AS (
    LOWER(metric_id || ' ' || display_label || ' ' || epsilon_class || ' ' || unit || ' ' || aggregation_rule
        || ' ' || dictionary_semver || ' ' || CASE WHEN deprecated_after IS NULL THEN 'in use' ELSE 'deprecated' END)
) VIRTUAL;
DROP INDEX metric_dictionary_by_class;
DROP INDEX metric_dictionary_by_label;
CREATE INDEX metric_dictionary_by_class ON metric_dictionary (epsilon_class, metric_id, sought);
CREATE INDEX metric_dictionary_by_id ON metric_dictionary (metric_id, sought);
CREATE INDEX metric_dictionary_by_label ON metric_dictionary (display_label, metric_id, sought);
