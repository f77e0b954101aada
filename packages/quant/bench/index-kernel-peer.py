"""The work of index-kernel.ts with NumPy and pandas: scores vectorised over the panel, bounds and drift day by day.

Usage: index-kernel-peer.py ROWS COLUMNS. Prints {"name", "seconds"}: the median of three runs on a random panel.
"""
import json, sys, time
import numpy as np, pandas as pd

T, N, NAMES, LOW, HIGH, COST = int(sys.argv[1]), int(sys.argv[2]), 50, 0.01, 0.40, 0.001
rng = np.random.default_rng(1)
close = 50 * np.exp(np.cumsum(0.0004 + 0.015 * rng.standard_normal((T, N)), axis=0))
caps = close * rng.uniform(1e8, 1e10, N)


def bounded(score):
    low = min(LOW, 1 / (2 * len(score)))
    weights, fixed = score / score.sum(), np.zeros(len(score), bool)
    for _ in range(len(score)):
        over, under = np.maximum(weights - HIGH, 0).sum(), np.maximum(low - weights, 0).sum()
        if over == 0 and under == 0:
            break
        hit = (weights > HIGH) if over >= under else (weights < low)
        weights[hit] = HIGH if over >= under else low
        fixed |= hit
        free = ~fixed
        weights[free] = score[free] * (1 - weights[fixed].sum()) / score[free].sum()
    return weights


def share(values):
    total = np.nansum(values, axis=1, keepdims=True)
    return np.where(total > 0, np.nan_to_num(values) / np.where(total > 0, total, 1), 0), total > 0


def three_pillar():
    frame = pd.DataFrame(close)
    returns = frame.pct_change()
    pillars = [share(x) for x in (frame.pct_change(20).clip(lower=0).values, caps, (1 / returns.rolling(60).std()).values)]
    score = sum(w * s for w, (s, _) in zip((0.4, 0.3, 0.3), pillars))
    score /= sum(w * used for w, (_, used) in zip((0.4, 0.3, 0.3), pillars))
    targets = np.zeros((T, N))
    for t in range(T):
        best = np.argpartition(-score[t], NAMES)[:NAMES]
        targets[t, best] = bounded(score[t, best])
    return targets


def hold(targets):
    ratio = np.vstack([np.ones(N), close[1:] / close[:-1]])
    held, net, cost = np.zeros(N), np.zeros(T), 0.0
    for t in range(T):
        grown = held * ratio[t]
        gross = grown.sum() - held.sum()
        held, net[t] = grown / (1 + gross), (1 - cost) * (1 + gross) - 1
        cost = 0.0
        if not np.isnan(targets[t, 0]):
            cost = COST * np.abs(targets[t] - held).sum()
            held = targets[t].copy()
    return net


def once():
    start = time.perf_counter()
    hold(three_pillar())
    hold(np.full((T, N), 1 / N))
    buy = np.full((T, N), np.nan)
    buy[0] = 1 / N
    hold(buy)
    return time.perf_counter() - start


print(json.dumps({"name": f"numpy {np.__version__} + pandas {pd.__version__}", "seconds": sorted(once() for _ in range(3))[1]}))
