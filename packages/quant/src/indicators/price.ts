import { factory, perBar, talib } from './factory.ts';

/** TA-Lib AVGPRICE: (open + high + low + close) / 4. */
export const avgprice = factory({
  name: 'avgprice',
  title: 'Average price',
  family: 'price',
  unit: 'price',
  inputs: ['open', 'high', 'low', 'close'],
  reference: talib('AVGPRICE'),
  machine: () =>
    perBar(0, ({ open, high, low, close }, from, to, y) => {
      for (let i = from; i < to; i++) y[i - from] = (high[i]! + low[i]! + close[i]! + open[i]!) / 4;
    }),
});

/** TA-Lib MEDPRICE: (high + low) / 2. */
export const medprice = factory({
  name: 'medprice',
  title: 'Median price',
  family: 'price',
  unit: 'price',
  inputs: ['high', 'low'],
  reference: talib('MEDPRICE'),
  machine: () =>
    perBar(0, ({ high, low }, from, to, y) => {
      for (let i = from; i < to; i++) y[i - from] = (high[i]! + low[i]!) / 2;
    }),
});

/** TA-Lib TYPPRICE: (high + low + close) / 3. */
export const typprice = factory({
  name: 'typprice',
  title: 'Typical price',
  family: 'price',
  unit: 'price',
  inputs: ['high', 'low', 'close'],
  reference: talib('TYPPRICE'),
  machine: () =>
    perBar(0, ({ high, low, close }, from, to, y) => {
      for (let i = from; i < to; i++) y[i - from] = (high[i]! + low[i]! + close[i]!) / 3;
    }),
});

/** TA-Lib WCLPRICE: (high + low + 2 close) / 4. */
export const wclprice = factory({
  name: 'wclprice',
  title: 'Weighted close price',
  family: 'price',
  unit: 'price',
  inputs: ['high', 'low', 'close'],
  reference: talib('WCLPRICE'),
  machine: () =>
    perBar(0, ({ high, low, close }, from, to, y) => {
      for (let i = from; i < to; i++) y[i - from] = (high[i]! + low[i]! + close[i]! * 2) / 4;
    }),
});

/** Heikin-Ashi bars (Valcu, Stocks & Commodities 22:2, 2004): the open is the middle of the bar before, and starts with its own. */
export const heikinAshi = factory({
  name: 'heikin_ashi',
  title: 'Heikin-Ashi bars',
  family: 'price',
  unit: 'price',
  inputs: ['open', 'high', 'low', 'close'],
  outputs: ['open', 'high', 'low', 'close'],
  reference: talib('HA'),
  machine: () => ({
    warmUp: 0,
    // The open halves what it remembers with each bar.
    memory: { kind: 'recursive', settle: 26 },
    stateSize: 2,
    advance({ open, high, low, close }, from, to, state, out) {
      const yOpen = out[0]!;
      const yHigh = out[1]!;
      const yLow = out[2]!;
      const yClose = out[3]!;
      let lastOpen = state[0]!;
      let lastClose = state[1]!;
      for (let i = from; i < to; i++) {
        const k = i - from;
        const o = i === 0 ? (open[0]! + close[0]!) / 2 : (lastOpen + lastClose) / 2;
        const c = (open[i]! + high[i]! + low[i]! + close[i]!) / 4;
        yOpen[k] = o;
        yHigh[k] = Math.max(high[i]!, o, c);
        yLow[k] = Math.min(low[i]!, o, c);
        yClose[k] = c;
        lastOpen = o;
        lastClose = c;
      }
      state[0] = lastOpen;
      state[1] = lastClose;
    },
  }),
});
