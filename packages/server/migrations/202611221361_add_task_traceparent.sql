-- The W3C traceparent of the request that started a task, so that whichever process runs it goes on with the same trace.
-- Locks task for the moment of adding a column without a default.
ALTER TABLE task ADD traceparent text;
