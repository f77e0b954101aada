"""The work of algebra.ts with NumPy, one thread.

Usage: algebra-peer.py SIZE RUNS. Prints {"name", "eigen", "cholesky", "multiply", "ols"}: median milliseconds of each.
"""
import json, os, sys, time

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
import numpy as np

n, runs = int(sys.argv[1]), int(sys.argv[2])
rng = np.random.default_rng(1)
returns = 0.01 * rng.standard_normal((2 * n, n)) + 0.01 * rng.standard_normal((2 * n, 1))
S = np.cov(returns.T)
A = rng.standard_normal((n, n))
X = np.column_stack([np.ones(2520), 0.01 * rng.standard_normal((2520, 5))])
y = X @ np.arange(6) + 0.01 * rng.standard_normal(2520)


def milliseconds(work, count=runs):
    times = []
    for _ in range(count):
        start = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - start))
    return sorted(times)[count // 2]


def rolling():
    for end in range(252, 2520):
        window = X[end - 252:end]
        coefficients, *_ = np.linalg.lstsq(window, y[end - 252:end], rcond=None)
        residual = y[end - 252:end] - window @ coefficients
        np.sqrt(residual @ residual / 246 * np.diag(np.linalg.inv(window.T @ window)))


print(json.dumps({
    "name": f"numpy {np.__version__}, one thread",
    "eigen": milliseconds(lambda: np.linalg.eigh(S)),
    "cholesky": milliseconds(lambda: np.linalg.cholesky(S)),
    "multiply": milliseconds(lambda: A @ S),
    "ols": milliseconds(rolling, 3),
}))
