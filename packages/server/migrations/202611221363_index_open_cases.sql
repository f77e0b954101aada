-- The cases a person still has to decide are looked for on every page, and are few among the decided ones.
-- Locks data_case against changes while the index is made.
CREATE INDEX data_case_state ON data_case (tenant_id, state, id DESC);
