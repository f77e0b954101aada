"""Writes watching.json: reference values for drift and experiments.

Run with numpy, scipy and statsmodels installed: python make-watching.py > watching.json
Inputs come from formulas and a seed, and are stored with the values.
"""
import json, platform
import numpy as np, scipy, statsmodels, statsmodels.api as sm
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import NormalIndPower

rng = np.random.default_rng(12)
n = 180
shock = rng.standard_t(6, n + 4)
losses = 0.01 + 0.02 * np.array([shock[t:t + 5].sum() for t in range(n)]) / np.sqrt(5)


def long_run(values, horizon):
    """Flat-top autocovariances, never less than the triangle, straight from the definition."""
    n = len(values)
    flat = max(horizon, int(np.floor(n ** (1 / 3) / 2)) + 1)
    last = min(n - 1, 2 * flat - 1)
    d = values - values.mean()
    gamma = [float(np.sum(d[k:] * d[:n - k]) / n) for k in range(last + 1)]
    top = gamma[0] + 2 * sum(min(1, (2 * flat - k) / flat) * gamma[k] for k in range(1, last + 1))
    fit = sm.OLS(values, np.ones((n, 1))).fit(cov_type="HAC", cov_kwds={"maxlags": last, "use_correction": False})
    triangle = float(fit.bse[0] ** 2 * n)
    return {"horizon": horizon, "top": top, "triangle": triangle, "deviation": float(np.sqrt(max(top, triangle, gamma[0])))}


def bound(sessions, tightest, level, horizon):
    price = -2 * np.log(level)
    spread = sessions * (price + np.log(price) + 1) / tightest
    b = np.sqrt(2 * (spread + 1) / spread * np.log(np.sqrt(spread + 1) / level))
    degrees = sessions / (4 / 3 * max(horizon, sessions ** (1 / 3) / 2 + 1)) - 1
    return {"sessions": sessions, "tightestAt": tightest, "level": level, "horizon": horizon,
            "value": float(-stats.t.ppf(stats.norm.cdf(-b), degrees))}


probabilities = np.round(rng.beta(2, 3, 40), 4)
outcomes = (rng.random((20000, 40)) < probabilities).astype(float)
brier = ((outcomes - probabilities) ** 2).mean(axis=1)
p_values = np.round(rng.random(9) ** 3, 6)
z = stats.norm.ppf
print(json.dumps({
    "tool": f"numpy {np.__version__}, scipy {scipy.__version__}, statsmodels {statsmodels.__version__}, Python {platform.python_version()}",
    "losses": losses.tolist(),
    "longRun": [long_run(losses, h) for h in (1, 5, 10)],
    "bounds": [bound(*case) for case in ((30, 250, 0.05, 1), (60, 250, 0.05, 5), (250, 250, 0.05, 5), (250, 250, 0.01, 1), (900, 250, 0.05, 21))],
    "hitRate": [{"rate": p, "known": q, "exact": float(((z(0.95) * np.sqrt(q * (1 - q)) + z(0.8) * np.sqrt(p * (1 - p))) / (p - q)) ** 2)}
                for p, q in ((0.65, 0.5), (0.55, 0.53), (0.53, 0.5), (0.65, 0.534), (0.65, 0.63))],
    "oneLook": {"effect": 0.3, "deviation": 1.2, "sessions": float(NormalIndPower(ddof=0).solve_power(
        effect_size=0.3 / 1.2, alpha=0.05, power=0.8, ratio=0, alternative="larger"))},
    "estimate": {"probabilities": probabilities.tolist(), "logLoss": float(stats.bernoulli(probabilities).entropy().mean()),
                 "brier": float(brier.mean()), "brierDeviation": float(brier.std())},
    "holm": {"pValues": p_values.tolist(), "adjusted": multipletests(p_values, method="holm")[1].tolist()},
}))
