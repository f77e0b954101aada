import type { ImportPreview, previewImport } from '@touchstone/contracts/data';
import type { Input } from '@touchstone/contracts/route';
import { type ReactNode, useState } from 'react';
import { ChoiceField, Field } from '../../components/form.tsx';
import { Badge, Button, Panel } from '../../components/ui.tsx';
import { words } from '../../lib/format.ts';

export type Chosen = NonNullable<Input<typeof previewImport>['body']['choices']>;
const ROLES = ['date', 'symbol', 'open', 'high', 'low', 'close', 'adjustedClose', 'volume'] as const;
const BASES = [
  { value: 'raw', label: 'Nothing (raw)', hint: 'Splits and dividends show as jumps.' },
  { value: 'split_adjusted', label: 'Splits', hint: 'Most “close” columns of free vendors.' },
  { value: 'total_return', label: 'Splits and dividends', hint: 'Mostly called “adjusted close”.' },
] as const;

type ChoicesProps = {
  preview: ImportPreview;
  choices: Chosen;
  lacksBasis: boolean;
  onChoices: (choices: Chosen) => void;
};

/** Second step: what was detected, how sure that is and why, each open to correction. */
export function ChoicesPanel({ preview, choices, lacksBasis, onChoices }: ChoicesProps) {
  const set = (part: Chosen) => onChoices({ ...choices, ...part });
  const isTouched = Object.keys(choices).length > 0;
  return (
    <Panel
      title="2. How it is read"
      hint="What was detected in the file. A change is previewed at once."
      actions={isTouched && <Button onClick={() => onChoices({})}>Detect again</Button>}
    >
      <div className="grid gap-x-8 gap-y-4 lg:grid-cols-2">
        <Detected label="Separator" found={preview.separator}>
          {(id) => (
            <Select
              id={id}
              value={choices.separator ?? preview.separator.value}
              options={[
                [',', 'Comma'],
                [';', 'Semicolon'],
                ['\t', 'Tab'],
                ['|', 'Bar'],
              ]}
              onValue={(value) => set({ separator: pick(value, [',', ';', '\t', '|']) })}
            />
          )}
        </Detected>
        <Detected label="Decimal mark" found={preview.decimalMark}>
          {(id) => (
            <Select
              id={id}
              value={choices.decimalMark ?? preview.decimalMark.value}
              options={[
                ['.', 'Point (1.5)'],
                [',', 'Comma (1,5)'],
              ]}
              onValue={(value) => set({ decimalMark: pick(value, ['.', ',']) })}
            />
          )}
        </Detected>
        <Detected label="Date order" found={preview.dateOrder}>
          {(id) => (
            <Select
              id={id}
              value={choices.dateOrder ?? preview.dateOrder.value}
              options={[
                ['ymd', 'Year, month, day'],
                ['dmy', 'Day, month, year'],
                ['mdy', 'Month, day, year'],
              ]}
              onValue={(value) => set({ dateOrder: pick(value, ['ymd', 'dmy', 'mdy']) })}
            />
          )}
        </Detected>
        <Detected label="Currency" found={preview.currency}>
          {(id) => (
            <Typed
              id={id}
              value={choices.currency ?? preview.currency.value}
              pattern="[A-Z]{3}"
              hint="Three capital letters"
              onValue={(value) => set({ currency: value })}
            />
          )}
        </Detected>
        <Detected label="Time zone" found={preview.timeZone}>
          {(id) => (
            <Typed
              id={id}
              value={choices.timeZone ?? preview.timeZone.value ?? ''}
              hint="None: plain days"
              onValue={(value) => set({ timeZone: value || undefined })}
            />
          )}
        </Detected>
        {preview.layout.value === 'single' && (
          <Detected label="Symbol" found={preview.layout}>
            {(id) => (
              <Typed
                id={id}
                value={choices.symbol ?? ''}
                hint="As the file name says"
                onValue={(value) => set({ symbol: value || undefined })}
              />
            )}
          </Detected>
        )}
        <div className={`lg:col-span-2 ${lacksBasis ? 'rounded border border-warn/40 bg-warn-well p-3' : ''}`}>
          <div className="mb-1 flex flex-wrap items-center gap-2">
            <Confidence of={preview.priceBasis.confidence} />
            <span className="text-xs text-soft">{preview.priceBasis.evidence}</span>
          </div>
          {lacksBasis && (
            <p className="mb-2 text-sm">The file does not tell, and prices must never be adjusted twice.</p>
          )}
          <ChoiceField
            legend="What are the prices adjusted for?"
            value={choices.priceBasis ?? preview.priceBasis.value}
            onValue={(value) => set({ priceBasis: pick(value, ['raw', 'split_adjusted', 'total_return']) })}
            options={BASES}
          />
        </div>
      </div>
      <details className="mt-4 border-t border-line pt-3">
        <summary className="text-sm font-medium">Columns</summary>
        <div className="mt-3 grid gap-3 sm:grid-cols-2 lg:grid-cols-4">
          {ROLES.map((role) => (
            <Field key={role} label={words(role.replace(/([A-Z])/g, ' $1').toLowerCase())}>
              {(control) => (
                <select
                  {...control}
                  className="control"
                  value={preview.columns[role] ?? ''}
                  onChange={(event) => set({ columns: withColumn(preview.columns, role, event.currentTarget.value) })}
                >
                  <option value="">not in the file</option>
                  {columnNames(preview).map((name) => (
                    <option key={name} value={name}>
                      {name}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          ))}
        </div>
      </details>
    </Panel>
  );
}

type Sure = { confidence: ImportPreview['separator']['confidence']; evidence: string };

function Detected({ label, found, children }: { label: string; found: Sure; children: (id: string) => ReactNode }) {
  return (
    <Field
      label={label}
      hint={
        <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <Confidence of={found.confidence} /> {found.evidence}
        </span>
      }
    >
      {(control) => children(control.id)}
    </Field>
  );
}

function Confidence({ of }: { of: Sure['confidence'] }) {
  return <Badge tone={of === 'assumed' ? 'warn' : of === 'given' ? 'accent' : 'plain'}>{of}</Badge>;
}

function Select(props: {
  id: string;
  value: string;
  options: readonly (readonly [string, string])[];
  onValue: (value: string) => void;
}) {
  return (
    <select
      id={props.id}
      className="control"
      value={props.value}
      onChange={(event) => props.onValue(event.currentTarget.value)}
    >
      {props.options.map(([value, label]) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </select>
  );
}

/** A typed choice is taken when the field is left, so that half a word is not previewed. */
function Typed(props: { id: string; value: string; hint: string; pattern?: string; onValue: (value: string) => void }) {
  const [text, setText] = useState(props.value);
  const [shownValue, setShownValue] = useState(props.value);
  if (shownValue !== props.value) {
    setShownValue(props.value);
    setText(props.value);
  }
  return (
    <input
      id={props.id}
      className="control"
      value={text}
      placeholder={props.hint}
      pattern={props.pattern}
      title={props.hint}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={(event) => {
        if (text !== props.value && event.currentTarget.validity.valid) props.onValue(text.trim());
      }}
    />
  );
}

function columnNames(preview: ImportPreview): string[] {
  return [...new Set([...Object.values(preview.columns), ...preview.unknownColumns])];
}

function withColumn(columns: Record<string, string>, role: string, name: string): Record<string, string> {
  const others = Object.entries(columns).filter(([key]) => key !== role);
  return Object.fromEntries(name === '' ? others : [...others, [role, name]]);
}

function pick<T extends string>(value: string, allowed: readonly T[]): T | undefined {
  return allowed.find((one) => one === value);
}
