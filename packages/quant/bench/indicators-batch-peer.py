"""The work of indicators-batch.ts with TA-Lib's C and with pandas, on random bars of one instrument.

Usage: indicators-batch-peer.py BARS. Prints {"talib": {"name", "seconds": {function: s}}, "pandas": {"name", "seconds"}}:
the median of many runs for each TA-Lib function, and for all pandas columns together.
"""
import json, sys, time
import numpy as np, pandas as pd, talib

T = int(sys.argv[1])
rng = np.random.default_rng(1)
c = 80 * np.exp(np.cumsum(0.0002 + 0.013 * rng.standard_normal(T)))
o = np.r_[80.0, c[:-1]] * np.exp(0.004 * rng.standard_normal(T))
h = np.maximum(o, c) * np.exp(np.abs(0.006 * rng.standard_normal(T)))
l = np.minimum(o, c) * np.exp(-np.abs(0.006 * rng.standard_normal(T)))
v = np.round(1e6 * np.exp(0.5 * rng.standard_normal(T)))

functions = {
    "SMA": lambda: talib.SMA(c, 30), "EMA": lambda: talib.EMA(c, 30), "DEMA": lambda: talib.DEMA(c, 30),
    "TEMA": lambda: talib.TEMA(c, 30), "T3": lambda: talib.T3(c, 5), "WMA": lambda: talib.WMA(c, 30),
    "TRIMA": lambda: talib.TRIMA(c, 30), "KAMA": lambda: talib.KAMA(c, 30), "MAMA": lambda: talib.MAMA(c),
    "MIDPOINT": lambda: talib.MIDPOINT(c, 14), "MIDPRICE": lambda: talib.MIDPRICE(h, l, 14),
    "BBANDS": lambda: talib.BBANDS(c, 20, 2.0, 2.0), "ACCBANDS": lambda: talib.ACCBANDS(h, l, c, 20),
    "SAR": lambda: talib.SAR(h, l), "SAREXT": lambda: talib.SAREXT(h, l), "PLUS_DM": lambda: talib.PLUS_DM(h, l, 14),
    "MINUS_DM": lambda: talib.MINUS_DM(h, l, 14), "PLUS_DI": lambda: talib.PLUS_DI(h, l, c, 14),
    "MINUS_DI": lambda: talib.MINUS_DI(h, l, c, 14), "DX": lambda: talib.DX(h, l, c, 14),
    "ADX": lambda: talib.ADX(h, l, c, 14), "ADXR": lambda: talib.ADXR(h, l, c, 14), "AROON": lambda: talib.AROON(h, l, 14),
    "AROONOSC": lambda: talib.AROONOSC(h, l, 14), "MOM": lambda: talib.MOM(c, 10), "ROC": lambda: talib.ROC(c, 10),
    "ROCP": lambda: talib.ROCP(c, 10), "ROCR": lambda: talib.ROCR(c, 10), "ROCR100": lambda: talib.ROCR100(c, 10),
    "BOP": lambda: talib.BOP(o, h, l, c), "RSI": lambda: talib.RSI(c, 14), "CMO": lambda: talib.CMO(c, 14),
    "IMI": lambda: talib.IMI(o, c, 14), "CCI": lambda: talib.CCI(h, l, c, 14), "MACD": lambda: talib.MACD(c, 12, 26, 9),
    "MACDFIX": lambda: talib.MACDFIX(c, 9), "MACDEXT": lambda: talib.MACDEXT(c), "APO": lambda: talib.APO(c, 12, 26, 1),
    "PPO": lambda: talib.PPO(c, 12, 26, 1), "MFI": lambda: talib.MFI(h, l, c, v, 14), "STOCH": lambda: talib.STOCH(h, l, c),
    "STOCHF": lambda: talib.STOCHF(h, l, c), "STOCHRSI": lambda: talib.STOCHRSI(c), "TRIX": lambda: talib.TRIX(c, 30),
    "ULTOSC": lambda: talib.ULTOSC(h, l, c), "WILLR": lambda: talib.WILLR(h, l, c, 14), "TRANGE": lambda: talib.TRANGE(h, l, c),
    "ATR": lambda: talib.ATR(h, l, c, 14), "NATR": lambda: talib.NATR(h, l, c, 14), "AD": lambda: talib.AD(h, l, c, v),
    "ADOSC": lambda: talib.ADOSC(h, l, c, v, 3, 10), "OBV": lambda: talib.OBV(c, v), "AVGPRICE": lambda: talib.AVGPRICE(o, h, l, c),
    "MEDPRICE": lambda: talib.MEDPRICE(h, l), "TYPPRICE": lambda: talib.TYPPRICE(h, l, c), "WCLPRICE": lambda: talib.WCLPRICE(h, l, c),
    "HT_DCPERIOD": lambda: talib.HT_DCPERIOD(c), "HT_PHASOR": lambda: talib.HT_PHASOR(c), "HT_DCPHASE": lambda: talib.HT_DCPHASE(c),
    "HT_SINE": lambda: talib.HT_SINE(c), "HT_TRENDMODE": lambda: talib.HT_TRENDMODE(c), "HT_TRENDLINE": lambda: talib.HT_TRENDLINE(c),
    "STDDEV": lambda: talib.STDDEV(c, 5), "VAR": lambda: talib.VAR(c, 5), "LINEARREG": lambda: talib.LINEARREG(c, 14),
    "LINEARREG_ANGLE": lambda: talib.LINEARREG_ANGLE(c, 14), "LINEARREG_INTERCEPT": lambda: talib.LINEARREG_INTERCEPT(c, 14),
    "LINEARREG_SLOPE": lambda: talib.LINEARREG_SLOPE(c, 14), "TSF": lambda: talib.TSF(c, 14), "CORREL": lambda: talib.CORREL(h, l, 30),
    "BETA": lambda: talib.BETA(h, l, 5), "AVGDEV": lambda: talib.AVGDEV(c, 14),
}

