"""Reference values for packages/quant/src/stats, made with SciPy, statsmodels, scikit-learn and pandas.

Usage, with those installed: python make-statistics-golden.py > statistics-golden.json
The inputs come from a seed and are stored beside the results, so that no data file is needed.
"""
import json, platform, warnings
import numpy as np, pandas as pd, scipy, sklearn, statsmodels, statsmodels.api as sm
from scipy import special, stats
from sklearn.covariance import ledoit_wolf, oas
from statsmodels.stats.diagnostic import acorr_ljungbox, het_arch
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.tsa.stattools import acf, adfuller, coint, kpss, pacf

warnings.simplefilter("ignore")
rng = np.random.default_rng(20260115)
n = 240


def rounded(values):
    """What is stored is what was used."""
    return np.round(values, 6)


shock = rng.standard_normal(n) * (1 + 0.8 * (np.arange(n) % 60 > 40))
noise = rounded(shock)
stationary = rounded(np.array([0.0] * n))
for t in range(1, n):
    stationary[t] = round(0.6 * stationary[t - 1] + noise[t], 6)
walk = rounded(np.cumsum(rng.standard_normal(n)) + 50)
trending = rounded(0.05 * np.arange(n) + stationary)
tied = rounded(1.5 + 0.8 * walk + stationary)
second = rounded(np.cumsum(rng.standard_normal(n)) + 20)
returns = rounded(0.01 * (rng.standard_normal((90, 1)) * [1, 0.5, 1.5, 0.8] + rng.standard_normal((90, 4)) * [1, 2, 1, 3]))
gaps = returns.copy()
gaps[3, 1] = gaps[40, 2] = gaps[89, 0] = np.nan
coarse = np.round(noise[:80], 0)
other = np.round(stationary[:80] + noise[:80], 0)
series = {"noise": noise, "stationary": stationary, "walk": walk, "trending": trending}


X = np.column_stack([np.ones(n), walk, noise])


def fit(name, **settings):
    f = sm.OLS(stationary, X).fit(use_t=True, **settings)
    return {"name": name, "coefficients": f.params, "standardErrors": f.bse, "t": f.tvalues, "pValues": f.pvalues,
            "rSquared": f.rsquared, "adjustedRSquared": f.rsquared_adj}


def adf(name, deterministic, **settings):
    r = adfuller(series[name], regression=deterministic, result_object=True, **settings)
    return {"series": name, "deterministic": deterministic, "lags": settings.get("maxlag") if settings.get("autolag", 1) is None else None,
            "lagMax": settings.get("maxlag") if settings.get("autolag", 1) is not None else None,
            "statistic": r.statistic, "pValue": r.pvalue, "usedLags": r.lags, "rowCount": r.nobs,
            "critical": [r.critical_values[k] for k in ("1%", "5%", "10%")]}


def stationarity(name, deterministic, lags):
    r = kpss(series[name], regression=deterministic, nlags=lags, result_object=True)
    return {"series": name, "deterministic": deterministic, "lags": {"auto": "automatic", "legacy": "schwert"}.get(lags, lags),
            "statistic": r.statistic, "pValue": r.pvalue, "usedLags": r.lags}


def cointegration(y, x, **settings):
    r = coint(y, x, **settings)
    return {"statistic": r[0], "pValue": r[1], "critical": r[2], "lags": settings.get("maxlag") if settings.get("autolag", 1) is None else None}


def portmanteau(name, lags):
    box = acorr_ljungbox(series[name], lags=[lags])
    arch = het_arch(series[name], nlags=lags)
    return {"series": name, "lags": lags, "ljungBox": [box.lb_stat.iloc[0], box.lb_pvalue.iloc[0]], "archLm": [arch[0], arch[1]]}


def constant_correlation(values):
    """The formulas of Ledoit and Wolf's appendix B, element by element."""
    x = values - values.mean(axis=0)
    T, N = x.shape
    S = x.T @ x / T
    s = np.sqrt(np.diag(S))
    r = sum(S[i, j] / s[i] / s[j] for i in range(N) for j in range(N) if i != j) / (N * (N - 1))
    F = np.array([[S[i, i] if i == j else r * s[i] * s[j] for j in range(N)] for i in range(N)])
    pi = np.array([[np.mean((x[:, i] * x[:, j] - S[i, j]) ** 2) for j in range(N)] for i in range(N)])
    theta = lambda i, j: np.mean((x[:, i] ** 2 - S[i, i]) * (x[:, i] * x[:, j] - S[i, j]))
    rho = np.trace(pi) + sum(r / 2 * (s[j] / s[i] * theta(i, j) + s[i] / s[j] * theta(j, i)) for i in range(N) for j in range(N) if i != j)
    weight = max(0.0, min(1.0, (pi.sum() - rho) / ((F - S) ** 2).sum() / T))
    return weight, weight * F + (1 - weight) * S


def distribution(name, made, parameters, points):
    shares = [1e-12, 1e-4, 0.025, 0.3, 0.5, 0.6, 0.9, 0.999]
    return {"name": name, "parameters": parameters,
            "points": [[x, made.pdf(x), made.cdf(x), made.sf(x)] for x in points],
            "quantiles": [[p, made.ppf(p)] for p in shares]}


