import { FORECAST_FEATURES } from '@touchstone/quant/evaluation/targets/features';
import type { IndicatorFamily } from '@touchstone/quant/indicators/indicator';
import { ALL_INDICATORS } from '../catalogue/catalogue.ts';
import type { ViewDefinition } from './feature-view.ts';

/**
 * The feature views of this program. Each holds the indicators of some families with their usual parameters; a change of
 * what a view holds raises its version. How old a value may be depends on what it is used for, so these never expire: every
 * answer says what day its values rest on and when that was known.
 */
export const BUILT_IN_VIEWS: readonly { definition: ViewDefinition; version: number }[] = [
  viewOf('trend', 1, ['overlap', 'price', 'cycle'], 'Where the price stands: averages, bands, channels and cycles.'),
  viewOf('momentum', 1, ['momentum'], 'How fast and how far the price has moved.'),
  viewOf('volatility', 1, ['volatility', 'statistic', 'risk'], 'How much the price moves about, and around what.'),
  viewOf('volume', 1, ['volume'], 'What was traded behind the moves.'),
  viewOf('candles', 1, ['candle'], 'Candlestick patterns: 100 bullish, −100 bearish, 0 none.'),
  viewOf('alpha158', 1, ['alpha158'], 'The 158 features of Qlib’s Alpha158.'),
  {
    definition: {
      ...{
        name: 'forecast',
        owner: 'touchstone',
        entity: 'instrument' as const,
        ttlDays: null,
        source: 'bars' as const,
      },
      description: 'What the models of this program look at: how much a price moves, and where it went.',
      features: FORECAST_FEATURES.map(({ name, expression }) => ({ name, expression })),
    },
    version: 1,
  },
].filter(({ definition }) => definition.features.length > 0);

function viewOf(name: string, version: number, families: readonly IndicatorFamily[], description: string) {
  const outputs = ALL_INDICATORS.filter(({ family }) => families.includes(family)).flatMap(({ outputs }) => outputs);
  const definition: ViewDefinition = {
    ...{ name, description, owner: 'touchstone', entity: 'instrument', ttlDays: null, source: 'bars' },
    features: outputs.map((output) => ({ name: output, expression: output })),
  };
  return { definition, version };
}
