"""Writes regimes-golden.json: reference values for the regime and anomaly kernels.

Run with numpy, statsmodels, jumpmodels and scikit-learn installed: python make-regimes-golden.py > regimes-golden.json
The inputs are drawn from a seed here and stored rounded, so that no data file is needed.
"""
import importlib.metadata, json, platform
import numpy as np
from jumpmodels.jump import JumpModel
from sklearn.ensemble import IsolationForest
from statsmodels.tsa.regime_switching.markov_regression import MarkovRegression

rng = np.random.default_rng(20261122)

# Three spells of different size, for the filter.
sd = np.repeat([0.5, 1.0, 2.5, 1.0, 0.5], 60)
y = np.round(rng.standard_normal(sd.size) * sd + 0.1 * (1.5 - sd), 6)
model = MarkovRegression(y, k_regimes=3, switching_variance=True)
transition = np.array([[0.97, 0.02, 0.01], [0.03, 0.94, 0.03], [0.02, 0.05, 0.93]])
mean, sigma = np.array([0.1, 0.0, -0.2]), np.array([0.5, 1.0, 2.5])
# Column-wise: probability of going to regime 0, then 1, from each regime.
params = np.concatenate([transition[:, 0], transition[:, 1], mean, sigma ** 2])
smoothed = model.smooth(params)

# Two features that jump together, for the jump model.
level = np.repeat([0.0, 2.0, -1.5, 2.0, 0.0, -1.5], 50)
features = np.round(np.column_stack([level, 0.5 * level]) + rng.standard_normal((level.size, 2)), 6)
jumps = []
for penalty in (0.0, 5.0, 25.0):
    jm = JumpModel(n_components=3, jump_penalty=penalty, cont=False, random_state=0, n_init=30).fit(features[:200], sort_by="freq")
    jumps.append({
        "penalty": penalty, "objective": float(jm.val_), "centers": np.asarray(jm.centers_).ravel().tolist(),
        "labels": np.asarray(jm.labels_).astype(int).tolist(), "online": np.asarray(jm.predict_online(features)).astype(int).tolist(),
    })

# A cloud with a few outliers, for the forest. float32, because scikit-learn compares in it.
cloud = rng.standard_normal((300, 3))
cloud[:12] += rng.choice([-1, 1], size=(12, 3)) * 4.5
cloud = np.round(cloud * 4096).astype(np.float32) / np.float32(4096)
forest = IsolationForest(n_estimators=10, max_samples=128, random_state=1).fit(cloud)
trees = [{
    "feature": np.where(t.tree_.feature < 0, -1, t.tree_.feature).tolist(), "threshold": t.tree_.threshold.tolist(),
    "left": t.tree_.children_left.tolist(), "right": t.tree_.children_right.tolist(), "rowCount": t.tree_.n_node_samples.tolist(),
} for t in forest.estimators_]
large = IsolationForest(n_estimators=100, max_samples=256, random_state=2).fit(cloud)

print(json.dumps({
    "source": "computed by make-regimes-golden.py",
    "versions": {"python": platform.python_version()} | {n: importlib.metadata.version(n) for n in ("numpy", "statsmodels", "jumpmodels", "scikit-learn")},
    "filter": {
        "y": y.tolist(), "transition": transition.ravel().tolist(), "mean": mean.tolist(), "sd": sigma.tolist(),
        "logLikelihood": float(smoothed.llf),
        "filtered": np.round(np.asarray(smoothed.filtered_marginal_probabilities).reshape(y.size, 3), 12).ravel().tolist(),
    },
    "jump": {"features": features.ravel().tolist(), "trainingRows": 200, "fits": jumps},
    "forest": {
        "rows": cloud.astype(float).ravel().tolist(), "outliers": 12, "sampleCount": 128, "trees": trees,
        "scores": (-forest.score_samples(cloud)).tolist(), "scoresOfHundredTrees": np.round(-large.score_samples(cloud), 6).tolist(),
    },
}))
