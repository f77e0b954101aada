-- A dataset whose rows a generator made up carries how, with which seed, from which dataset, and how like the real one it
-- is. Null for a dataset of facts. Locks dataset while its rows are checked, and trial and index_run while a trigger is added.
ALTER TABLE dataset ADD COLUMN synthetic jsonb;
ALTER TABLE dataset ADD CONSTRAINT made_up_rows_are_marked CHECK ((kind = 'synthetic') = (synthetic IS NOT NULL));
COMMENT ON COLUMN dataset.synthetic IS 'Generator, seed, parameters, parent and stylised facts of made-up rows; null for facts.';

-- Nothing may be evaluated on made-up rows, whoever asks and whatever the code above forgets.
CREATE FUNCTION touchstone_refuse_synthetic() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM dataset d
             WHERE d.tenant_id = NEW.tenant_id AND d.sha256 = NEW.dataset_sha256 AND d.synthetic IS NOT NULL) THEN
    RAISE EXCEPTION 'dataset % is made up: nothing is evaluated on it', NEW.dataset_sha256
      USING ERRCODE = '23514', CONSTRAINT = 'facts_are_evaluated';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER facts_are_evaluated BEFORE INSERT ON trial
  FOR EACH ROW WHEN (NEW.dataset_sha256 IS NOT NULL) EXECUTE FUNCTION touchstone_refuse_synthetic();
CREATE TRIGGER facts_are_evaluated BEFORE INSERT ON index_run
  FOR EACH ROW EXECUTE FUNCTION touchstone_refuse_synthetic();
