import { Link } from '@tanstack/react-router';
import type { Feed, RefreshSummary } from '@touchstone/contracts/feeds';
import { formatAgo, formatDay, formatInstant, plural } from '../lib/format.ts';
import { feedState, refreshState } from './feed-words.ts';
import { Meter } from './meter.tsx';
import { Badge, Facts, Panel } from './ui.tsx';

export function FeedBadge({ feed }: { feed: Pick<Feed, 'state'> }) {
  const [words, tone] = feedState(feed.state);
  return <Badge tone={tone}>{words}</Badge>;
}

export function RefreshBadge({ state }: { state: RefreshSummary['state'] }) {
  const [words, tone] = refreshState(state);
  return <Badge tone={tone}>{words}</Badge>;
}

/** What is left of the plan, calmly: the minute comes back by itself, the day at a known time. */
export function CreditMeters({ credits }: { credits: NonNullable<Feed['credits']> }) {
  return (
    <div className="grid gap-3">
      <Meter label="Credits this minute" left={credits.minuteLeft} of={credits.perMinute} />
      <Meter
        label="Credits today"
        left={credits.dayLeft}
        of={credits.perDay}
        note={`Full again ${formatInstant(credits.resetAt)}.`}
      />
    </div>
  );
}

/** One feed among the sources. */
export function FeedCard({ feed }: { feed: Feed }) {
  const last = feed.lastRefresh;
  return (
    <Panel
      title={feed.name}
      hint={<code className="font-mono text-xs">{feed.code}</code>}
      actions={<FeedBadge feed={feed} />}
      footer={
        <>
          <Link to="/data/feeds/$sourceId" params={{ sourceId: feed.id }} className="link">
            Refresh, key and settings
          </Link>
          {feed.openGapCount > 0 && (
            <Link to="/data/gaps" search={(before) => ({ ...before, source: feed.id })} className="link">
              {plural(feed.openGapCount, 'open gap')}
            </Link>
          )}
        </>
      }
    >
      <div className="grid gap-3">
        {feed.state !== 'ready' && <p className="text-sm">{feed.stateSentence}</p>}
        {feed.credits && <CreditMeters credits={feed.credits} />}
        <Facts
          items={[
            [
              'Last refresh',
              last === null ? (
                'never'
              ) : (
                <span key="last" className="flex flex-wrap items-center gap-x-2">
                  <Link to="/data/refreshes/$refreshId" params={{ refreshId: last.id }} className="link">
                    {formatAgo(last.finishedAt ?? last.startedAt, Date.now())}
                  </Link>
                  <RefreshBadge state={last.state} />
                </span>
              ),
            ],
            ['Days', feed.firstDay === null ? 'none yet' : `${formatDay(feed.firstDay)} to ${formatDay(feed.lastDay)}`],
            ...(feed.gives === 'prices' ? [['Instruments', String(feed.instrumentCount)] as const] : []),
          ]}
        />
      </div>
    </Panel>
  );
}
