"""Writes alpha158.json: the 158 features of Alpha158 on three synthetic series, by the formulas of qlib's operators in pandas.

Run with numpy and pandas installed: python make-alpha158.py > alpha158.json
Windows must be full (qlib begins with one value), the volume-weighted price is replaced by (high + low + close) / 3, and a
denominator that is zero gives no value (qlib adds 1e-12 to it and gives a huge number or zero); all else is as there.
Sums and moments are taken window by window, so that the reference does not carry rounding from one window to the next.
"""
import json, platform
import numpy as np, pandas as pd

WINDOWS = [5, 10, 20, 30, 60]
EPS = 1e-12


def bars(seed, n, price, volatility, volume):
    rng = np.random.default_rng(seed)
    close = price * np.exp(np.cumsum(volatility * rng.standard_t(4, n)))
    open_ = close * np.exp(volatility * 0.4 * rng.normal(size=n))
    high = np.maximum(open_, close) * np.exp(volatility * 0.5 * np.abs(rng.normal(size=n)))
    low = np.minimum(open_, close) * np.exp(-volatility * 0.5 * np.abs(rng.normal(size=n)))
    traded = np.round(volume * np.exp(0.5 * rng.normal(size=n)))
    columns = {"open": open_, "high": high, "low": low, "close": close}
    return {name: np.round(x, 2).tolist() for name, x in columns.items()} | {"volume": traded.tolist()}


def features(b):
    o, h, l, c, v = (pd.Series(b[name], dtype=float) for name in ("open", "high", "low", "close", "volume"))
    span = (h - l).where(h != l)
    top, bottom = np.maximum(o, c), np.minimum(o, c)
    out = {
        "kmid": (c - o) / o, "klen": (h - l) / o, "kmid_2": (c - o) / (span + EPS),
        "kup": (h - top) / o, "kup_2": (h - top) / (span + EPS),
        "klow": (bottom - l) / o, "klow_2": (bottom - l) / (span + EPS),
        "ksft": (2 * c - h - l) / o, "ksft_2": (2 * c - h - l) / (span + EPS),
        "open_0": o / c, "high_0": h / c, "low_0": l / c, "vwap_0": (h + l + c) / 3 / c,
    }
    change, flow = c - c.shift(1), v - v.shift(1)
    ratio, log_volume = c / c.shift(1), np.log(v + 1)
    positive = v.where(v > 0)
    log_flow = np.log(v / positive.shift(1) + 1)
    weighted = (ratio - 1).abs() * v

    def roll(x, d, f):
        return x.rolling(d).apply(f, raw=True)

    def regression(y):
        x = np.arange(1, len(y) + 1.0)
        slope, intercept = np.polyfit(x - x.mean(), y - y.mean(), 1)
        residual = (y - y.mean()) - slope * (x - x.mean())
        return slope, residual[-1], residual @ residual, (y - y.mean()) @ (y - y.mean())

    def r_square(y):
        if np.isclose(np.std(y, ddof=1), 0, atol=2e-05):
            return np.nan
        x = np.arange(1, len(y) + 1.0)
        return np.corrcoef(x, y)[0, 1] ** 2

    def correlation(x, y, d):
        # rolling().corr() of pandas subtracts large numbers; its values agree with these to about 1e-10.
        values = np.full(len(x), np.nan)
        for i in range(d - 1, len(x)):
            a, b = x.values[i - d + 1 : i + 1], y.values[i - d + 1 : i + 1]
            if not (np.isfinite(a).all() and np.isfinite(b).all()):
                continue
            if np.isclose(a.std(ddof=1), 0, atol=2e-05) or np.isclose(b.std(ddof=1), 0, atol=2e-05):
                continue
            values[i] = np.corrcoef(a, b)[0, 1]
        return pd.Series(values)

    for d in WINDOWS:
        up, down = change.clip(lower=0).where(change.notna()), (-change).clip(lower=0).where(change.notna())
        flow_up, flow_down = flow.clip(lower=0).where(flow.notna()), (-flow).clip(lower=0).where(flow.notna())
        sums = lambda x: roll(x, d, np.sum)
        moved, flowed = sums(change.abs()), sums(flow.abs())
        moved, flowed = moved.where(moved > 0), flowed.where(flowed > 0)
        highest, lowest = h.rolling(d).max(), l.rolling(d).min()
        width = (highest - lowest).where(highest > lowest)
        at_high = h.rolling(d).apply(lambda x: x.argmax() + 1, raw=True)
        at_low = l.rolling(d).apply(lambda x: x.argmin() + 1, raw=True)
        full = c.rolling(d).count() == d
        rises = (change > 0).astype(float).where(change.notna())
        falls = (change < 0).astype(float).where(change.notna())
        mean_weighted = roll(weighted, d, np.mean)
        group = {
            "roc": c.shift(d) / c, "ma": roll(c, d, np.mean) / c, "std": roll(c, d, lambda x: np.std(x, ddof=1)) / c,
            "beta": roll(c, d, lambda y: regression(y)[0]) / c, "rsqr": roll(c, d, r_square),
            "resi": roll(c, d, lambda y: regression(y)[1]) / c, "max": highest / c, "min": lowest / c,
            "qtlu": c.rolling(d).quantile(0.8) / c, "qtld": c.rolling(d).quantile(0.2) / c,
            "rank": c.rolling(d).rank(pct=True), "rsv": (c - lowest) / (width + EPS),
            "imax": at_high / d, "imin": at_low / d, "imxd": (at_high - at_low) / d,
            "corr": correlation(c, log_volume, d), "cord": correlation(ratio, log_flow, d),
            "cntp": roll(rises, d, np.mean), "cntn": roll(falls, d, np.mean), "cntd": roll(rises - falls, d, np.mean),
            "sump": sums(up) / (moved + EPS), "sumn": sums(down) / (moved + EPS),
            "sumd": (sums(up) - sums(down)) / (moved + EPS),
            "vma": roll(v, d, np.mean) / (positive + EPS), "vstd": roll(v, d, lambda x: np.std(x, ddof=1)) / (positive + EPS),
            "wvma": roll(weighted, d, lambda x: np.std(x, ddof=1)) / (mean_weighted.where(mean_weighted > 0) + EPS),
            "vsump": sums(flow_up) / (flowed + EPS), "vsumn": sums(flow_down) / (flowed + EPS),
            "vsumd": (sums(flow_up) - sums(flow_down)) / (flowed + EPS),
        }
        out |= {f"{name}_{d}": values.where(full) for name, values in group.items()}
    return out


def series(name, b, rows):
    values = features(b)
    assert len(values) == 158
    told = {key: [None if not np.isfinite(x) else float(f"{x:.13g}") for x in column.iloc[rows]] for key, column in values.items()}
    return {"name": name, **b, "rows": rows, "values": told}


def with_halt(b):
    for i in range(70, 82):
        for name in ("open", "high", "low", "close"):
            b[name][i] = b["close"][69]
        b["volume"][i] = 0.0
    return b


if __name__ == "__main__":
    print(json.dumps({
        "source": "computed by make-alpha158.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "pandas": pd.__version__},
        "series": [
            series("calm", bars(1, 150, 100, 0.01, 2e6), list(range(60, 150, 7))),
            series("wild", bars(2, 150, 20, 0.05, 3e4), list(range(63, 150, 7))),
            series("halted", with_halt(bars(3, 150, 50, 0.02, 5e5)), list(range(68, 150, 6))),
        ],
    }, separators=(",", ":")))
