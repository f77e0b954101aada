"""Writes stats-golden.json: reference values for the stats and evaluation kernels.

Run with numpy, scipy and statsmodels installed: python make-stats-golden.py > stats-golden.json
The input series is a fixed formula, so that no data file is needed.
"""
import json, platform
import numpy as np, scipy, statsmodels, statsmodels.api as sm
from scipy import stats

n = 300
t = np.arange(n)
x = 0.01 * np.sin(1.7 * t) + 0.004 * np.cos(0.31 * t * t) + 0.0005
e = 0.006 * np.sin(0.9 * t + 1) * (1 + 0.5 * np.sin(t / 40.0))
y = 0.0002 + 0.8 * x + e
X = np.column_stack([np.ones(n), x])


def hac(lags):
    fit = sm.OLS(y, X).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False})
    return {"lags": lags, "coefficients": fit.params.tolist(), "standardErrors": fit.bse.tolist(), "rSquared": fit.rsquared}


def hac_mean(lags):
    fit = sm.OLS(y, np.ones((n, 1))).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": False})
    return {"lags": lags, "variance": float(fit.bse[0] ** 2)}


probabilities = [0.0, 0.01, 0.05, 0.333, 0.5, 0.75, 0.99, 1.0]
points = [-37.0, -20.0, -8.0, -5.0, -3.0001, -2.9999, -1.0, -1e-3, 0.0, 0.5, 1.96, 2.5, 3.5, 6.0, 8.0]
print(json.dumps({
    "source": "computed by make-stats-golden.py",
    "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
    "n": n,
    "mean": float(np.mean(y)), "variance": float(np.var(y, ddof=1)),
    "skewness": float(stats.skew(y)), "excessKurtosis": float(stats.kurtosis(y)),
    "covariance": np.cov(np.column_stack([x, y]).T, ddof=1).ravel().tolist(),
    "quantiles": [[p, float(np.quantile(y, p))] for p in probabilities],
    "hacRegression": [hac(0), hac(5), hac(12)],
    "hacMean": [hac_mean(0), hac_mean(5), hac_mean(12)],
    "normalCdf": [[z, float(stats.norm.cdf(z))] for z in points],
    "normalQuantile": [[p, float(stats.norm.ppf(p))] for p in [1e-300, 1e-20, 1e-5, 0.025, 0.3, 0.5, 0.8, 0.975, 0.9999]],
}, indent=1))
