"""Writes linear.json: reference values for the linear learners, k-means, principal components, calibration and stacking.

Run with numpy, scipy and scikit-learn installed: python make-linear.py > linear.json
The inputs are drawn from a seed, rounded, and stored with the results. Every linear model is fitted on standardised columns, as
the learners do; the coefficients are told on the scale of the inputs.
"""
import json, platform
import numpy as np, scipy, sklearn
from scipy.optimize import minimize, nnls
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import ElasticNet, Lasso, LogisticRegression, Ridge
from sklearn.metrics import log_loss, r2_score, roc_auc_score
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

rng = np.random.default_rng(20260115)
n, k, train = 240, 6, 160
mix = rng.normal(size=(k, k))
x = np.round(rng.normal(size=(n, k)) @ mix * np.array([1, 10, 0.01, 3, 1, 100]) + np.array([0, 5, 1, -2, 0, 30]), 4)
beta = np.array([1.0, -0.2, 0.0, 0.5, 0.0, 0.004])
score = x @ beta
y = np.round(score + rng.normal(size=n) * 2, 4)
label = (score - np.median(score) + rng.logistic(size=n) * 1.5 > 0).astype(float)
weight = np.round(rng.uniform(0.2, 2, size=n), 3)


def regression(estimator, weighted):
    w = weight[:train] if weighted else None
    scaler = StandardScaler().fit(x[:train], sample_weight=w)
    fit = estimator.fit(scaler.transform(x[:train]), y[:train], sample_weight=w)
    coefficients = fit.coef_ / scaler.scale_
    intercept = float(fit.intercept_ - coefficients @ scaler.mean_)
    return {"weights": coefficients.tolist(), "intercept": intercept, "r2": float(r2_score(y[train:], x[train:] @ coefficients + intercept))}


def logistic(penalty, weighted):
    w = weight[:train] if weighted else None
    scaler = StandardScaler().fit(x[:train], sample_weight=w)
    fit = LogisticRegression(C=1 / penalty, tol=1e-12, solver="newton-cholesky", max_iter=500).fit(scaler.transform(x[:train]), label[:train], sample_weight=w)
    coefficients = fit.coef_[0] / scaler.scale_
    intercept = float(fit.intercept_[0] - coefficients @ scaler.mean_)
    p = 1 / (1 + np.exp(-(x[train:] @ coefficients + intercept)))
    return {"weights": coefficients.tolist(), "intercept": intercept, "logLoss": float(log_loss(label[train:], p)), "auc": float(roc_auc_score(label[train:], p))}


def svm(penalty):
    """LinearSVC penalises the intercept; the exact reference without that comes from BFGS, LinearSVC's metric stands beside it."""
    scaler = StandardScaler().fit(x[:train])
    z, sign = scaler.transform(x[:train]), 2 * label[:train] - 1

    def objective(b):
        short = np.maximum(0, 1 - sign * (z @ b[:-1] + b[-1]))
        slope = -2 * short * sign
        return (short ** 2).sum() + penalty / 2 * (b[:-1] ** 2).sum(), np.append(z.T @ slope + penalty * b[:-1], slope.sum())

    best = minimize(objective, np.zeros(k + 1), jac=True, method="BFGS", options={"gtol": 1e-11, "maxiter": 5000}).x
    coefficients = best[:-1] / scaler.scale_
    intercept = float(best[-1] - coefficients @ scaler.mean_)
    peer = LinearSVC(C=1 / penalty, loss="squared_hinge", dual=False, tol=1e-10, max_iter=100000).fit(z, label[:train])
    return {"weights": coefficients.tolist(), "intercept": intercept, "aucOfLinearSVC": float(roc_auc_score(label[train:], peer.decision_function(scaler.transform(x[train:]))))}


start = x[:4]
kmeans = KMeans(n_clusters=4, init=start, n_init=1, tol=0, max_iter=1000).fit(x)
pca = PCA(svd_solver="full").fit(x)
scores = np.round(1 / (1 + np.exp(-(score - np.median(score)))), 1)  # with many ties
isotonic = IsotonicRegression(out_of_bounds="clip").fit(scores, label)
weighted_isotonic = IsotonicRegression(out_of_bounds="clip").fit(scores, label, sample_weight=weight)
grid = np.linspace(-0.1, 1.1, 25)
members = np.stack([y + rng.normal(size=n) * s for s in (1.0, 2.0, 3.0)], axis=1).round(4)


def on_simplex(loss):
    constraints = {"type": "eq", "fun": lambda w: w.sum() - 1}
    return minimize(loss, np.full(3, 1 / 3), bounds=[(0, 1)] * 3, constraints=constraints, method="SLSQP", options={"ftol": 1e-16, "maxiter": 1000}).x.tolist()


told = 1 / (1 + np.exp(-(members - np.median(score)) * 0.6))


def mixed_log_loss(w):
    p = np.clip(told @ w, 1e-12, 1 - 1e-12)
    return -np.mean(label * np.log(p) + (1 - label) * np.log(1 - p))


print(json.dumps({
    "source": "computed by make-linear.py",
    "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__},
    "rowCount": n, "featureCount": k, "trainCount": train,
    "x": x.ravel().tolist(), "y": y.tolist(), "label": label.tolist(), "weight": weight.tolist(),
    "ridge": regression(Ridge(alpha=3.0), False), "ridgeWeighted": regression(Ridge(alpha=3.0), True),
    "lasso": regression(Lasso(alpha=0.3, tol=1e-14, max_iter=1000000), False),
    "elasticNet": regression(ElasticNet(alpha=0.2, l1_ratio=0.4, tol=1e-14, max_iter=1000000), False),
    "elasticNetWeighted": regression(ElasticNet(alpha=0.2, l1_ratio=0.4, tol=1e-14, max_iter=1000000), True),
    "logistic": logistic(2.0, False), "logisticWeighted": logistic(2.0, True), "linearSvm": svm(2.0),
    "kMeans": {"centers": kmeans.cluster_centers_.ravel().tolist(), "inertia": float(kmeans.inertia_)},
    "pca": {"mean": pca.mean_.tolist(), "components": pca.components_.ravel().tolist(), "variance": pca.explained_variance_.tolist()},
    "scores": scores.tolist(), "grid": grid.tolist(),
    "isotonic": isotonic.predict(grid).tolist(), "isotonicWeighted": weighted_isotonic.predict(grid).tolist(),
    "members": members.ravel().tolist(), "memberCount": 3, "memberScale": 0.6, "memberShift": float(np.median(score)),
    "squaredWeights": on_simplex(lambda w: np.mean((members @ w - y) ** 2)),
    "logWeights": on_simplex(mixed_log_loss),
}))
