import { useQuery } from '@tanstack/react-query';
import { getPolicy } from '@touchstone/contracts/diagnostics';
import { DataTable } from '../../components/data-table.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { scopeWords } from '../../components/scope-words.ts';
import { SubNav } from '../../components/sub-nav.tsx';
import { PageHeader, Panel } from '../../components/ui.tsx';
import { useAuth } from '../../lib/auth.ts';
import { words } from '../../lib/format.ts';
import { apiQuery } from '../../lib/query.ts';

export function RolesPage() {
  const policy = useQuery(apiQuery(getPolicy));
  const { role: mine } = useAuth();
  return (
    <>
      <SubNav of="settings" />
      <PageHeader title="Roles">
        Who may do what. This is the one table the server asks; what is not here is denied.
      </PageHeader>
      <QueryView query={policy} lines={8}>
        {(data) => {
          const roles = Object.keys(data.roles);
          const scopes = [...new Set(Object.values(data.roles).flat())].sort();
          return (
            <div className="grid gap-4">
              <Panel title="Roles and scopes" flush>
                <DataTable
                  label="Roles and scopes"
                  rows={scopes}
                  rowKey={(scope) => scope}
                  empty="There is no role."
                  columns={[
                    {
                      key: 'scope',
                      header: 'Scope',
                      cell: (scope) => (
                        <>
                          <code className="font-mono text-xs">{scope}</code>
                          <span className="hidden text-xs text-soft md:block">{scopeWords(scope)}</span>
                        </>
                      ),
                    },
                    ...roles.map((role) => ({
                      key: role,
                      header: <span className={role === mine ? 'font-semibold text-accent' : ''}>{words(role)}</span>,
                      cell: (scope: string) =>
                        data.roles[role]?.includes(scope) ? (
                          <span className="text-accent">
                            <span aria-hidden="true">●</span>
                            <span className="sr-only">yes</span>
                          </span>
                        ) : (
                          <span className="sr-only">no</span>
                        ),
                    })),
                  ]}
                />
              </Panel>
              <Panel title="What each route asks for" flush>
                <details className="px-4 pb-4 text-sm">
                  <summary className="link w-fit">Show {data.routes.length} routes</summary>
                  <ul className="mt-3 gap-x-8 sm:columns-2 lg:columns-3">
                    {data.routes.map((route) => (
                      <li key={route.id} className="flex justify-between gap-3 border-b border-line py-1">
                        <code className="font-mono text-xs">{route.id}</code>
                        <span className="text-xs text-soft">{route.scope}</span>
                      </li>
                    ))}
                  </ul>
                </details>
              </Panel>
            </div>
          );
        }}
      </QueryView>
    </>
  );
}
