"""Reference values of neural networks from PyTorch, in float64: forward, gradients, and where training ends.

Usage: /usr/bin/python3 make-neural.py > neural.json   (Debian's python3-torch; numbers drawn by it from seeds)

Weights are written in the layout of src/learn/neural: products are row vector times matrix, so PyTorch's matrices are turned;
its second bias of the LSTM is zero and not learned, since two biases that are only ever added would learn twice as fast.
"""
import json

import torch
from torch import nn

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
STEPS, FEATURES, ROWS = 5, 3, 3
LEARNED, HELD = 96, 64
EPOCHS, RATE, DECAY = 60, 0.005, 0.01


def gelu(x):
    return nn.functional.gelu(x, approximate="tanh")


class Lstm(nn.Module):
    sizes = {"stepCount": STEPS, "featureCount": FEATURES, "hidden": 5, "layers": 2}

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(FEATURES, 5, num_layers=2, batch_first=True)
        self.dense = nn.Linear(5, 1)
        for name, parameter in self.lstm.named_parameters():
            if name.startswith("bias_hh"):
                parameter.data.zero_()
                parameter.requires_grad = False

    def forward(self, x):
        return self.dense(self.lstm(x)[0][:, -1])[:, 0]

    def tensors(self):
        for layer in range(2):
            yield f"layers.{layer}.input", getattr(self.lstm, f"weight_ih_l{layer}"), True
            yield f"layers.{layer}.recurrent", getattr(self.lstm, f"weight_hh_l{layer}"), True
            yield f"layers.{layer}.bias", getattr(self.lstm, f"bias_ih_l{layer}"), False
        yield "dense.weight", self.dense.weight, False
        yield "dense.bias", self.dense.bias, False


class Encoder(nn.Module):
    def __init__(self, first, mean):
        super().__init__()
        self.mean = mean
        self.sizes = {
            "stepCount": STEPS, "featureCount": FEATURES, "width": 6, "heads": 2, "layers": 2, "feedForward": 7,
            "preNorm": int(first), "meanPooling": int(mean),
        }
        self.input = nn.Linear(FEATURES, 6)
        self.positions = nn.Parameter(0.2 * torch.randn(STEPS, 6))
        layer = nn.TransformerEncoderLayer(6, 2, 7, dropout=0.0, activation=gelu, batch_first=True, norm_first=first)
        self.encoder = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(6) if first else None)
        self.dense = nn.Linear(6, 1)
        for parameter in self.parameters():
            parameter.data.add_(0.1 * torch.randn_like(parameter))

    def forward(self, x):
        days = self.encoder(self.input(x) + self.positions)
        return self.dense(days.mean(1) if self.mean else days[:, -1])[:, 0]

    def tensors(self):
        yield "input.weight", self.input.weight, True
        yield "input.bias", self.input.bias, False
        yield "positions", self.positions, False
        for index, layer in enumerate(self.encoder.layers):
            name = f"layers.{index}."
            for norm in ("norm1", "norm2"):
                yield f"{name}{norm}.gain", getattr(layer, norm).weight, False
                yield f"{name}{norm}.shift", getattr(layer, norm).bias, False
            yield f"{name}attention.weight", layer.self_attn.in_proj_weight, True
            yield f"{name}attention.bias", layer.self_attn.in_proj_bias, False
            for ours, theirs in (
                ("projection", layer.self_attn.out_proj), ("expand", layer.linear1), ("contract", layer.linear2)
            ):
                yield f"{name}{ours}.weight", theirs.weight, True
                yield f"{name}{ours}.bias", theirs.bias, False
        if self.encoder.norm is not None:
            yield "norm.gain", self.encoder.norm.weight, False
            yield "norm.shift", self.encoder.norm.bias, False
        yield "dense.weight", self.dense.weight, False
        yield "dense.bias", self.dense.bias, False


def numbers(tensor, digits=12):
    return [float(f"{x:.{digits}g}") for x in tensor.detach().reshape(-1).tolist()]


def turned(model, pick):
    return {name: numbers(pick(p).t() if turn else pick(p)) for name, p, turn in model.tensors()}


def loss_of(goal, margin, target):
    if goal == "binary":
        return nn.functional.binary_cross_entropy_with_logits(margin, target)
    return 0.5 * ((margin - target) ** 2).mean()


def case(name, model, goal):
    model.train()
    torch.manual_seed(3)
    inputs = (torch.randn(ROWS, STEPS, FEATURES) * 1000).round() / 1000
    target = torch.tensor([1.0, 0.0, 1.0]) if goal == "binary" else torch.tensor([0.5, -1.0, 0.25])
    weights = turned(model, lambda p: p)
    margins = model(inputs)
    loss_of(goal, margins, target).backward()
    gradients = turned(model, lambda p: p.grad)
    wanted = (score > 0).double() if goal == "binary" else (score * 1000).round() / 1000
    matrices = [p for _, p, _ in model.tensors() if p.dim() == 2 and p is not getattr(model, "positions", None)]
    optimiser = torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": DECAY},
            {"params": [p for _, p, _ in model.tensors() if all(p is not m for m in matrices)], "weight_decay": 0},
        ],
        lr=RATE,
    )
    for _ in range(EPOCHS):
        optimiser.zero_grad()
        loss = loss_of(goal, model(data[:LEARNED]), wanted[:LEARNED])
        loss.backward()
        nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], 1.0)
        optimiser.step()
    with torch.no_grad():
        held = loss_of(goal, model(data[LEARNED:]), wanted[LEARNED:])
    return {
        "name": name, "goal": goal, "sizes": model.sizes, "weights": weights, "inputs": numbers(inputs),
        "target": numbers(target), "margins": numbers(margins), "gradients": gradients,
        "training": {
            "learned": LEARNED, "held": HELD, "epochs": EPOCHS, "learningRate": RATE, "weightDecay": DECAY,
            "target": numbers(wanted, 6), "lastLoss": loss.item(), "heldLoss": held.item(),
        },
    }


torch.manual_seed(1)
data = (torch.randn(LEARNED + HELD, STEPS, FEATURES) * 100).round() / 100
# A rule of several days: the mean of one feature, turned by the sign of another on the third day.
score = data[:, :, 0].mean(1) * torch.sign(data[:, 2, 1]) + 0.3 * data[:, -1, 2]
cases = [
    case("lstm", Lstm(), "regression"),
    case("transformer", Encoder(True, True), "binary"),
    case("transformer", Encoder(False, False), "regression"),
]
print(json.dumps({"tool": f"torch {torch.__version__}", "data": numbers(data, 6), "cases": cases}, separators=(",", ":")))
