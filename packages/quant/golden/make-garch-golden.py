"""Writes garch-golden.json: what `arch` finds on the S&P 500 of its own documentation, and on a series made here.

Run with arch installed: python make-garch-golden.py DATA_FOLDER > garch-golden.json
The file of the index is not part of this repository; parameters and log-likelihoods are numbers computed here.
"""
import json, platform, sys
import arch, numpy as np, pandas as pd

folder = sys.argv[1]
file = "indices_etfs/sp500_index_daily_1999_2018_arch.csv.gz"
index = 100 * pd.read_csv(f"{folder}/{file}")["adj_close"].pct_change().dropna()

n = 1500
random = np.random.default_rng(20260)
h, e, synthetic = 1.0, 0.0, []
for _ in range(n):
    h = 0.02 + (0.03 + (0.12 if e < 0 else 0.0)) * e * e + 0.89 * h
    e = np.sqrt(h) * random.standard_t(7) * np.sqrt(5 / 7)
    synthetic.append(round(0.04 + e, 6))


def fitted(returns, o, dist):
    fit = arch.arch_model(returns, mean="Constant", vol="GARCH", p=1, o=o, q=1, dist=dist).fit(disp="off", options={"maxiter": 1000, "ftol": 1e-12})
    names = {"mu": "mu", "omega": "omega", "alpha[1]": "alpha", "gamma[1]": "gamma", "beta[1]": "beta", "nu": "nu"}
    parameters = {names[key]: float(value) for key, value in fit.params.items()}
    parameters.setdefault("gamma", 0.0)
    parameters.setdefault("nu", None)
    return {
        "leverage": o == 1,
        "distribution": "normal" if dist == "normal" else "student_t",
        "parameters": parameters,
        "logLikelihood": float(fit.loglikelihood),
    }


def all_of(returns):
    return [fitted(returns, o, dist) for o in (0, 1) for dist in ("normal", "t")]


print(json.dumps({
    "source": "computed by make-garch-golden.py",
    "versions": {"python": platform.python_version(), "numpy": np.__version__, "arch": arch.__version__},
    "convention": "constant mean, default backcast; returns in percent",
    "index": {"file": file, "returns": "100 x percent change of adj_close", "n": len(index), "fits": all_of(index)},
    "synthetic": {"returns": synthetic, "fits": all_of(pd.Series(synthetic))},
}))
