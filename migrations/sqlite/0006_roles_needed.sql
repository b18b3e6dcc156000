-- The roles that the two must hold between them, kept with the proposal; those from before keep none.

ALTER TABLE approval_request ADD COLUMN roles_needed TEXT CHECK (roles_needed <> '');