C, H, L, V = pd.Series(c), pd.Series(h), pd.Series(l), pd.Series(v)


def with_pandas():
    """What people write: rolling and ewm on Series, one column after the other."""
    change = C.diff()
    true_range = pd.concat([H - L, (H - C.shift()).abs(), (L - C.shift()).abs()], axis=1).max(axis=1)
    gain = change.clip(lower=0).ewm(alpha=1 / 14, adjust=False).mean()
    loss = (-change.clip(upper=0)).ewm(alpha=1 / 14, adjust=False).mean()
    mean, deviation = C.rolling(20).mean(), C.rolling(20).std(ddof=0)
    line = C.ewm(span=12, adjust=False).mean() - C.ewm(span=26, adjust=False).mean()
    top, bottom = H.rolling(14).max(), L.rolling(14).min()
    typical = (H + L + C) / 3
    flow = ((C - L - (H - C)) / (H - L)) * V
    return [C.rolling(30).mean(), C.ewm(span=30, adjust=False).mean(), C.pct_change(10), change, mean + 2 * deviation,
        mean - 2 * deviation, line, line.ewm(span=9, adjust=False).mean(), 100 * gain / (gain + loss),
        true_range.ewm(alpha=1 / 14, adjust=False).mean(), 100 * (C - bottom) / (top - bottom), -100 * (top - C) / (top - bottom),
        (typical - typical.rolling(14).mean()) / (0.015 * typical.rolling(14).apply(lambda x: np.abs(x - x.mean()).mean(), raw=True)),
        H.rolling(20).max(), L.rolling(20).min(), flow.cumsum(), flow.rolling(20).sum() / V.rolling(20).sum(),
        (np.sign(change).fillna(0) * V).cumsum(), np.log(C / C.shift()).rolling(21).std(), C / C.rolling(252).max() - 1]


def median(function, runs):
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return sorted(seconds)[runs // 2]


print(json.dumps({
    "talib": {"name": f"TA-Lib {talib.__version__}", "seconds": {name: median(function, 60) for name, function in functions.items()}},
    "pandas": {"name": f"pandas {pd.__version__}", "seconds": median(with_pandas, 9)},
}))
