import type { Measured, Reason } from '@touchstone/contracts/market';
import type { Answer } from '@touchstone/contracts/route';
import {
  computePortfolioRisk,
  type DrawdownReading,
  getDrawdown,
  getValueAtRisk,
  getVolatility,
  type ValueAtRiskReading,
  type VolatilityReading,
} from '@touchstone/contracts/volatility';
import { type Call, type Command, TIME_OPTIONS, timesOf, UsageError } from '../command.ts';
import { instrumentId } from '../look-up.ts';
import { facts, number, percent, table } from '../render.ts';
import { SUBJECT_OPTIONS, subjectOf } from '../subject.ts';

export const volatilityCommands: Command[] = [
  {
    name: 'volatility',
    summary: 'Volatility forecasts of an instrument or index, with intervals and how the models compare',
    args: ['SUBJECT'],
    options: { ...SUBJECT_OPTIONS, ...TIME_OPTIONS },
    example: 'volatility ALDR',
    async run(call) {
      const answer = await call.client.call(getVolatility, { params: await subjectOf(call), query: timesOf(call) });
      return { json: answer, text: `${heading(answer)}${volatilityText(answer)}` };
    },
  },
  {
    name: 'drawdown',
    summary: 'Calibrated probability of touching 5 % below the last close within 21 sessions',
    args: ['SUBJECT'],
    options: { ...SUBJECT_OPTIONS, ...TIME_OPTIONS },
    example: 'drawdown ALDR',
    async run(call) {
      const answer = await call.client.call(getDrawdown, { params: await subjectOf(call), query: timesOf(call) });
      return { json: answer, text: `${heading(answer)}${drawdownText(answer)}` };
    },
  },
  {
    name: 'value-at-risk',
    summary: 'Value at risk and expected shortfall of the next session, by method, with their tests',
    args: ['SUBJECT'],
    options: { ...SUBJECT_OPTIONS, ...TIME_OPTIONS },
    example: 'value-at-risk ALDR --as-of 2026-01-15',
    async run(call) {
      const answer = await call.client.call(getValueAtRisk, { params: await subjectOf(call), query: timesOf(call) });
      return { json: answer, text: `${heading(answer)}${valueAtRiskText(answer)}` };
    },
  },
  {
    name: 'portfolio-risk',
    summary: 'The same forecasts for weights over instruments: hypothetical',
    args: ['SYMBOL=WEIGHT…'],
    options: TIME_OPTIONS,
    example: 'portfolio-risk ALDR=0.6 BRIM=0.4',
    async run(call) {
      const holdings = await holdingsOf(call);
      const answer = await call.client.call(computePortfolioRisk, { body: { holdings, ...timesOf(call) } });
      return { json: answer, text: portfolioText(answer) };
    },
  },
];

async function holdingsOf(call: Call): Promise<{ instrumentId: number; weight: number }[]> {
  const holdings: { instrumentId: number; weight: number }[] = [];
  for (const word of call.args) {
    const [, symbol, weight] = /^(.+)=(-?\d+(?:\.\d+)?)$/.exec(word) ?? [];
    if (symbol === undefined) throw new UsageError(`A holding is SYMBOL=WEIGHT, like ALDR=0.6; was "${word}".`);
    holdings.push({ instrumentId: await instrumentId(call, symbol), weight: Number(weight) });
  }
  return holdings;
}

function heading({
  subject,
  time,
  lastDay,
  barCount,
}: Answer<typeof getVolatility> | Answer<typeof getDrawdown> | Answer<typeof getValueAtRisk>): string {
  return facts([
    ['subject', subject.symbol ?? subject.name],
    ['as of', time.asOf],
    ['known at', time.knownAt],
    ['last session', lastDay],
    ['sessions', barCount],
  ]);
}

