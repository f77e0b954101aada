import { useQuery } from '@tanstack/react-query';
import { getTimeline } from '@touchstone/contracts/data';
import { type KeyboardEvent, useEffect, useId, useState } from 'react';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Badge } from '../components/ui.tsx';
import { addDays, addMonths, clampDay, dayFromNumber, dayNumber, dayOfInstant, endOfDay, isDay } from '../lib/day.ts';
import { formatDay, formatLongDay } from '../lib/format.ts';
import { useKnownTime, useSetKnownTime } from '../lib/known-time.ts';
import { apiQuery } from '../lib/query.ts';
import { useToldTime } from '../lib/told-time.ts';

/** While the slider moves, the address and with it every panel waits this long for it to rest. */
const REST_MS = 220;

/** Chooses the moment every panel looks from. */
export function TimeMachine() {
  const timeline = useQuery(apiQuery(getTimeline));
  const known = useKnownTime();
  const setKnown = useSetKnownTime();
  const told = useToldTime();
  const sliderId = useId();
  const dayId = useId();
  const [draft, setDraft] = useState<string | null>(null);
  const data = timeline.data;
  // Pinned when the view leaves now: what is recorded while somebody looks must not move the ground under a past view.
  const pinned = known.recordedAt ?? data?.recordedAt ?? undefined;

  useEffect(() => {
    if (draft === null || !data?.lastKnownAt) return;
    const lastDay = dayOfInstant(data.lastKnownAt);
    const rest = setTimeout(() => {
      setDraft(null);
      setKnown(draft >= lastDay ? {} : { knownAt: endOfDay(draft), recordedAt: pinned });
    }, REST_MS);
    return () => clearTimeout(rest);
  }, [draft, data, pinned, setKnown]);

  if (timeline.error && !data) return <ProblemNotice error={timeline.error} onRetry={() => timeline.refetch()} />;
  if (!data) return <div className="h-9" aria-hidden="true" />;
  if (!data.firstKnownAt || !data.lastKnownAt) {
    return (
      <p className="py-1.5 text-sm text-soft">Nothing is published yet; the time machine starts with the first data.</p>
    );
  }
  const first = dayOfInstant(data.firstKnownAt);
  const last = dayOfInstant(data.lastKnownAt);
  const settled = known.knownAt ? clampDay(dayOfInstant(known.knownAt), first, last) : last;
  const shown = draft ?? settled;
  const isNow = draft === null && !known.knownAt;
  const go = (day: string) => setDraft(clampDay(day, first, last));
  const onKey = (event: KeyboardEvent) => {
    const target = {
      ArrowLeft: addDays(shown, -1),
      ArrowDown: addDays(shown, -1),
      ArrowRight: addDays(shown, 1),
      ArrowUp: addDays(shown, 1),
      PageDown: addMonths(shown, -1),
      PageUp: addMonths(shown, 1),
      Home: first,
      End: last,
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    go(target);
  };
  const span = dayNumber(last) - dayNumber(first) || 1;
  const done = `${((dayNumber(shown) - dayNumber(first)) / span) * 100}%`;

  return (
    <div>
      <fieldset className="flex flex-wrap items-center gap-x-2 gap-y-1 md:gap-x-3">
        <legend className="sr-only">Time machine</legend>
        <label htmlFor={sliderId} className="sr-only text-sm font-medium whitespace-nowrap md:not-sr-only">
          Known at
        </label>
        <input
          id={dayId}
          type="date"
          aria-label="Day to look from"
          className="control max-w-33 min-w-0 px-1.5 py-0 text-sm md:max-w-37 md:px-2.5"
          min={first}
          max={last}
          value={shown}
          onChange={(event) => isDay(event.currentTarget.value) && go(event.currentTarget.value)}
        />
        <span className="order-last flex min-w-0 flex-1 basis-full items-center gap-3 md:order-none md:basis-40">
          <span aria-hidden="true" className="text-xs whitespace-nowrap text-soft md:hidden">
            Known at
          </span>
          <span className="hidden text-xs whitespace-nowrap text-soft lg:inline">{formatDay(first)}</span>
          <input
            id={sliderId}
            type="range"
            className="slider min-w-0"
            min={dayNumber(first)}
            max={dayNumber(last)}
            step={1}
            value={dayNumber(shown)}
            aria-valuetext={formatLongDay(shown)}
            aria-description="Arrow keys step a day, Page Up and Page Down a month."
            style={{ ['--done' as string]: done }}
            onChange={(event) => go(dayFromNumber(Number(event.currentTarget.value)))}
            onKeyDown={onKey}
          />
          <span className="hidden text-xs whitespace-nowrap text-soft lg:inline">{formatDay(last)}</span>
        </span>
        <span className="ml-auto flex gap-1">
          <Step label="−1 m" name="One month back" isOff={shown <= first} go={() => go(addMonths(shown, -1))} />
          <Step label="−1 d" name="One day back" isOff={shown <= first} go={() => go(addDays(shown, -1))} />
          <Step label="+1 d" name="One day on" isOff={shown >= last} go={() => go(addDays(shown, 1))} />
          <Step label="+1 m" name="One month on" isOff={shown >= last} go={() => go(addMonths(shown, 1))} />
          <Step label="Now" name="Back to the latest knowledge" isOff={isNow} go={() => go(last)} />
        </span>
      </fieldset>
      {!isNow && (
        <div
          role="status"
          className="mt-1 mb-1 flex flex-wrap items-center gap-x-3 rounded border border-accent/30 bg-accent-well px-3 py-1 text-xs md:text-sm"
        >
          <span>
            You are looking at what was known on <strong className="font-semibold">{formatLongDay(shown)}</strong>.
          </span>
          {told?.reconstructed && (
            <span title="The knowledge times of this history are declared by a rule of its source; this installation did not watch it happen.">
              <Badge tone="accent">reconstructed</Badge>
            </span>
          )}
          <button type="button" className="link font-medium" onClick={() => go(last)}>
            Back to now
          </button>
        </div>
      )}
    </div>
  );
}

function Step(props: { label: string; name: string; isOff: boolean; go: () => void }) {
  return (
    <button
      type="button"
      aria-label={props.name}
      title={props.name}
      disabled={props.isOff}
      onClick={props.go}
      className="min-h-8 rounded border border-line bg-sheet px-1.5 text-xs md:px-2 whitespace-nowrap hover:bg-well disabled:text-soft/60"
    >
      {props.label}
    </button>
  );
}
