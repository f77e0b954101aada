"""Writes volatility-golden.json: digamma from scipy, and a model confidence set of arch.

Run with scipy and arch installed: python make-volatility-golden.py > volatility-golden.json
"""
import json, platform
import arch, numpy as np, scipy
from arch.bootstrap import MCS
from scipy import special

points = [0.1, 0.5, 1.0, 1.5, 2.0, 3.7, 9.9, 10.0, 25.5, 300.0]

n = 600
t = np.arange(n)
shared = 1 + 0.5 * np.sin(0.13 * t) + 0.4 * np.cos(1.9 * t * t)
own = [0.5 * np.sin((1.1 + 0.37 * m) * t * t + m) for m in range(5)]
losses = np.column_stack([shared + own[m] + shift for m, shift in enumerate([0.0, 0.01, 0.03, 0.06, 0.3])])
mcs = MCS(losses, size=0.1, reps=5000, block_size=10, method="max", bootstrap="cbb", seed=7)
mcs.compute()

print(json.dumps({
    "source": "computed by make-volatility-golden.py",
    "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__, "arch": arch.__version__},
    "digamma": [[x, float(special.digamma(x))] for x in points],
    "confidenceSet": {
        "blockLength": 10,
        "losses": [[round(float(v), 12) for v in losses[:, m]] for m in range(5)],
        "pValues": [float(mcs.pvalues.loc[m].iloc[0]) for m in range(5)],
    },
}))
