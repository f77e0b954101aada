import { useQuery } from '@tanstack/react-query';
import { getPatterns } from '@touchstone/contracts/patterns';
import { getRegimes } from '@touchstone/contracts/regimes';
import type { Answer } from '@touchstone/contracts/route';
import { useMemo } from 'react';
import { Figure, Glance } from '../../components/glance.tsx';
import { LineChart } from '../../components/line-chart.tsx';
import MarketGlances from '../../components/market-glances.tsx';
import { QueryView } from '../../components/query-view.tsx';
import { ReadingFoot, SuspectDays } from '../../components/reading-foot.tsx';
import { bandsOf } from '../../components/regime-band.ts';
import { Empty, Panel } from '../../components/ui.tsx';
import { formatCount, formatDay, plural } from '../../lib/format.ts';
import { useKnownTime } from '../../lib/known-time.ts';
import { apiQuery } from '../../lib/query.ts';
import { closesOn, useCloses } from './closes.ts';
import { SubjectFrame, useSubject } from './subject-frame.tsx';

/** Everything about one subject at a glance, each figure the door to its page. */
export function SummaryPage() {
  const subject = useSubject();
  const known = useKnownTime();
  const regimes = useQuery(apiQuery(getRegimes, { params: subject, query: known }));
  const patterns = useQuery(apiQuery(getPatterns, { params: subject, query: known }));
  const closes = useCloses(subject, regimes.data?.basis);
  const bands = useMemo(() => bandsOf(regimes.data?.state ?? []), [regimes.data]);
  return (
    <SubjectFrame about="The state of it, as it was known at the moment you look from.">
      {regimes.data && <SuspectDays reading={regimes.data} />}
      <div className="grid min-w-0 gap-4">
        <MarketGlances subject={subject} />
        <Panel
          title="Price and regimes"
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
        <Glance
          title="Newest pattern"
          subject={subject}
          to="/market/$kind/$id/patterns"
          unit="day it was confirmed"
          route={getPatterns}
          query={patterns}
        >
          {patternFigure}
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

function patternFigure({ patterns, candles }: Answer<typeof getPatterns>) {
  const mark = patterns.at(-1);
  if (mark === undefined)
    return `No chart pattern was confirmed in the last year; ${plural(candles.length, 'candle')} marked.`;
  return <Figure value={`${mark.name}, ${formatDay(mark.confirmationDay)}`} note={mark.record.sentence} isSmall />;
}
