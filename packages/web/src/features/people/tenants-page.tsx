import { useMutation, useQuery } from '@tanstack/react-query';
import { createTenant, listTenants } from '@touchstone/contracts/people';
import { useState } from 'react';
import { DataTable } from '../../components/data-table.tsx';
import { onSubmit, TextField } from '../../components/form.tsx';
import { Gate } from '../../components/gate.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { ShownOnce } from '../../components/shown-once.tsx';
import { SubNav } from '../../components/sub-nav.tsx';
import { Button, PageHeader, Panel } from '../../components/ui.tsx';
import { formatCount, formatInstant } from '../../lib/format.ts';
import { apiQuery, refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';

export function TenantsPage() {
  return (
    <>
      <SubNav of="settings" />
      <PageHeader title="Tenants">
        Houses of their own on this installation. You see that they are there, and nothing of what they have.
      </PageHeader>
      <Gate scope="tenant:write">
        <div className="grid gap-4 lg:grid-cols-[minmax(0,2fr)_minmax(0,1fr)] lg:items-start">
          <Tenants />
          <NewTenant />
        </div>
      </Gate>
    </>
  );
}

function Tenants() {
  const tenants = useQuery(apiQuery(listTenants));
  return (
    <Panel title="Tenants" flush>
      <QueryView query={tenants} lines={3}>
        {({ items }) => (
          <DataTable
            label="Tenants"
            rows={items}
            rowKey={(tenant) => tenant.id}
            empty="There is none."
            columns={[
              { key: 'name', header: 'Name', cell: (tenant) => tenant.name },
              {
                key: 'people',
                header: 'Active people',
                isNumber: true,
                cell: (tenant) => formatCount(tenant.peopleCount),
              },
              { key: 'since', header: 'Since', cell: (tenant) => formatInstant(tenant.createdAt) },
            ]}
          />
        )}
      </QueryView>
    </Panel>
  );
}

function NewTenant() {
  const [name, setName] = useState('');
  const [ownerEmail, setEmail] = useState('');
  const [link, setLink] = useState<string | null>(null);
  const make = useMutation({
    mutationFn: () => client.call(createTenant, { body: { name, ownerEmail } }),
    onSuccess: async (made) => {
      setName('');
      setEmail('');
      setLink(made.link);
      await refreshAll();
    },
  });
  return (
    <Panel title="New tenant">
      <form className="space-y-3" onSubmit={onSubmit(() => make.mutate())}>
        <TextField
          label="Name"
          required
          maxLength={200}
          path="body.name"
          error={make.error}
          value={name}
          onValue={setName}
        />
        <TextField
          label="E-mail of its first owner"
          hint="You get a link to hand over."
          type="email"
          required
          path="body.ownerEmail"
          error={make.error}
          value={ownerEmail}
          onValue={setEmail}
        />
        {make.error && <ProblemNotice error={make.error} />}
        <Button type="submit" look="main" isBusy={make.isPending}>
          Make it
        </Button>
      </form>
      <ShownOnce
        title="Hand over this link"
        label="Invitation of the first owner"
        note="Send it to them yourself. It works once, for seven days."
        value={link}
        onDone={() => setLink(null)}
      />
    </Panel>
  );
}
