-- What a tenant's key may still ask of a vendor: one row per vendor and key. Rows change with every question, in every
-- process. A key is known here by its hash only. Locks nothing but the new table.
CREATE TABLE vendor_credit (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL REFERENCES tenant,
  vendor text NOT NULL CONSTRAINT vendor_is_short CHECK (length(vendor) BETWEEN 1 AND 50),
  key_sha256 text NOT NULL CONSTRAINT key_sha256_is_hex CHECK (key_sha256 ~ '^[0-9a-f]{64}$'),
  -- [[EpochMs, credits], …] of the last minute, ascending.
  recent_grants jsonb NOT NULL DEFAULT '[]' CONSTRAINT recent_grants_is_a_list CHECK (jsonb_typeof(recent_grants) = 'array'),
  -- The vendor's day (UTC) that used_today counts.
  day date NOT NULL DEFAULT '1970-01-01',
  used_today integer NOT NULL DEFAULT 0 CONSTRAINT used_today_is_a_count CHECK (used_today >= 0),
  UNIQUE (tenant_id, id),
  -- Not only among live rows: deleting a row must not give the credits back.
  UNIQUE (tenant_id, vendor, key_sha256)
);
SELECT touchstone_secure_mutable('vendor_credit', false);
COMMENT ON TABLE vendor_credit IS 'Credits a tenant''s key has used at a vendor, shared by all processes.';
