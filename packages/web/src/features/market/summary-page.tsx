import { useQuery } from '@tanstack/react-query';
import { Link, type LinkProps } from '@tanstack/react-router';
import { getAnomalies } from '@touchstone/contracts/anomalies';
import { getPatterns } from '@touchstone/contracts/patterns';
import { getRegimes } from '@touchstone/contracts/regimes';
import { getDrawdown, getVolatility } from '@touchstone/contracts/volatility';
import { type ReactNode, useMemo } from 'react';
import { LineChart } from '../../components/line-chart.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { Empty, Panel } from '../../components/ui.tsx';
import { formatCount, formatDay, formatPercent, plural } from '../../lib/format.ts';
import { useKnownTime } from '../../lib/known-time.ts';
import { apiQuery } from '../../lib/query.ts';
import { closesOn, useCloses } from './closes.ts';
import { ReadingFoot, SuspectDays } from './reading-foot.tsx';
import { bandsOf, STATE_WORDS } from './regime-band.ts';
import { SubjectFrame, useSubject } from './subject-frame.tsx';

/** Everything about one subject at a glance, each figure the door to its page. */
export function SummaryPage() {
  const subject = useSubject();
  const known = useKnownTime();
  const regimes = useQuery(apiQuery(getRegimes, { params: subject, query: known }));
  const volatility = useQuery(apiQuery(getVolatility, { params: subject, query: known }));
  const drawdown = useQuery(apiQuery(getDrawdown, { params: subject, query: known }));
  const anomalies = useQuery(apiQuery(getAnomalies, { params: subject, query: known }));
  const patterns = useQuery(apiQuery(getPatterns, { params: subject, query: known }));
  const closes = useCloses(subject, regimes.data?.basis);
  const bands = useMemo(() => bandsOf(regimes.data?.state ?? []), [regimes.data]);
  const forecast = volatility.data?.forecasts.find(({ horizon }) => horizon === 21);
  const current = regimes.data?.current;
  const newest = anomalies.data?.items[0];
  const mark = patterns.data?.patterns.at(-1);
  return (
    <SubjectFrame about="The state of it, as it was known at the moment you look from.">
      {regimes.data && <SuspectDays reading={regimes.data} />}
      <div className="grid min-w-0 gap-4">
        <div className="grid min-w-0 gap-4 sm:grid-cols-2 xl:grid-cols-4">
          <Glance title="Regime" to="/market/$kind/$id/regimes" query={regimes}>
            {current ? (
              <Figure value={STATE_WORDS[current.state]} note={`since ${formatDay(current.since)}`} />
            ) : (
              regimes.data?.reason?.sentence
            )}
          </Glance>
          <Glance title="Volatility, next 21 sessions" to="/market/$kind/$id/volatility" query={volatility}>
            {forecast && forecast.volatilityAnnual !== null ? (
              <Figure
                value={formatPercent(forecast.volatilityAnnual)}
                note={`${formatPercent(forecast.low)} to ${formatPercent(forecast.high)}; EWMA ${formatPercent(forecast.baseline)}`}
              />
            ) : (
              (volatility.data?.reason ?? forecast?.reason)?.sentence
            )}
          </Glance>
          <Glance title="A 5 % fall within 21 sessions" to="/market/$kind/$id/risk" query={drawdown}>
            {drawdown.data && drawdown.data.probability !== null ? (
              <Figure
                value={formatPercent(drawdown.data.probability, 0)}
                note={`${formatPercent(drawdown.data.low, 0)} to ${formatPercent(drawdown.data.high, 0)}; all days ${formatPercent(drawdown.data.baseRate, 0)}`}
              />
            ) : (
              drawdown.data?.reason?.sentence
            )}
          </Glance>
          <Glance title="Anomalies" to="/market/$kind/$id/anomalies" query={anomalies}>
            {newest ? (
              <Figure value={formatDay(newest.day)} note={newest.sentence} isSmall />
            ) : (
              (anomalies.data?.reason?.sentence ?? 'None was detected.')
            )}
          </Glance>
        </div>
        <Panel
          title="Price and regimes"
          hint={regimes.data?.lagNote}
          footer={regimes.data && <ReadingFoot unit="price, log scale" reading={regimes.data} route={getRegimes} />}
        >
          <QueryView query={regimes} lines={11}>
            {(data) =>
              data.reason === null ? (
                <LineChart
                  label="Price with its regimes"
                  days={data.days}
                  lines={[{ name: 'Price', values: closesOn(data.days, closes), look: 'main' }]}
                  bands={bands}
                  isLog
                />
              ) : (
                <Empty title="Nothing to draw.">{data.reason.sentence}</Empty>
              )
            }
          </QueryView>
        </Panel>
        <Glance title="Newest pattern" to="/market/$kind/$id/patterns" query={patterns}>
          {mark ? (
            <Figure value={`${mark.name}, ${formatDay(mark.confirmationDay)}`} note={mark.record.sentence} isSmall />
          ) : (
            `No chart pattern was confirmed in the last year${patterns.data ? `; ${plural(patterns.data.candles.length, 'candle')} marked` : ''}.`
          )}
        </Glance>
        {regimes.data && (
          <p className="text-xs text-soft">
            {formatCount(regimes.data.barCount)} sessions, {formatDay(regimes.data.firstDay)} to{' '}
            {formatDay(regimes.data.lastDay)}.
          </p>
        )}
      </div>
    </SubjectFrame>
  );
}

type GlanceProps = {
  title: string;
  to: NonNullable<LinkProps['to']>;
  query: Parameters<typeof QueryView>[0]['query'];
  children: ReactNode;
};

function Glance({ title, to, query, children }: GlanceProps) {
  const subject = useSubject();
  return (
    <Panel
      title={title}
      actions={
        <Link to={to} params={subject} className="link text-sm">
          Look closer
        </Link>
      }
    >
      <QueryView query={query} lines={2}>
        {() => <div className="text-sm text-soft">{children}</div>}
      </QueryView>
    </Panel>
  );
}

function Figure({ value, note, isSmall }: { value: string; note: string; isSmall?: boolean }) {
  return (
    <>
      <span
        className={`block text-ink tabular-nums ${isSmall ? 'text-base font-medium' : 'text-2xl font-semibold tracking-tight'}`}
      >
        {value}
      </span>
      <span className="block text-sm text-soft">{note}</span>
    </>
  );
}
