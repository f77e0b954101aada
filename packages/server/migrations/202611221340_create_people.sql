-- People: invitations, one-time links, API keys, second factors, identities at a sign-in provider, and who is shut out.
-- Adds three columns to app_user (a short lock, no rewrite) and two indexes to evidence; everything else is new.

-- A deactivated user cannot sign in and none of their keys work. A forgotten one has no person row and never comes back.
ALTER TABLE app_user
  ADD deactivated_at timestamptz,
  ADD forgotten_at timestamptz,
  -- What a machine user is for. People have their name in person.
  ADD service_name text CONSTRAINT service_name_is_short CHECK (length(service_name) BETWEEN 1 AND 200);

CREATE INDEX refresh_token_recent ON refresh_token (tenant_id, user_id, id DESC);
-- Whether a session was ended is asked again every few seconds; this finds nothing quickly.
CREATE INDEX refresh_token_revoked ON refresh_token (tenant_id, family) WHERE revoked_at IS NOT NULL;
CREATE INDEX evidence_actor ON evidence (tenant_id, actor_id, sequence DESC);
CREATE INDEX evidence_kind ON evidence (tenant_id, kind text_pattern_ops, sequence DESC);

-- Somebody who was asked to join. The address is taken away when the invitation is over.
CREATE TABLE invitation (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL REFERENCES tenant,
  email text CONSTRAINT email_is_lower_case CHECK (email = lower(email) AND length(email) <= 320),
  role text NOT NULL CONSTRAINT role_is_for_people CHECK (role IN ('owner', 'manager', 'analyst', 'viewer', 'auditor')),
  token_hash bytea NOT NULL UNIQUE CONSTRAINT token_hash_is_sha256 CHECK (length(token_hash) = 32),
  expires_at timestamptz NOT NULL,
  accepted_at timestamptz,
  accepted_user_id integer,
  revoked_at timestamptz,
  UNIQUE (tenant_id, id),
  FOREIGN KEY (tenant_id, accepted_user_id) REFERENCES app_user (tenant_id, id)
);
SELECT touchstone_secure_mutable('invitation', false);
CREATE INDEX invitation_email ON invitation (email) WHERE email IS NOT NULL;

-- A one-time link with which somebody sets a new password.
CREATE TABLE password_reset (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  user_id integer NOT NULL,
  token_hash bytea NOT NULL UNIQUE CONSTRAINT token_hash_is_sha256 CHECK (length(token_hash) = 32),
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  revoked_at timestamptz,
  FOREIGN KEY (tenant_id, user_id) REFERENCES app_user (tenant_id, id)
);
SELECT touchstone_secure_mutable('password_reset', false);
CREATE INDEX password_reset_user ON password_reset (tenant_id, user_id);

