import type { IndicatorCatalogue } from '@touchstone/quant/expressions/compile-expression';
import { ALL_INDICATORS, INDICATOR_FACTORIES } from '@touchstone/quant/indicators/catalogue';
import type { Indicator } from '@touchstone/quant/indicators/indicator';

const outputs = new Map<string, { indicator: Indicator; output: number }>();
for (const indicator of ALL_INDICATORS)
  for (const [output, name] of indicator.outputs.entries()) outputs.set(name, { indicator, output });
const factories = new Map(INDICATOR_FACTORIES.map((factory) => [factory.name, factory]));

/** Every indicator of this program, by the names of its outputs, and every kind of indicator, for parameters of one's own. */
export const CATALOGUE: IndicatorCatalogue = {
  findOutput: (name) => outputs.get(name),
  outputNames: [...outputs.keys()],
  factoryNames: [...factories.keys()],
  make(name, given) {
    const factory = factories.get(name);
    if (factory === undefined) return undefined;
    const names = Object.keys(factory.parameters);
    if (given.length > names.length)
      throw new RangeError(`it takes at most ${names.length} numbers (${names.join(', ')}), was given ${given.length}`);
    return factory.make(Object.fromEntries(given.map((value, i) => [names[i]!, value])));
  },
};

export { ALL_INDICATORS };