function volatilityText({ reason, proxy, forecasts, comparison }: VolatilityReading): string {
  if (reason) return why(reason);
  const about = facts([
    ['measured by', proxy.name?.replaceAll('_', ' ')],
    ['note', proxy.note],
  ]);
  const forecastTable = table(
    forecasts,
    [
      { title: 'SESSIONS', value: (row) => row.horizon, right: true },
      { title: 'FORECAST A YEAR', value: (row) => percent(row.volatilityAnnual), right: true },
      { title: '90 % INTERVAL', value: (row) => `${percent(row.low)} to ${percent(row.high)}` },
      { title: 'EWMA', value: (row) => percent(row.baseline), right: true },
      { title: 'GAIN OVER EWMA', value: (row) => measuredText(row.gain) },
      { title: 'PAST COVERAGE', value: (row) => measuredText(row.coverage) },
      { title: 'MODELS', value: (row) => row.models.join(', '), whole: true },
      { title: 'REASON', value: (row) => row.reason?.sentence ?? '', whole: true },
    ],
    'There is no forecast.',
  );
  const comparisonTable = table(
    comparison,
    [
      { title: 'SESSIONS', value: (row) => row.horizon, right: true },
      { title: 'MODEL', value: (row) => row.model },
      { title: 'MEAN QLIKE', value: (row) => row.meanLoss, right: true },
      { title: 'IN CONFIDENCE SET', value: (row) => row.inConfidenceSet },
      { title: 'P OF THE SET', value: (row) => row.confidenceSetP, right: true },
      { title: 'P AGAINST EWMA', value: (row) => row.dieboldMarianoP, right: true },
      { title: 'DAYS', value: (row) => row.dayCount, right: true },
    ],
    'No models were compared.',
  );
  return `${about}\n${forecastTable}\n${comparisonTable}`;
}

function drawdownText(reading: DrawdownReading): string {
  const { event, probability, low, high, baseRate, ewmaProbability, skill, gainOverEwma, reliability, reason } =
    reading;
  const about = facts([
    ['event', `a ${event.watches} ${percent(event.fall)} below the last close within ${event.sessions} sessions`],
    ['probability', percent(probability)],
    ['came to pass in its band', `${percent(low)} to ${percent(high)}`],
    ['base rate', percent(baseRate)],
    ['EWMA alone', percent(ewmaProbability)],
    ['skill over the base rate', measuredText(skill)],
    ['gain over EWMA alone', measuredText(gainOverEwma)],
  ]);
  const bands = table(
    reliability,
    [
      { title: 'TOLD', value: (row) => percent(row.forecastMean), right: true },
      { title: 'CAME', value: (row) => percent(row.realised), right: true },
      { title: '95 % INTERVAL', value: (row) => `${percent(row.low)} to ${percent(row.high)}` },
      { title: 'DAYS', value: (row) => row.count, right: true },
    ],
    'Too few past forecasts for a table of reliability.',
  );
  return `${reason ? why(reason) : ''}${about}\n${bands}`;
}

function valueAtRiskText({ reason, measures }: ValueAtRiskReading): string {
  if (reason) return why(reason);
  return table(
    measures,
    [
      { title: 'METHOD', value: (row) => row.method },
      { title: 'LEVEL', value: (row) => percent(row.level), right: true },
      { title: 'VALUE AT RISK', value: (row) => percent(row.valueAtRisk), right: true },
      { title: 'SHORTFALL', value: (row) => percent(row.expectedShortfall), right: true },
      { title: 'BREACHES', value: (row) => percent(row.backtest.breachRate), right: true },
      { title: 'DAYS', value: (row) => row.backtest.dayCount, right: true },
      { title: 'KUPIEC P', value: (row) => row.backtest.kupiecP, right: true },
      { title: 'CHRISTOFFERSEN P', value: (row) => row.backtest.conditionalCoverageP, right: true },
      { title: 'REASON', value: (row) => row.reason?.sentence ?? '', whole: true },
    ],
    'There is no value at risk.',
  );
}

function portfolioText(answer: Answer<typeof computePortfolioRisk>): string {
  const about = facts([
    ['label', answer.label],
    ['holdings', answer.holdings.map(({ symbol, weight }) => `${symbol} ${percent(weight)}`).join(', ')],
    ['as of', answer.time.asOf],
    ['shared sessions', answer.barCount],
    ['last session', answer.lastDay],
    ['left out', answer.note],
  ]);
  return [
    about,
    `Volatility\n${volatilityText(answer.volatility)}`,
    `Drawdown\n${drawdownText(answer.drawdown)}`,
    `Value at risk\n${valueAtRiskText(answer.valueAtRisk)}`,
  ].join('\n');
}

function measuredText({ value, low, high, sampleCount, trialCount, reason }: Measured): string {
  if (value === null || low === null || high === null) return reason?.sentence ?? '–';
  return `${percent(value)} (${percent(low)} to ${percent(high)}; ${number(sampleCount)} days, ${trialCount} tried)`;
}

function why(reason: Reason): string {
  return `Nothing can be told: ${reason.sentence}\n`;
}