-- A key for programs. It acts as its user and can do what both the user and its scopes allow.
CREATE TABLE api_key (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  user_id integer NOT NULL,
  name text NOT NULL CONSTRAINT name_is_short CHECK (length(name) BETWEEN 1 AND 200),
  prefix text NOT NULL,
  key_hash bytea NOT NULL UNIQUE CONSTRAINT key_hash_is_sha256 CHECK (length(key_hash) = 32),
  scopes text[] NOT NULL,
  -- How long it was made for; its successor gets as long.
  life_days integer NOT NULL CONSTRAINT life_is_a_year_at_most CHECK (life_days BETWEEN 1 AND 365),
  expires_at timestamptz NOT NULL,
  last_used_at timestamptz,
  revoked_at timestamptz,
  replaced_by_id integer,
  UNIQUE (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES app_user (tenant_id, id),
  FOREIGN KEY (tenant_id, replaced_by_id) REFERENCES api_key (tenant_id, id)
);
SELECT touchstone_secure_mutable('api_key', false);
CREATE INDEX api_key_user ON api_key (tenant_id, user_id);

-- The authenticator of a user; one row a user, without a secret when there is none. Codes of last_step or before are spent.
CREATE TABLE second_factor (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  user_id integer NOT NULL,
  secret_encrypted bytea,
  confirmed_at timestamptz,
  last_step bigint NOT NULL DEFAULT 0,
  UNIQUE (tenant_id, user_id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES app_user (tenant_id, id),
  CONSTRAINT confirmed_has_a_secret CHECK (confirmed_at IS NULL OR secret_encrypted IS NOT NULL)
);
SELECT touchstone_secure_mutable('second_factor', false);

-- Works once in place of a code.
CREATE TABLE recovery_code (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  user_id integer NOT NULL,
  code_hash bytea NOT NULL CONSTRAINT code_hash_is_sha256 CHECK (length(code_hash) = 32),
  spent_at timestamptz,
  FOREIGN KEY (tenant_id, user_id) REFERENCES app_user (tenant_id, id)
);
SELECT touchstone_secure_mutable('recovery_code', false);
CREATE INDEX recovery_code_user ON recovery_code (tenant_id, user_id);

-- A user at the sign-in provider: a keyed hash of issuer and subject, taken away when the person is forgotten.
CREATE TABLE federated_identity (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL,
  user_id integer NOT NULL,
  subject_hash bytea UNIQUE CONSTRAINT subject_hash_is_sha256 CHECK (length(subject_hash) = 32),
  FOREIGN KEY (tenant_id, user_id) REFERENCES app_user (tenant_id, id)
);
SELECT touchstone_secure_mutable('federated_identity', false);
CREATE INDEX federated_identity_user ON federated_identity (tenant_id, user_id);

-- Keys, links and codes guessed wrongly from one address, shared by all servers. Rows of tenant 0. The address is a keyed
-- hash of 16 bits, so there are 65,536 rows at most and none of them tells who it was.
CREATE TABLE guess_lock (
  id integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  tenant_id integer NOT NULL REFERENCES tenant,
  bucket integer NOT NULL UNIQUE CONSTRAINT bucket_has_16_bits CHECK (bucket BETWEEN 0 AND 65535),
  tries integer NOT NULL,
  first_try_at timestamptz NOT NULL,
  locked_until timestamptz
);
SELECT touchstone_secure_mutable('guess_lock', false);

-- What must be known before a tenant is known. Each is asked with a secret's hash or a verified claim, and returns one row.

-- Somebody who is shut out has no password, also for a server that knows nothing of that.
CREATE OR REPLACE FUNCTION touchstone_find_sign_in(wanted text)
  RETURNS TABLE (user_id integer, tenant_id integer, role text, password_hash text, locked_until timestamptz, failed_sign_ins integer)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT u.id, u.tenant_id, u.role, CASE WHEN u.deactivated_at IS NULL THEN u.password_hash END, u.locked_until,
         u.failed_sign_ins
  FROM person p JOIN app_user u ON u.id = p.user_id
  WHERE p.email = lower(wanted) AND p.deleted_at IS NULL AND u.deleted_at IS NULL;
END;

-- The tenant that was made first; its owners run the installation. By time, so that no later number can take its place.
CREATE FUNCTION touchstone_operator_tenant() RETURNS integer LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT id FROM tenant WHERE id > 0 ORDER BY created_at, id LIMIT 1;
END;

-- The present role behind an access token; no row when the session was ended or its user shut out.
CREATE FUNCTION touchstone_find_session(in_tenant integer, of_user integer, wanted uuid)
  RETURNS TABLE (role text, is_operator boolean) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT u.role, u.tenant_id = touchstone_operator_tenant()
  FROM app_user u
  WHERE u.id = of_user AND u.tenant_id = in_tenant AND u.deleted_at IS NULL AND u.deactivated_at IS NULL
    AND NOT EXISTS (SELECT FROM refresh_token t
                    WHERE t.tenant_id = in_tenant AND t.family = wanted AND t.revoked_at IS NOT NULL);
END;

CREATE FUNCTION touchstone_find_api_key(wanted bytea)
  RETURNS TABLE (key_id integer, tenant_id integer, user_id integer, role text, is_operator boolean, is_active boolean,
                 scopes text[], expires_at timestamptz, last_used_at timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT k.id, k.tenant_id, k.user_id, u.role, u.tenant_id = touchstone_operator_tenant(),
         k.revoked_at IS NULL AND k.deleted_at IS NULL AND u.deleted_at IS NULL AND u.deactivated_at IS NULL,
         k.scopes, k.expires_at, k.last_used_at
  FROM api_key k JOIN app_user u ON u.tenant_id = k.tenant_id AND u.id = k.user_id
  WHERE k.key_hash = wanted;
END;

CREATE FUNCTION touchstone_find_invitation(wanted bytea)
  RETURNS TABLE (id integer, tenant_id integer, tenant_name text, email text, role text, expires_at timestamptz, is_open boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT i.id, i.tenant_id, t.name, i.email, i.role, i.expires_at,
         i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.deleted_at IS NULL AND i.email IS NOT NULL
  FROM invitation i JOIN tenant t ON t.id = i.tenant_id
  WHERE i.token_hash = wanted;
END;

-- The latest open invitation of an address that a sign-in provider has verified.
CREATE FUNCTION touchstone_find_invitation_of(wanted text, at timestamptz)
  RETURNS TABLE (id integer, tenant_id integer, role text) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT i.id, i.tenant_id, i.role FROM invitation i
  WHERE i.email = lower(wanted) AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.deleted_at IS NULL
    AND i.expires_at > at
  ORDER BY i.id DESC LIMIT 1;
END;

CREATE FUNCTION touchstone_find_password_reset(wanted bytea)
  RETURNS TABLE (id integer, tenant_id integer, user_id integer, expires_at timestamptz, is_open boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT r.id, r.tenant_id, r.user_id, r.expires_at,
         r.used_at IS NULL AND r.revoked_at IS NULL AND r.deleted_at IS NULL AND u.deactivated_at IS NULL AND u.deleted_at IS NULL
  FROM password_reset r JOIN app_user u ON u.tenant_id = r.tenant_id AND u.id = r.user_id
  WHERE r.token_hash = wanted;
END;

CREATE FUNCTION touchstone_find_federated(wanted bytea)
  RETURNS TABLE (tenant_id integer, user_id integer, is_active boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT f.tenant_id, f.user_id, u.deactivated_at IS NULL AND u.deleted_at IS NULL
  FROM federated_identity f JOIN app_user u ON u.tenant_id = f.tenant_id AND u.id = f.user_id
  WHERE f.subject_hash = wanted AND f.deleted_at IS NULL;
END;

-- True while an owner of the first tenant acts.
CREATE FUNCTION touchstone_is_operator() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT EXISTS (SELECT FROM app_user WHERE id = touchstone_actor() AND tenant_id = touchstone_tenant()
                   AND tenant_id = touchstone_operator_tenant() AND role = 'owner'
                   AND deleted_at IS NULL AND deactivated_at IS NULL);
END;
CREATE FUNCTION touchstone_create_tenant(wanted text) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = public, pg_temp AS $$
DECLARE created integer;
BEGIN
  IF NOT touchstone_is_operator() THEN
    RAISE EXCEPTION 'only the operator makes tenants' USING ERRCODE = '42501';
  END IF;
  INSERT INTO tenant (name) VALUES (wanted) RETURNING id INTO created;
  RETURN created;
END $$;
-- Names and counts only.
CREATE FUNCTION touchstone_list_tenants() RETURNS TABLE (id integer, name text, people_count integer, created_at timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
  SELECT t.id, t.name,
         (SELECT count(*)::integer FROM app_user u WHERE u.tenant_id = t.id AND u.deactivated_at IS NULL
            AND u.deleted_at IS NULL AND u.role <> 'service'),
         t.created_at
  FROM tenant t WHERE t.id > 0 AND t.deleted_at IS NULL AND touchstone_is_operator()
  ORDER BY t.id;
END;

REVOKE EXECUTE ON FUNCTION touchstone_operator_tenant(), touchstone_find_session(integer, integer, uuid),
  touchstone_find_api_key(bytea), touchstone_find_invitation(bytea), touchstone_find_invitation_of(text, timestamptz),
  touchstone_find_password_reset(bytea), touchstone_find_federated(bytea), touchstone_is_operator(),
  touchstone_create_tenant(text), touchstone_list_tenants() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION touchstone_operator_tenant(), touchstone_find_session(integer, integer, uuid),
  touchstone_find_api_key(bytea), touchstone_find_invitation(bytea), touchstone_find_invitation_of(text, timestamptz),
  touchstone_find_password_reset(bytea), touchstone_find_federated(bytea), touchstone_is_operator(),
  touchstone_create_tenant(text), touchstone_list_tenants() TO {{app}};
