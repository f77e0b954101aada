"""Writes talib-golden.json: TA-Lib's indicators on seeded bars, for the parity test of the indicators.

Run with numpy and TA-Lib installed: python make-talib.py > talib-golden.json
Bars are a random walk with volume, rounded as prices are. To stay small, only some rows are kept of each output: the
first three that are defined, and every ninth. A missing value is null.
"""
import json
import numpy as np, talib
from talib import abstract

T, STEP = 400, 9
rng = np.random.default_rng(20260115)
close = np.round(80 * np.exp(np.cumsum(0.0003 + 0.016 * rng.standard_t(5, T) / np.sqrt(5 / 3))), 2)
open_ = np.round(np.r_[80.0, close[:-1]] * np.exp(0.004 * rng.standard_normal(T)), 2)
high = np.round(np.maximum(open_, close) * (1 + np.abs(0.006 * rng.standard_normal(T))), 2)
low = np.round(np.minimum(open_, close) * (1 - np.abs(0.006 * rng.standard_normal(T))), 2)
volume = np.round(2e6 * np.exp(0.4 * rng.standard_normal(T)))
bars = {"open": open_, "high": high, "low": low, "close": close, "volume": volume}

calls = [("SMA", {"timeperiod": 30}), ("EMA", {"timeperiod": 30}), ("EMA", {"timeperiod": 10}), ("RMA", {"timeperiod": 14}),
    ("DEMA", {"timeperiod": 30}), ("TEMA", {"timeperiod": 30}), ("T3", {"timeperiod": 5}), ("WMA", {"timeperiod": 30}),
    ("TRIMA", {"timeperiod": 30}), ("TRIMA", {"timeperiod": 15}), ("KAMA", {"timeperiod": 30}), ("MAMA", {}),
    ("MIDPOINT", {"timeperiod": 14}), ("MIDPRICE", {"timeperiod": 14}),
    ("BBANDS", {"timeperiod": 20, "nbdevup": 2.0, "nbdevdn": 2.0}), ("ACCBANDS", {"timeperiod": 20}), ("SAR", {}),
    ("SAREXT", {}), ("SAREXT", {"startvalue": -85.0, "offsetonreverse": 0.01, "accelerationinitlong": 0.03,
    "accelerationlong": 0.01, "accelerationmaxlong": 0.15, "accelerationinitshort": 0.01, "accelerationshort": 0.04,
    "accelerationmaxshort": 0.3}), ("HMA", {"timeperiod": 20}), ("VWMA", {"timeperiod": 20}), ("ZLEMA", {"timeperiod": 20}),
    ("KC", {"timeperiod": 20, "atrperiod": 10, "nbdev": 2.0}), ("DONCHIAN", {"timeperiod": 20}), ("SUPERTREND", {}),
    ("HT_TRENDLINE", {}), ("PLUS_DM", {}), ("MINUS_DM", {}), ("PLUS_DI", {}), ("MINUS_DI", {}), ("DX", {}), ("ADX", {}),
    ("ADXR", {}), ("AROON", {}), ("AROONOSC", {}), ("VORTEX", {}), ("MOM", {}), ("ROC", {}), ("ROCP", {}), ("ROCR", {}),
    ("ROCR100", {}), ("BOP", {}), ("RSI", {}), ("CMO", {}), ("CMOU", {}), ("IMI", {}), ("CCI", {}), ("MACD", {}),
    ("MACDFIX", {}), ("MACDEXT", {}), ("MACDEXT", {"fastmatype": 1, "slowmatype": 2, "signalmatype": 1}),
    ("APO", {"matype": 1}), ("APO", {"matype": 0}), ("PPO", {"matype": 1}), ("PPO", {"matype": 2}), ("PVO", {}), ("MFI", {}),
    ("STOCH", {}), ("STOCHF", {}), ("STOCHRSI", {}), ("TRIX", {}), ("ULTOSC", {}), ("WILLR", {}), ("AO", {}), ("ERI", {}),
    ("TSI", {}), ("COPPOCK", {}), ("DPO", {}), ("ER", {}), ("VHF", {}), ("QSTICK", {}), ("TRANGE", {}), ("ATR", {}),
    ("NATR", {}), ("ADR", {}), ("CVI", {}), ("MASSI", {}), ("RVI", {}), ("AD", {}), ("ADOSC", {}), ("OBV", {}), ("PVT", {}),
    ("NVI", {}), ("PVI", {}), ("CMF", {}), ("EFI", {}), ("RVOL", {}), ("MARKETFI", {}), ("AVGPRICE", {}), ("MEDPRICE", {}),
    ("TYPPRICE", {}), ("WCLPRICE", {}), ("HA", {}), ("HT_DCPERIOD", {}), ("HT_PHASOR", {}), ("HT_DCPHASE", {}), ("HT_SINE", {}),
    ("HT_TRENDMODE", {}), ("STDDEV", {}), ("VAR", {}), ("LINEARREG", {}), ("LINEARREG_ANGLE", {}), ("LINEARREG_INTERCEPT", {}),
    ("LINEARREG_SLOPE", {}), ("TSF", {}), ("CORREL", {}), ("BETA", {}), ("AVGDEV", {})]


def sampled(values, begin):
    rows = sorted({begin, begin + 1, begin + 2} | set(range(begin, T, STEP)) | {T - 1})
    return {str(r): (None if np.isnan(values[r]) else float(values[r])) for r in rows}


functions = []
for name, parameters in calls:
    function = abstract.Function(name, **parameters)
    result = function(bars)
    outputs = result if isinstance(result, list) else [result]
    functions.append({"name": name, "parameters": dict(function.parameters), "lookback": function.lookback,
        "outputs": dict(zip(function.output_names, [sampled(np.asarray(o, float), function.lookback) for o in outputs]))})

print(json.dumps({"source": "computed by make-talib.py", "versions": {"TA-Lib C": talib.__ta_version__.decode().split()[0],
    "TA-Lib Python": talib.__version__, "numpy": np.__version__}, "bars": {k: v.tolist() for k, v in bars.items()},
    "functions": functions}, separators=(",", ":")))
