"""Writes candles.json: what TA-Lib says of four synthetic series, for every candlestick function it has.

Run with numpy and TA-Lib installed: python make-candles.py > candles.json
Prices are whole cents in three series (so that levels tie, as they do on an exchange) and full doubles in one. Rare patterns
do not come up by themselves: the first series is a collage of windows in which a long random series shows each of them.
"""
import json, sys
import numpy as np, talib
from talib import abstract

NAMES = sorted(name for name in talib.get_functions() if name.startswith("CDL"))
LEAD, WANTED = 16, 2


def candles(seed, n, tick, gap):
    """Bars whose bodies, shadows and gaps come from mixtures of nothing, little and much."""
    rng = np.random.default_rng(seed)
    pick = lambda weights, sizes: rng.choice(sizes, n, p=weights) * rng.uniform(0.5, 1.5, n)
    run = np.where(rng.uniform(size=n) < 0.25, -1.0, 1.0)
    color = np.cumprod(run)
    body = pick([0.2, 0.4, 0.4], [0.02, 0.5, 2.0]) * color
    step = np.where(rng.uniform(size=n) < 0.3, 0.0, rng.normal(0, gap, n))
    upper = pick([0.4, 0.4, 0.2], [0.01, 0.3, 1.5])
    lower = pick([0.4, 0.4, 0.2], [0.01, 0.3, 1.5])
    open_, close, last = np.empty(n), np.empty(n), 100.0
    for i in range(n):
        open_[i] = last + step[i]
        close[i] = open_[i] + body[i]
        last = close[i] + 0.02 * (100.0 - close[i])
    high, low = np.maximum(open_, close) + upper, np.minimum(open_, close) - lower
    return [tick(x) for x in (open_, high, low, close)]


def cents(x):
    return np.round(x * 100) / 100


def tell(bars):
    return {name: getattr(talib, name)(*bars) for name in NAMES}


def find(seeds, n, wanted):
    """Windows of random series that show each value of each function, until all were seen or the seeds are used up."""
    seen, windows = {}, []
    for seed in seeds:
        bars = candles(seed, n, cents, 0.6 if seed % 2 else 1.5)
        for name, values in tell(bars).items():
            for value in np.unique(values[values != 0]):
                for i in np.flatnonzero(values == value):
                    if seen.get((name, value), 0) >= wanted:
                        break
                    if i < LEAD:
                        continue
                    seen[name, value] = seen.get((name, value), 0) + 1
                    windows.append([x[i - LEAD : i + 1] for x in bars])
    return seen, windows


def collage():
    seen, windows = find(range(1, 13), 400_000, WANTED)
    print(len(seen), "values of", len({name for name, _ in seen}), "functions", file=sys.stderr)
    return [np.concatenate([window[k] for window in windows]) for k in range(4)]


def with_halts(bars):
    """The same with stretches in which nothing is traded, and days of one price."""
    rng = np.random.default_rng(99)
    open_, high, low, close = (x.copy() for x in bars)
    for start in rng.integers(20, len(close) - 20, 12):
        length = int(rng.integers(1, 16))
        for x in (open_, high, low, close):
            x[start : start + length] = close[start - 1]
    return [open_, high, low, close]


def entry(name, bars, in_cents):
    columns = [np.round(x * 100).astype(int).tolist() if in_cents else x.tolist() for x in bars]
    if in_cents:
        bars = [np.array(x) / 100 for x in columns]
    bars = [np.ascontiguousarray(x, dtype=float) for x in bars]
    hits = {}
    for function, values in tell(bars).items():
        at = np.flatnonzero(values)
        # Pairs of gap to the hit before, and value: short in JSON.
        hits[function] = np.column_stack([np.diff(at, prepend=0), values[at]]).ravel().tolist()
    return {"name": name, "unit": 0.01 if in_cents else 1, "open": columns[0], "high": columns[1], "low": columns[2], "close": columns[3], "hits": hits}


series = [
    entry("collage", collage(), True),
    entry("cents", candles(21, 700, cents, 0.6), True),
    entry("halts", with_halts(candles(22, 700, cents, 0.6)), True),
    entry("doubles", candles(23, 300, lambda x: x, 0.6), False),
]
version = talib.__ta_version__.decode().split(" ")[0]
print(json.dumps({
    "source": "computed by make-candles.py",
    "versions": {"TA-Lib": version, "TA-Lib for Python": talib.__version__, "numpy": np.__version__},
    "lookback": {name: abstract.Function(name).lookback for name in NAMES},
    "series": series,
}, separators=(",", ":")))
