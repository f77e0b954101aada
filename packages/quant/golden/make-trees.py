"""Writes trees.json: what xgboost, lightgbm and scikit-learn reach on drawn tables.

Run with numpy, scikit-learn, lightgbm and xgboost installed: python make-trees.py > trees.json
The tables come from a linear congruential generator and arithmetic alone, so that the test draws the same ones from the seed and only
what the peers reach is stored. Train on the first rows, measure on the last.
"""
import json, platform
import lightgbm, numpy as np, sklearn, xgboost
from sklearn.ensemble import IsolationForest, RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import log_loss, mean_pinball_loss, mean_squared_error, ndcg_score, roc_auc_score

ROWS, TRAIN, FEATURES, GROUP = 8000, 4000, 8, 25


def draws(seed, count):
    """The minimal standard generator of Park and Miller, in 0..1."""
    out, state = np.empty(count), seed
    for i in range(count):
        state = state * 48271 % 2147483647
        out[i] = state / 2147483647
    return out


u = draws(20261122, ROWS * FEATURES).reshape(ROWS, FEATURES)
noise = draws(7, ROWS)
x = np.round(u * 4 - 2, 3)
x[:, 6] = np.floor(u[:, 6] * 6)
signal = x[:, 0] - 0.7 * x[:, 1] + np.where(x[:, 2] > 0, 0.8 * x[:, 3], 0) + 0.5 * np.abs(x[:, 4]) + np.where(x[:, 6] % 2 == 0, 0.6, -0.6)
value = np.round(signal + 2 * (noise - 0.5), 6)
label = (value > np.median(value)).astype(float)
relevance = np.clip(np.floor(value + 2), 0, 4)
hole = draws(11, ROWS * FEATURES).reshape(ROWS, FEATURES) < 0.1
hole[:, 6] = False
holed = np.where(hole, np.nan, x)
group = np.arange(ROWS) // GROUP
a, b = slice(0, TRAIN), slice(TRAIN, ROWS)

common = dict(tree_method="hist", max_depth=4, eta=0.1, max_bin=256, reg_lambda=1, min_child_weight=1, nthread=1)


def boosted(goal, data, target, more=None, **given):
    settings = {**common, "objective": goal, **given}
    train, test = xgboost.DMatrix(data[a], target[a]), xgboost.DMatrix(data[b])
    if more is not None:
        train.set_group(more)
    return xgboost.train(settings, train, 100).predict(test)


def categories():
    """Splits of column 6 by sets of categories, not one against the rest."""
    kinds = ["q"] * 6 + ["c", "q"]
    train, test = (xgboost.DMatrix(x[k], value[k], feature_types=kinds, enable_categorical=True) for k in (a, b))
    return xgboost.train({**common, "objective": "reg:squarederror", "max_cat_to_onehot": 1}, train, 100).predict(test)


def light(goal, target, **given):
    settings = {"objective": goal, "max_depth": 4, "num_leaves": 16, "learning_rate": 0.1, "verbosity": -1, "num_threads": 1, "seed": 1, "lambda_l2": 1, **given}
    data = lightgbm.Dataset(x[a], target[a], group=given.get("group"))
    return lightgbm.train({k: v for k, v in settings.items() if k != "group"}, data, 100).predict(x[b])


def ndcg(scores):
    shape = (-1, GROUP)
    return float(ndcg_score((2 ** relevance[b] - 1).reshape(shape), scores.reshape(shape), k=10))


forest = dict(n_estimators=60, max_depth=16, random_state=1, n_jobs=1)
outliers = np.round(draws(3, 400 * 3).reshape(400, 3) + draws(5, 400 * 3).reshape(400, 3) - 1, 4)
outliers[:20] = np.round(outliers[:20] * 4, 4)
odd = -IsolationForest(n_estimators=200, max_samples=256, random_state=1).fit(outliers).score_samples(outliers)
groups = [GROUP] * (TRAIN // GROUP)

json.dump({
    "made": {"python": platform.python_version(), "numpy": np.__version__, "xgboost": xgboost.__version__, "lightgbm": lightgbm.__version__, "scikit-learn": sklearn.__version__},
    "check": {"value": value[:5].tolist(), "ones": float(label.sum()), "missing": int(hole.sum()), "relevance": float(relevance.sum())},
    "binary": {"auc": float(roc_auc_score(label[b], boosted("binary:logistic", x, label))), "logLoss": float(log_loss(label[b], boosted("binary:logistic", x, label)))},
    "missing": {"auc": float(roc_auc_score(label[b], boosted("binary:logistic", holed, label)))},
    "regression": {"mse": float(mean_squared_error(value[b], boosted("reg:squarederror", x, value)))},
    "quantile": {"pinball": float(mean_pinball_loss(value[b], boosted("reg:quantileerror", x, value, quantile_alpha=0.8), alpha=0.8))},
    "ranking": {"ndcg": max(ndcg(boosted("rank:ndcg", x, relevance, groups)), ndcg(light("lambdarank", relevance, group=groups)))},
    "monotone": {"mse": float(mean_squared_error(value[b], boosted("reg:squarederror", x, value, monotone_constraints="(1,-1,0,0,0,0,0,0)")))},
    "categorical": {"mse": float(mean_squared_error(value[b], categories()))},
    "forest": {
        "auc": float(roc_auc_score(label[b], RandomForestClassifier(max_features="sqrt", **forest).fit(x[a], label[a]).predict_proba(x[b])[:, 1])),
        "mse": float(mean_squared_error(value[b], RandomForestRegressor(max_features=1 / 3, **forest).fit(x[a], value[a]).predict(x[b]))),
    },
    "isolation": {"auc": float(roc_auc_score(np.arange(400) < 20, odd)), "mean": float(odd.mean())},
}, __import__("sys").stdout, indent=1)
