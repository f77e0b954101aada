import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type Prediction, postPrediction, startUniversePredictions } from '@touchstone/contracts/predictions';
import { useState } from 'react';
import { onSubmit, TextField } from '../../components/form.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { TaskProgress } from '../../components/task-progress.tsx';
import { Badge, Button, Panel } from '../../components/ui.tsx';
import { UniverseField } from '../../components/universe-field.tsx';
import { useRefusal } from '../../lib/auth.ts';
import { formatDay, formatPercent } from '../../lib/format.ts';
import { useKnownTime } from '../../lib/known-time.ts';
import { refreshAll } from '../../lib/query.ts';
import { client } from '../../lib/session.ts';
import { formatForecast, targetWords } from './model-words.ts';

/** Asks the model about one instrument, or about a universe in the background. */
export function PredictPanel({ model }: { model: string }) {
  const known = useKnownTime();
  const refusal = useRefusal('model:write');
  const [symbol, setSymbol] = useState('');
  const [universe, setUniverse] = useState('');
  const one = useMutation({
    mutationFn: () => client.call(postPrediction, { params: { model }, body: { symbol, ...known } }),
  });
  const many = useMutation({
    mutationFn: () =>
      client.call(startUniversePredictions, {
        params: { model },
        body: { universeId: Number(universe), ...known },
      }),
  });
  return (
    <Panel
      title="Ask it"
      hint="Every answer is sealed before its outcome and stays on record, abstentions too."
      footer={
        <Link to="/predictions" search={{ model }} className="link">
          All its predictions
        </Link>
      }
    >
      <div className="grid gap-5 lg:grid-cols-2">
        <form className="space-y-3" onSubmit={onSubmit(() => one.mutate())}>
          <div className="flex flex-wrap items-end gap-2">
            <TextField label="Symbol" value={symbol} onValue={setSymbol} placeholder="ALDR" required />
            <Button type="submit" look="main" refusal={refusal} isBusy={one.isPending} disabled={symbol.trim() === ''}>
              Forecast
            </Button>
          </div>
          {one.error && <ProblemNotice error={one.error} />}
          {one.data && <PredictionFigure prediction={one.data} />}
        </form>
        <form className="space-y-3" onSubmit={onSubmit(() => many.mutate())}>
          <div className="flex flex-wrap items-end gap-2">
            <UniverseField value={universe} onValue={setUniverse} />
            <Button type="submit" refusal={refusal} isBusy={many.isPending} disabled={universe === ''}>
              Forecast all members
            </Button>
          </div>
          {many.error && <ProblemNotice error={many.error} />}
          {many.data && <TaskProgress taskId={many.data.task.id} onDone={() => void refreshAll()} />}
        </form>
      </div>
    </Panel>
  );
}

/** What was said: value with interval beside the simple rule, or why nothing. */
export function PredictionFigure({ prediction, isWhole }: { prediction: Prediction; isWhole?: boolean }) {
  const { forecast, subject } = prediction;
  return (
    <div className="rounded border border-line bg-well px-3.5 py-3">
      <p className="flex flex-wrap items-center gap-2 text-sm text-soft">
        {subject.symbol ?? subject.name}, {formatDay(prediction.time.asOf)}: {targetWords(prediction.target)}
        <ServedBadge prediction={prediction} />
      </p>
      {forecast.value === null ? (
        <p className="mt-1">
          <span className="text-lg font-semibold">Abstains.</span>{' '}
          <span className="text-sm">{forecast.abstained?.sentence}</span>
        </p>
      ) : (
        <p className="mt-1 tabular-nums">
          <span className="text-2xl font-semibold tracking-tight">{formatForecast(forecast.unit, forecast.value)}</span>{' '}
          <span className="text-sm text-soft">
            {forecast.lower !== null && forecast.upper !== null && (
              <>
                {formatForecast(forecast.unit, forecast.lower)} to {formatForecast(forecast.unit, forecast.upper)} at{' '}
                {formatPercent(forecast.level, 0)};{' '}
              </>
            )}
            {forecast.baseline.name}: {formatForecast(forecast.unit, forecast.baseline.value)}
          </span>
        </p>
      )}
      <p className="mt-1 text-xs text-soft">
        {forecast.confidence !== null && <>Confidence {formatPercent(forecast.confidence, 0)}. </>}
        Outcome known on {formatDay(prediction.dueDay)}.{' '}
        {!isWhole && (
          <Link to="/predictions/$predictionId" params={{ predictionId: prediction.predictionId }} className="link">
            Why, and where it comes from
          </Link>
        )}
      </p>
    </div>
  );
}

const SERVED = {
  previous: 'by the champion before',
  baseline: 'by the baseline',
  nobody: 'abstained',
} as const;

/** Who answered, where it was not the version asked for. */
export function ServedBadge({ prediction }: { prediction: Prediction }) {
  const { servedBy } = prediction;
  return (
    <>
      {servedBy !== 'model' && <Badge tone="warn">{SERVED[servedBy]}</Badge>}
      {!prediction.seal.beforeOutcome && (
        <span title="Made of a past whose outcome could be known.">
          <Badge>reconstructed</Badge>
        </span>
      )}
    </>
  );
}
