"""Writes change-points.json: PELT segmentations of synthetic series by ruptures.

Run with numpy and ruptures installed: python make-change-points.py > change-points.json
"""
import json, platform
import numpy as np, ruptures as rpt

rng = np.random.default_rng(20)


def series(stretches):
    return np.round(np.concatenate([rng.normal(m, s, n) for m, s, n in stretches]), 6)


CASES = [
    ("mean", "l2", series([(0, 1, 120), (3, 1, 90), (-1, 1, 150)]), 20.0, 10),
    ("mean", "l2", series([(5, 0.5, 60), (5.6, 0.5, 200)]), 3.0, 5),
    ("mean-and-variance", "normal", series([(0, 1, 200), (0, 3, 150), (0, 0.7, 120)]), 15.0, 20),
    ("mean-and-variance", "normal", series([(0.1, 1, 150), (-0.3, 1.4, 150)]), 8.0, 21),
    ("mean-and-variance", "normal", series([(0, 1, 300)]), 12.0, 21),
]
out = {"tool": f"ruptures {rpt.__version__}, Python {platform.python_version()}", "cases": []}
for cost, model, values, penalty, least in CASES:
    options = {"params": {"add_small_diag": False}} if model == "normal" else {}
    found = rpt.Pelt(model=model, min_size=least, jump=1, **options).fit(values).predict(pen=penalty)
    out["cases"].append({"cost": cost, "penalty": penalty, "stretchMin": least, "values": values.tolist(), "changes": found[:-1]})
print(json.dumps(out))
