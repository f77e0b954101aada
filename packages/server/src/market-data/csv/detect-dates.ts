import type { Detected } from './dialect.ts';
import { DATE_OUT_OF_RANGE, type DateFormat, parseDateText, stampParts } from './parse-date.ts';

/** What counts as a date column when no header says so. */
export function looksLikeDate(text: string): boolean {
  return findFormat(text.trim()) !== null;
}

/**
 * The date format by the share of the sample it can read; day and month order by evidence over the sample: a part above
 * twelve decides; otherwise the order without weekend days does.
 */
export function detectDateFormat(texts: string[]): Detected<DateFormat> & { ambiguous: boolean; readShare: number } {
  const trimmed = texts.map((text) => text.trim()).filter((text) => text !== '');
  const counts = new Map<DateFormat | 'xxy', number>();
  for (const text of trimmed) {
    const format = findFormat(text);
    if (format !== null) counts.set(format, (counts.get(format) ?? 0) + 1);
  }
  const [format, count] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? ['iso', 0];
  const readShare = trimmed.length === 0 ? 0 : count / trimmed.length;
  const example = trimmed.find((text) => findFormat(text) === format) ?? '';
  if (format === 'xxy') return { ...decideOrder(trimmed), readShare };
  const confidence = readShare === 1 && format !== 'epoch-seconds' ? 'certain' : 'likely';
  return {
    value: format,
    confidence,
    evidence: `${count} of ${trimmed.length} sampled dates are written like ${example}.`,
    ambiguous: false,
    readShare,
  };
}

/** How stamps become days. Without a caller's zone, the day as written; how sure that is depends on the times. */
export function detectTimeZone(texts: string[], format: DateFormat): Detected<string | null> & { question: boolean } {
  let times = 0;
  let zones = 0;
  for (const text of texts) {
    const { time, zone } = stampParts(text);
    if (time) times++;
    if (zone) zones++;
  }
  if (format.startsWith('epoch'))
    return {
      value: null,
      confidence: 'assumed',
      evidence: 'Stamps count from 1970 in UTC; the day in UTC is taken.',
      question: true,
    };
  if (zones > 0)
    return {
      value: null,
      confidence: times > 0 ? 'assumed' : 'likely',
      evidence:
        times > 0
          ? `${zones} stamps carry a time and a zone; the day is taken as written.`
          : `${zones} stamps carry a zone but only midnights; the day is taken as written.`,
      question: times > 0,
    };
  return {
    value: null,
    confidence: times > 0 ? 'likely' : 'certain',
    evidence: times > 0 ? 'Stamps carry a time without a zone; the day is taken as written.' : 'Dates carry no time.',
    question: false,
  };
}

function findFormat(text: string): DateFormat | 'xxy' | null {
  const reads = (format: DateFormat) => parseDateText(text, format, null) > DATE_OUT_OF_RANGE;
  if (/^\d{9,10}$/.test(text)) return 'epoch-seconds';
  if (/^\d{12,13}$/.test(text)) return 'epoch-milliseconds';
  for (const format of ['iso', 'yyyymmdd', 'ymd', 'd-month-y', 'month-d-y'] as const) if (reads(format)) return format;
  return reads('dmy') || reads('mdy') ? 'xxy' : null;
}

function countOrders(texts: string[]) {
  const counts = { onlyDmy: 0, onlyMdy: 0, example: '', weekend: { dmy: 0, mdy: 0 } };
  for (const text of new Set(texts)) {
    const dmy = parseDateText(text, 'dmy', null);
    const mdy = parseDateText(text, 'mdy', null);
    if (dmy > DATE_OUT_OF_RANGE && mdy > DATE_OUT_OF_RANGE) {
      counts.weekend.dmy += isWeekend(dmy) ? 1 : 0;
      counts.weekend.mdy += isWeekend(mdy) ? 1 : 0;
      continue;
    }
    if (dmy > DATE_OUT_OF_RANGE) counts.onlyDmy++;
    else if (mdy > DATE_OUT_OF_RANGE) counts.onlyMdy++;
    else continue;
    counts.example ||= text;
  }
  return counts;
}

function decideOrder(texts: string[]): Detected<DateFormat> & { ambiguous: boolean } {
  const { onlyDmy, onlyMdy, example, weekend } = countOrders(texts);
  if (onlyDmy + onlyMdy > 0) {
    const value = onlyDmy >= onlyMdy ? 'dmy' : 'mdy';
    const other = Math.min(onlyDmy, onlyMdy);
    const order = value === 'dmy' ? 'day first' : 'month first';
    return {
      value,
      confidence: other === 0 ? 'certain' : 'likely',
      evidence:
        other === 0
          ? `${onlyDmy + onlyMdy} sampled days such as ${example} can only be read ${order}.`
          : `${Math.max(onlyDmy, onlyMdy)} sampled days can only be read ${order}, ${other} only the other way.`,
      ambiguous: other > 0,
    };
  }
  const [fewer, more] = weekend.dmy <= weekend.mdy ? (['dmy', 'mdy'] as const) : (['mdy', 'dmy'] as const);
  if (weekend[fewer] === 0 && weekend[more] >= 2)
    return {
      value: fewer,
      confidence: 'likely',
      evidence: `Read ${fewer === 'dmy' ? 'day' : 'month'} first no sampled day is on a weekend, the other way ${weekend[more]} are.`,
      ambiguous: false,
    };
  const value = texts[0]?.includes('.') ? 'dmy' : 'mdy';
  return {
    value,
    confidence: 'assumed',
    evidence: `Every sampled day can be read day first and month first; ${value === 'dmy' ? 'day' : 'month'} first is assumed.`,
    ambiguous: true,
  };
}

function isWeekend(day: number): boolean {
  // 1970-01-01 was a Thursday, so Saturday and Sunday are 2 and 3.
  const weekday = ((day % 7) + 7) % 7;
  return weekday === 2 || weekday === 3;
}
