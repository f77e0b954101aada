"""The training of lstm-train.ts and transformer-train.ts with PyTorch, one thread.

Runs with Debian's python3-torch, which takes its products from the system's BLAS: with the reference one it is several times
slower than with OpenBLAS (libopenblas0), so the name tells which it was.

Usage: neural-peer.py lstm|transformer ROWS EPOCHS. Prints {"name", "samplesPerSecond"}: of the median epoch.
"""
import json, os, sys, time

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(1)
STEPS, FEATURES, WIDTH, BATCH = 60, 20, 32, 64
sort, rows, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
inputs = torch.randn(rows, STEPS, FEATURES)
target = inputs[:, -10:, 0].mean(1) * 3


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(FEATURES, WIDTH, batch_first=True)
        self.dense = nn.Linear(WIDTH, 1)

    def forward(self, x):
        return self.dense(self.lstm(x)[0][:, -1])[:, 0]


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.input = nn.Linear(FEATURES, WIDTH)
        self.positions = nn.Parameter(0.02 * torch.randn(STEPS, WIDTH))
        layer = nn.TransformerEncoderLayer(
            WIDTH, 2, 64, dropout=0.0, activation=gelu, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(WIDTH))
        self.dense = nn.Linear(WIDTH, 1)

    def forward(self, x):
        return self.dense(self.encoder(self.input(x) + self.positions).mean(1))[:, 0]


def gelu(x):
    return nn.functional.gelu(x, approximate="tanh")


model = Lstm() if sort == "lstm" else Encoder()
optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0)
with open("/proc/self/maps") as maps:
    loaded = maps.read()
blas = "OpenBLAS" if "openblas" in loaded else "MKL" if "libmkl" in loaded else "the reference BLAS (slow)"
times = []
for _ in range(epochs):
    start = time.perf_counter()
    order = torch.randperm(rows)
    for at in range(0, rows, BATCH):
        batch = order[at:at + BATCH]
        loss = 0.5 * ((model(inputs[batch]) - target[batch]) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    times.append(time.perf_counter() - start)
print(json.dumps({
    "name": f"torch {torch.__version__} with {blas}, one thread",
    "samplesPerSecond": rows / sorted(times)[len(times) // 2],
}))