positive = [1e-6, 0.01, 0.5, 1, 2.5, 10, 40, 120]
distributions = (
    [distribution("student", stats.t(d), [d], [-40, -8, -2, -0.1, 0, 1e-3, 1, 3, 12]) for d in (1, 2.5, 7, 30, 1200)]
    + [distribution("chiSquared", stats.chi2(d), [d], positive) for d in (1, 2, 5, 30, 900)]
    + [distribution("gamma", stats.gamma(a, scale=b), [a, b], positive) for a, b in ((0.1, 1), (2, 0.5), (50, 1))]
    + [distribution("fisher", stats.f(a, b), [a, b], positive) for a, b in ((1, 4), (2, 10), (6, 1503), (40, 25))]
    + [distribution("beta", stats.beta(a, b), [a, b], [1e-6, 0.01, 0.2, 0.5, 0.9, 0.9999]) for a, b in ((0.5, 0.5), (2, 5), (90, 11), (1000, 900))]
)
p_values = rounded(rng.uniform(0, 1, 12) ** 3)
shifted = rounded(noise[:60] * 1.3 + 0.4)
lw, lw_weight = ledoit_wolf(returns)
oa, oa_weight = oas(returns)
cc_weight, cc = constant_correlation(returns)
full = ~np.isnan(gaps).any(axis=1)
gap_lw, gap_weight = ledoit_wolf(gaps[full])


def ewm(values, half_life):
    return pd.DataFrame(values).ewm(halflife=half_life).cov().iloc[-values.shape[1]:].values


result = {
    "source": "computed by make-statistics-golden.py",
    "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__, "pandas": pd.__version__,
                 "statsmodels": statsmodels.__version__, "scikit-learn": sklearn.__version__},
    "series": series, "tied": tied, "second": second, "returns": returns, "gaps": gaps, "coarse": coarse, "other": other,
    "ols": [fit("classical"), fit("HC1", cov_type="HC1"),
            fit("HAC", cov_type="HAC", cov_kwds={"maxlags": 6, "use_correction": False}),
            fit("HAC corrected", cov_type="HAC", cov_kwds={"maxlags": 6, "use_correction": True})],
    "adf": [adf(s, d) for s in series for d in ("n", "c", "ct")]
           + [adf("walk", d, maxlag=5, autolag=None) for d in ("n", "c", "ct")] + [adf("stationary", "c", maxlag=3)],
    "kpss": [stationarity(s, d, l) for s in ("noise", "walk", "trending") for d in ("c", "ct") for l in ("auto", "legacy", 4)],
    "cointegration": [cointegration(tied, walk), cointegration(tied, walk, maxlag=5, autolag=None),
                      cointegration(tied, second), cointegration(tied, np.column_stack([walk, second]))],
    "portmanteau": [portmanteau(s, l) for s in ("noise", "stationary") for l in (1, 5, 12)],
    "acf": acf(stationary, nlags=8, fft=False), "pacf": pacf(stationary, nlags=8, method="ywm"),
    "jarqueBera": list(stats.jarque_bera(noise)),
    "ledoitWolf": [lw_weight, lw], "oas": [oa_weight, oa], "constantCorrelation": [cc_weight, cc], "ledoitWolfGaps": [gap_weight, gap_lw],
    "ewm": ewm(returns, 12), "ewmGaps": ewm(gaps, 12),
    "distributions": distributions,
    "logGamma": [[x, special.gammaln(x)] for x in (1e-8, 0.1, 0.5, 1, 2, 3.7, 12, 80.5, 1e4, 1e9)],
    "intervals": [[k, m, c, *proportion_confint(k, m, 1 - c, "beta"), *proportion_confint(k, m, 1 - c, "wilson")]
                  for k, m, c in ((0, 10, 0.95), (3, 10, 0.95), (10, 10, 0.9), (57, 100, 0.99), (480, 1000, 0.95))],
    "spearman": list(stats.spearmanr(coarse, other)), "kendall": list(stats.kendalltau(coarse, other, method="asymptotic")),
    "spearmanWalks": list(stats.spearmanr(walk, second)), "kendallWalks": list(stats.kendalltau(walk, second, method="asymptotic")),
    "shifted": shifted,
    "kolmogorovSmirnov": list(stats.ks_2samp(noise[:50], shifted, method="exact"))[:2],
    "kolmogorov": [[x, stats.kstwobign.sf(x)] for x in (0.1, 0.4, 0.9, 1, 1.1, 1.6, 3)],
    "pValues": p_values,
    "adjusted": {"benjaminiHochberg": multipletests(p_values, method="fdr_bh")[1], "benjaminiYekutieli": multipletests(p_values, method="fdr_by")[1],
                 "holm": multipletests(p_values, method="holm")[1]},
}


def convert(value):
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, dict):
        return {k: convert(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [convert(v) for v in value]
    if isinstance(value, (int, np.integer)):
        return int(value)
    value = float(value)
    return value if np.isfinite(value) else (None if np.isnan(value) else str(value))


print(json.dumps(convert(result)))
