import { useQuery } from '@tanstack/react-query';
import { type Anomalies, getAnomalies } from '@touchstone/contracts/anomalies';
import { getRegimes, type Regimes } from '@touchstone/contracts/regimes';
import type { Answer } from '@touchstone/contracts/route';
import { getDrawdown, getVolatility } from '@touchstone/contracts/volatility';
import { formatDay, formatPercent } from '../lib/format.ts';
import { useKnownTime } from '../lib/known-time.ts';
import { apiQuery } from '../lib/query.ts';
import { Figure, Glance, type Subject } from './glance.tsx';
import { STATE_WORDS } from './regime-band.ts';

/** The state of one subject in four figures, each beside what it must be held against. */
export default function MarketGlances({ subject }: { subject: Subject }) {
  const known = useKnownTime();
  const input = { params: subject, query: known };
  const regimes = useQuery(apiQuery(getRegimes, input));
  const volatility = useQuery(apiQuery(getVolatility, input));
  const drawdown = useQuery(apiQuery(getDrawdown, input));
  const anomalies = useQuery(apiQuery(getAnomalies, input));
  return (
    <div className="grid min-w-0 gap-4 sm:grid-cols-2 xl:grid-cols-4">
      <Glance
        title="Regime"
        subject={subject}
        to="/market/$kind/$id/regimes"
        unit="state"
        route={getRegimes}
        query={regimes}
      >
        {regimeFigure}
      </Glance>
      <Glance
        title="Volatility, next 21 sessions"
        subject={subject}
        to="/market/$kind/$id/volatility"
        unit="volatility a year, 90 % interval"
        route={getVolatility}
        query={volatility}
      >
        {volatilityFigure}
      </Glance>
      <Glance
        title="5 % fall, next 21 sessions"
        subject={subject}
        to="/market/$kind/$id/risk"
        unit="probability, 95 % interval"
        route={getDrawdown}
        query={drawdown}
      >
        {fallFigure}
      </Glance>
      <Glance
        title="Anomalies"
        subject={subject}
        to="/market/$kind/$id/anomalies"
        unit="newest alarm"
        route={getAnomalies}
        query={anomalies}
      >
        {anomalyFigure}
      </Glance>
    </div>
  );
}

function regimeFigure({ current, lagNote, reason }: Regimes) {
  if (current === null) return reason?.sentence ?? 'No state can be told yet.';
  return (
    <Figure
      value={STATE_WORDS[current.state]}
      note={
        <>
          since {formatDay(current.since)}. {lagNote}
        </>
      }
    />
  );
}

function volatilityFigure({ forecasts, reason }: Answer<typeof getVolatility>) {
  const forecast = forecasts.find(({ horizon }) => horizon === 21);
  if (forecast === undefined || forecast.volatilityAnnual === null) return (reason ?? forecast?.reason)?.sentence;
  return (
    <Figure
      value={formatPercent(forecast.volatilityAnnual)}
      note={`${formatPercent(forecast.low)} to ${formatPercent(forecast.high)}; EWMA ${formatPercent(forecast.baseline)}`}
    />
  );
}

function fallFigure({ probability, low, high, baseRate, reason }: Answer<typeof getDrawdown>) {
  if (probability === null) return reason?.sentence;
  return (
    <Figure
      value={formatPercent(probability, 0)}
      note={`${formatPercent(low, 0)} to ${formatPercent(high, 0)}; base rate ${formatPercent(baseRate, 0)}`}
    />
  );
}

function anomalyFigure({ items: [newest], reason }: Anomalies) {
  if (newest === undefined) return reason?.sentence ?? 'None was detected.';
  return <Figure value={formatDay(newest.day)} note={newest.sentence} isSmall />;
}
