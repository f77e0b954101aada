"""The work of trees-train.ts and trees-predict.ts with xgboost and lightgbm, one thread.

Usage: trees-peer.py train FILE ROWS TEST FEATURES RUNS, or trees-peer.py predict FILE ROWS TEST FEATURES CALLS. FILE holds ROWS + TEST rows of
FEATURES float32 and then as many targets. Prints {"name", "seconds", "auc"}, or a list of {"name", "microseconds"}.
"""
import json, os, sys, time

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np
import xgboost

work, path = sys.argv[1:3]
rows, test, features, count = map(int, sys.argv[3:7])
data = np.fromfile(path, "f4")
x, y = data[: (rows + test) * features].reshape(-1, features), data[(rows + test) * features:]
settings = dict(objective="binary:logistic", tree_method="hist", max_depth=6, eta=0.1, max_bin=256, nthread=1)


def middle(times):
    return sorted(times)[len(times) // 2]


def auc(scores, truth):
    order = np.argsort(scores, kind="stable")
    _, first, counts = np.unique(scores[order], return_index=True, return_counts=True)
    ranks = np.empty(len(scores))
    ranks[order] = np.repeat(first + (counts + 1) / 2, counts)
    ones = truth.sum()
    return float((ranks[truth == 1].sum() - ones * (ones + 1) / 2) / (ones * (len(truth) - ones)))


def seconds(call, runs):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        result = call()
        times.append(time.perf_counter() - start)
    return middle(times), result


if work == "train":
    took, model = seconds(lambda: xgboost.train(settings, xgboost.DMatrix(x[:rows], y[:rows], nthread=1), 100), count)
    told = model.predict(xgboost.DMatrix(x[rows:], nthread=1))
    print(json.dumps({"name": f"xgboost {xgboost.__version__} hist, one thread", "seconds": took, "auc": auc(told, y[rows:])}))
else:
    import lightgbm
    model = xgboost.train(settings, xgboost.DMatrix(x[:rows], y[:rows], nthread=1), 500)
    light = lightgbm.train(dict(objective="binary", max_depth=6, num_leaves=64, learning_rate=0.1, num_threads=1, verbosity=-1), lightgbm.Dataset(x[:rows], y[:rows]), 500)
    single = [x[rows + k % test: rows + k % test + 1].astype(float) for k in range(count)]
    answers = []
    for name, call in (
        (f"xgboost {xgboost.__version__} inplace_predict", lambda row: model.inplace_predict(row)),
        (f"lightgbm {lightgbm.__version__} predict", lambda row: light.predict(row, num_threads=1)),
    ):
        times = []
        for row in single:
            start = time.perf_counter()
            call(row)
            times.append(time.perf_counter() - start)
        answers.append({"name": name, "microseconds": 1e6 * middle(times)})
    print(json.dumps(answers))
