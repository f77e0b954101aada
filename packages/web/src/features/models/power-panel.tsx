import { useQuery } from '@tanstack/react-query';
import { getAbPower } from '@touchstone/contracts/experiments';
import { useState } from 'react';
import { SelectField, TextField } from '../../components/form.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { Badge, Panel } from '../../components/ui.tsx';
import { apiQuery } from '../../lib/query.ts';

type Question = 'hit_rate' | 'sharpe' | 'alpha' | 'loss';
type Inputs = Record<'first' | 'second' | 'third', string>;

const QUESTIONS: Record<Question, { label: string; start: Inputs; fields: readonly [keyof Inputs, string][] }> = {
  hit_rate: {
    label: 'Share of hits against another',
    start: { first: '0.55', second: '0.53', third: '' },
    fields: [
      ['first', 'Share'],
      ['second', 'The other'],
    ],
  },
  sharpe: {
    label: 'Sharpe ratio against another',
    start: { first: '0.65', second: '0.5', third: '0.9' },
    fields: [
      ['first', 'Sharpe'],
      ['second', 'The other'],
      ['third', 'Correlation of the two'],
    ],
  },
  alpha: {
    label: 'Alpha',
    start: { first: '0.05', second: '', third: '0.1' },
    fields: [
      ['first', 'Alpha a year'],
      ['third', 'Tracking error'],
    ],
  },
  loss: {
    label: 'Difference of losses',
    start: { first: '0.01', second: '0.06', third: '' },
    fields: [
      ['first', 'Difference'],
      ['second', 'Its standard deviation a day'],
    ],
  },
};
const isQuestion = (value: string): value is Question => value in QUESTIONS;

/** How long it takes to tell two things apart, before anybody begins. */
export function PowerPanel() {
  const [question, setQuestion] = useState<Question>('hit_rate');
  const [inputs, setInputs] = useState<Inputs>(QUESTIONS.hit_rate.start);
  const { fields } = QUESTIONS[question];
  const isWhole = fields.every(([key]) => inputs[key].trim() !== '' && Number.isFinite(Number(inputs[key])));
  const query = useQuery({
    ...apiQuery(getAbPower, {
      query: {
        ...{ question, first: inputs.first },
        ...(fields.some(([key]) => key === 'second') && { second: inputs.second }),
        ...(question === 'sharpe' && { correlation: inputs.third }),
        ...(question === 'alpha' && { trackingError: inputs.third }),
      },
    }),
    enabled: isWhole,
  });
  return (
    <Panel
      title="How long would it take?"
      hint="Eight times of ten it finds the difference when it is there; one time of twenty when it is not."
    >
      <div className="flex flex-wrap items-end gap-3">
        <SelectField
          label="Question"
          value={question}
          onValue={(value) => {
            if (!isQuestion(value)) return;
            setQuestion(value);
            setInputs(QUESTIONS[value].start);
          }}
          options={Object.entries(QUESTIONS).map(([key, { label }]) => [key, label] as const)}
        />
        {fields.map(([key, label]) => (
          <TextField
            key={key}
            label={label}
            type="number"
            step="any"
            value={inputs[key]}
            onValue={(value) => setInputs({ ...inputs, [key]: value })}
          />
        ))}
      </div>
      <div className="mt-4">
        <QueryView query={query} lines={2}>
          {(data) => (
            <>
              <p className="font-medium">
                {data.sentence} {!data.answerable && <Badge tone="warn">not within ten years</Badge>}
              </p>
              <ul className="mt-1 space-y-1 text-sm text-soft">
                {data.instead.map(({ metric, sentence }) => (
                  <li key={metric}>{sentence}</li>
                ))}
              </ul>
            </>
          )}
        </QueryView>
      </div>
    </Panel>
  );
}
