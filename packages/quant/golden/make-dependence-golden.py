"""Writes dependence-golden.json: reference values for the dependence and factors kernels.

Run with numpy, scipy, scikit-learn and statsmodels installed: python make-dependence-golden.py > dependence-golden.json
The input is a fixed formula, so that no data file is needed.
"""
import json, platform
import numpy as np, scipy, sklearn, statsmodels, statsmodels.api as sm
from scipy.cluster import hierarchy
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import squareform
from sklearn.covariance import graphical_lasso
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score

T, N = 120, 8
t = np.arange(T)[:, None]
i = np.arange(N)[None, :]
x = 0.01 * np.sin(1.7 * t + 0.2 * np.floor(i / 3)) + 0.006 * np.sin((0.9 + 0.13 * i) * t + i) + 0.004 * np.cos(0.31 * t * t + 1.1 * i)
s = np.corrcoef(x.T)
d = np.sqrt(np.maximum(0, 2 * (1 - s)))
np.fill_diagonal(d, 0)


def glasso(penalty):
    covariance, precision = graphical_lasso(s, alpha=penalty, tol=1e-10, enet_tol=1e-10, max_iter=1000)
    return {"penalty": penalty, "covariance": covariance.ravel().tolist(), "precision": precision.ravel().tolist()}


def linked(method):
    z = hierarchy.linkage(squareform(d, checks=False), method)
    cuts = []
    for k in (2, 3, 4, 5):
        labels = hierarchy.fcluster(z, k, "maxclust")
        cuts.append({"clusters": k, "labels": labels.tolist(), "silhouette": float(silhouette_score(d, labels, metric="precomputed"))})
    return {"method": method, "merges": z.tolist(), "cuts": cuts}


tree = minimum_spanning_tree(d).tocoo()
pca = PCA().fit((x - x.mean(0)) / x.std(0, ddof=1))
factors = x[:, :2]
fit = sm.OLS(x[:, 5], sm.add_constant(factors)).fit(cov_type="HAC", cov_kwds={"maxlags": 4, "use_correction": False})
print(json.dumps({
    "source": "computed by make-dependence-golden.py",
    "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__, "statsmodels": statsmodels.__version__},
    "rows": T, "columns": N,
    "observations": x.ravel().tolist(),
    "correlation": s.ravel().tolist(),
    "graphicalLasso": [glasso(0.05), glasso(0.1), glasso(0.3)],
    "linkage": [linked("average"), linked("ward")],
    "tree": sorted([[int(min(a, b)), int(max(a, b)), float(v)] for a, b, v in zip(tree.row, tree.col, tree.data)], key=lambda e: e[2]),
    "pca": {"varianceShares": pca.explained_variance_ratio_.tolist(), "firstComponent": pca.components_[0].tolist()},
    "regression": {"coefficients": fit.params.tolist(), "standardErrors": fit.bse.tolist(), "rSquared": float(fit.rsquared)},
}))
