-- The fork of a database, on which the hour of a cutover is rehearsed, is a deployment that says so of itself.

ALTER TABLE deployment DROP CONSTRAINT deployment_environment_check;
ALTER TABLE deployment ADD CONSTRAINT deployment_environment_check CHECK (environment IN ('prod', 'staging', 'dev', 'demo', 'rehearsal'));
