import type pg from 'pg';

/**
 * What the role of a connection may do that the application must not: row security does not hold for it, or it could
 * change facts. Null when it is as it should be.
 *
 * @param owner Role that owns the tables, if it is known; being a member of it counts too.
 */
export async function findRoleFault(
  client: Pick<pg.ClientBase, 'query'>,
  owner: string | null,
): Promise<{ role: string; may: string } | null> {
  const { rows } = await client.query(
    `SELECT rolname, rolsuper, rolbypassrls,
            EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
                    WHERE nspname IN ('public', 'pgboss') AND relkind IN ('r', 'p') AND pg_has_role(relowner, 'MEMBER'))
              OR EXISTS (SELECT FROM pg_roles o WHERE o.rolname = $1 AND pg_has_role(o.oid, 'MEMBER')) AS owns
     FROM pg_roles WHERE rolname = current_user`,
    [owner],
  );
  const { rolname, rolsuper, rolbypassrls, owns } = rows[0];
  const may = rolsuper ? 'is a superuser' : rolbypassrls ? 'may go around row security' : owns ? 'owns tables' : null;
  return may === null ? null : { role: String(rolname), may };
}
