"""Trains trees with XGBoost, saves them, and explains rows with the C code of shap, one thread.

Usage: treeshap-peer.py ROWS FEATURES TREES DEPTH EXPLAINED FOLDER. Writes model.json (XGBoost's), rows.f64 and values.f64
(EXPLAINED x FEATURES, float64) into FOLDER. Prints {"name", "milliseconds", "otherName", "otherMilliseconds"}: the median times of
all explained rows, of shap and of XGBoost's own TreeSHAP.
"""
import json, os, sys, time

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
import numpy as np, shap, xgboost as xgb

rows, features, trees, depth, explained = (int(text) for text in sys.argv[1:6])
folder = sys.argv[6]
rng = np.random.default_rng(1)
x = rng.standard_normal((rows, features)).astype(np.float32)
x[rng.random((rows, features)) < 0.02] = np.nan
known = np.nan_to_num(x)
score = known[:, 0] * known[:, 1] + known[:, 2:10].sum(axis=1) / 3 + rng.standard_normal(rows)
matrix = xgb.DMatrix(x, label=(score > 0).astype(float))
settings = {"objective": "binary:logistic", "max_depth": depth, "eta": 0.1, "nthread": 1, "tree_method": "hist", "seed": 1}
booster = xgb.train(settings, matrix, trees)
booster.save_model(os.path.join(folder, "model.json"))
asked = x[:explained]
asked.astype(np.float64).tofile(os.path.join(folder, "rows.f64"))


explainer = shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent")
# For models of XGBoost shap hands over to XGBoost; as a model of its own kind they go through its C code.
explainer.model.model_type = "internal"
asked_matrix = xgb.DMatrix(asked, nthread=1)


def milliseconds(work, runs=3):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    return sorted(times)[runs // 2]


values = explainer.shap_values(asked, check_additivity=False)
values.astype(np.float64).tofile(os.path.join(folder, "values.f64"))
print(json.dumps({
    "name": f"shap {shap.__version__}, its C code, one thread",
    "milliseconds": milliseconds(lambda: explainer.shap_values(asked, check_additivity=False)),
    "otherName": f"xgboost {xgb.__version__} pred_contribs, one thread",
    "otherMilliseconds": milliseconds(lambda: booster.predict(asked_matrix, pred_contribs=True)),
}))
