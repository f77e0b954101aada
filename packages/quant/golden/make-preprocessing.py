"""Writes preprocessing.json: scalers, fractional weights and the search for d, by scikit-learn, SciPy and statsmodels.

Run with numpy, scipy, scikit-learn and statsmodels installed: python make-preprocessing.py > preprocessing.json
"""
import json, platform
import numpy as np, scipy, sklearn, statsmodels
from scipy.special import binom
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from statsmodels.tsa.stattools import adfuller

rng = np.random.default_rng(5)
training = np.round(np.column_stack([100 + rng.normal(size=40), rng.standard_t(3, 40), np.exp(rng.normal(size=40))]), 4)
later = np.round(np.column_stack([100 + 3 * rng.normal(size=8), rng.standard_t(3, 8), np.exp(rng.normal(size=8))]), 4)
low, high = np.quantile(training, 0.05, axis=0), np.quantile(training, 0.95, axis=0)
scaled = {
    "standard": StandardScaler().fit(training).transform(later),
    "robust": RobustScaler().fit(training).transform(later),
    "min-max": MinMaxScaler().fit(training).transform(later),
    "winsor": np.clip(later, low, high),
}

walk = np.round(np.cumsum(0.01 * rng.normal(size=700)) + 4.6, 6)
THRESHOLD = 1e-3


def weights(d):
    k = np.arange(3000)
    w = (-1.0) ** k * binom(d, k)
    below = np.flatnonzero(np.abs(w) < THRESHOLD)
    return w[: below[0]] if len(below) else w


def difference(d):
    return np.convolve(walk, weights(d), mode="valid")


search = []
for k in range(21):
    d = k / 20
    test = adfuller(difference(d), autolag="AIC", result_object=False)
    search.append([d, float(test[1])])
print(json.dumps({
    "source": "computed by make-preprocessing.py",
    "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__, "statsmodels": statsmodels.__version__},
    "columnCount": 3, "training": training.ravel().tolist(), "later": later.ravel().tolist(), "winsorShare": 0.05,
    "scaled": {name: values.ravel().tolist() for name, values in scaled.items()},
    "threshold": THRESHOLD, "walk": walk.tolist(),
    "weights": {str(d): weights(d).tolist() for d in (0.1, 0.4, 0.75)},
    "differenceTail": {str(d): difference(d)[-5:].tolist() for d in (0.1, 0.4, 0.75, 1.0)},
    "search": search,
}, separators=(",", ":")))
