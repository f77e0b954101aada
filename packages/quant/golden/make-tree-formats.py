"""Writes tree-formats.json: small models of XGBoost and LightGBM as they save them, with their answers and exact TreeSHAP.

Run with numpy, xgboost and lightgbm installed: python make-tree-formats.py > tree-formats.json
With --check, and node on the path, it goes the other way: every model is read, written in both formats by this package, loaded
by xgboost and lightgbm, and its answers are compared; the largest differences are printed.
"""
import json, math, os, subprocess, sys, tempfile
import numpy as np, lightgbm as lgb, xgboost as xgb

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(11)
ROWS, TOLD = 400, 24
NAMES = ["ret5", "vol21", "gap", "flow", "sector"]
x = np.round(rng.normal(size=(ROWS, 4)), 3)
sector = rng.integers(0, 40, size=ROWS).astype(float)
x[::7, 2] = np.nan
x[::4, 3] = 0
data = np.column_stack([x, sector])
score = data[:, 0] + 0.7 * (sector % 3) + np.where(np.isnan(data[:, 2]), 1, 0) + 1.2 * (data[:, 3] == 0) + data[:, 1] * data[:, 0]
binary = (score + rng.normal(size=ROWS) * 0.3 > 0.8).astype(int)
number = np.round(score + rng.normal(size=ROWS) * 0.3, 3)
groups = [40] * 10
relevance = np.argsort(np.argsort(number.reshape(10, 40), axis=1), axis=1).reshape(-1) // 8

# Rows that were not trained on, with the odd ones: all missing, zeros, categories never seen, negative, with a fraction.
told = np.column_stack([np.round(rng.normal(size=(TOLD, 4)), 3), rng.integers(0, 40, size=TOLD).astype(float)])
told[0] = np.nan
told[1] = 0
told[2, 4] = 99
told[3, 4] = -3
told[4, 4] = 7.5
told[5:9, 2] = np.nan
told[7:12, 3] = 0
told[10, 4] = np.nan
told[12, 3] = 1e-36


def plain(values):
    if isinstance(values, np.ndarray):
        values = values.tolist()
    return [plain(v) for v in values] if isinstance(values, list) else (None if math.isnan(values) else values)


def xgboost_matrix(values, **more):
    return xgb.DMatrix(values, feature_names=NAMES, feature_types=["q"] * 4 + ["c"], enable_categorical=True, **more)


def with_xgboost():
    for name, objective, target, more in [
        ("logistic", "binary:logistic", binary, {"gamma": 2.0}),
        ("squared error", "reg:squarederror", number, {"max_cat_to_onehot": 50}),
        ("quantile", "reg:quantileerror", number, {"quantile_alpha": 0.9}),
        ("ranking", "rank:ndcg", relevance, {}),
    ]:
        matrix = xgboost_matrix(data, label=target)
        if "rank" in objective:
            matrix.set_group(groups)
        settings = {"objective": objective, "max_depth": 4, "eta": 0.3, "nthread": 1, "seed": 1, **more}
        booster = xgb.train(settings, matrix, 4)
        asked = xgboost_matrix(told)
        yield {
            "name": name,
            "model": bytes(booster.save_raw("json")).decode(),
            "answers": plain(booster.predict(asked)),
            "margins": plain(booster.predict(asked, output_margin=True)),
            "contributions": plain(booster.predict(asked, pred_contribs=True)),
        }


def with_lightgbm():
    for name, objective, target, more in [
        ("binary", "binary", binary, {"sigmoid": 2.0}),
        ("regression, zeros are missing", "regression", number, {"zero_as_missing": True}),
        ("regression, nothing is missing", "regression", number, {"use_missing": False}),
        ("forest", "binary", binary, {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.7}),
        ("quantile", "quantile", number, {"alpha": 0.9}),
        ("ranking", "lambdarank", relevance, {}),
    ]:
        group = groups if objective == "lambdarank" else None
        dataset = lgb.Dataset(data, label=target, group=group, feature_name=NAMES, categorical_feature=[4])
        settings = {"objective": objective, "num_leaves": 7, "learning_rate": 0.3, "min_data_in_leaf": 5, "seed": 1}
        settings |= {"min_data_per_group": 5, "cat_smooth": 1, "num_threads": 1, "deterministic": True, "verbosity": -1}
        booster = lgb.train({**settings, **more}, dataset, 4)
        yield {
            "name": name,
            "model": booster.model_to_string(),
            "answers": plain(booster.predict(told)),
            "margins": plain(booster.predict(told, raw_score=True)),
            "contributions": plain(booster.predict(told, pred_contrib=True)),
        }


WRITE = """
import { readFileSync } from 'node:fs';
const folder = process.argv[1];
const load = (name) => import(folder + '/../src/learn/trees/formats/' + name + '.ts');
const { importXgboost } = await load('import-xgboost');
const { importLightgbm } = await load('import-lightgbm');
const { exportXgboost } = await load('export-xgboost');
const { exportLightgbm } = await load('export-lightgbm');
const tryTo = (write) => { try { return { text: write() }; } catch (error) { return { refused: String(error.message) }; } };
const golden = JSON.parse(readFileSync(folder + '/tree-formats.json', 'utf8'));
const models = [
  ...golden.xgboost.map((one) => ['xgboost', one, importXgboost(one.model)]),
  ...golden.lightgbm.map((one) => ['lightgbm', one, importLightgbm(one.model)]),
];
const told = models.map(([from, one, read]) => {
  const model = { ...read, quantile: 0.9 };
  return { from, name: one.name, answers: one.answers, xgboost: tryTo(() => exportXgboost(model)), lightgbm: tryTo(() => exportLightgbm(model)) };
});
process.stdout.write(JSON.stringify(told));
"""


def check():
    written = subprocess.run(["node", "--input-type=module", "-e", WRITE, here], capture_output=True, text=True, check=True)
    for model in json.loads(written.stdout):
        answers = np.array(model["answers"], dtype=float)
        for tool in ("xgboost", "lightgbm"):
            outcome = model[tool]
            label = f"{model['from']} {model['name']} -> {tool}"
            if "refused" in outcome:
                print(f"{label}: refused: {outcome['refused']}")
                continue
            if tool == "xgboost":
                with tempfile.TemporaryDirectory() as folder:
                    path = os.path.join(folder, "model.json")
                    open(path, "w").write(outcome["text"])
                    booster = xgb.Booster(model_file=path)
                found = booster.predict(xgboost_matrix(told))
            else:
                found = lgb.Booster(model_str=outcome["text"]).predict(told)
            print(f"{label}: largest difference {np.max(np.abs(found - answers)):.2e} on {len(answers)} rows")


if "--check" in sys.argv:
    check()
else:
    print(json.dumps({
        "made by": f"xgboost {xgb.__version__}, lightgbm {lgb.__version__}",
        "inputs": plain(told),
        "xgboost": list(with_xgboost()),
        "lightgbm": list(with_lightgbm()),
    }))
