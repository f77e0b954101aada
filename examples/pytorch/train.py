"""Trains a small network on rows that `touchstone train export` wrote, and leaves what `touchstone train import` reads.

    touchstone train export --universe "My universe" --target volatility_direction --out rows --csv
    python train.py rows
    touchstone train import rows --model my-model

Uses the GPU where there is one (CUDA), else the processor. Reads rows.arrow with pyarrow where it is installed, else
rows.csv. See README.md.
"""

import argparse
import csv
import hashlib
import json
import math
import time
from pathlib import Path

import numpy as np
import torch

VERSION = "pytorch-example 1"


def read_rows(folder, spec):
    """Columns by name, as numpy arrays of floats; missing numbers are NaN."""
    arrow = folder / "rows.arrow"
    try:
        import pyarrow as pa
    except ImportError:
        pa = None
    if pa is not None and arrow.exists():
        content = arrow.read_bytes()
        if hashlib.sha256(content).hexdigest() != spec["fileSha256"]:
            raise SystemExit("rows.arrow is not the file spec.json tells of: export again.")
        table = pa.ipc.open_file(pa.BufferReader(content)).read_all()
        wanted = [name for name in table.column_names if name != "day"]
        return {name: table.column(name).to_numpy().astype(float) for name in wanted}
    rows = folder / "rows.csv"
    if not rows.exists():
        raise SystemExit("There is no pyarrow to read rows.arrow, and no rows.csv: export with --csv, or install pyarrow.")
    with rows.open(newline="") as file:
        reader = csv.reader(file)
        names = next(reader)
        values = list(zip(*reader))
    return {
        name: np.array([float(x) if x else math.nan for x in column])
        for name, column in zip(names, values)
        if name != "day"
    }


class Network(torch.nn.Module):
    """Scales its inputs itself, so that the file takes features as they are."""

    def __init__(self, mean, deviation, hidden, is_probability):
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.inner = torch.nn.Sequential(
            torch.nn.Linear(len(mean), hidden), torch.nn.Tanh(), torch.nn.Linear(hidden, 1)
        )
        self.is_probability = is_probability

    def margin(self, features):
        scaled = torch.clamp((features - self.mean) / self.deviation, -5.0, 5.0)
        return self.inner(scaled)

    def forward(self, features):
        margin = self.margin(features)
        return torch.sigmoid(margin) if self.is_probability else margin


class Exponential(torch.nn.Module):
    """Of a network that learnt logarithms: tells the value."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, features):
        return torch.exp(self.inner(features))


def fit(x, y, is_probability, device, settings, seed):
    torch.manual_seed(seed)
    mean, deviation = x.mean(0), x.std(0)
    deviation = torch.where(deviation > 0, deviation, torch.ones_like(deviation))
    model = Network(mean, deviation, settings["hidden"], is_probability).to(device)
    if not is_probability:
        # From the mean on: a small network would spend its epochs on getting there.
        model.inner[-1].bias.data.fill_(y.mean())
    x, y = x.to(device), y.to(device)
    optimiser = torch.optim.Adam(model.parameters(), lr=settings["rate"], weight_decay=settings["decay"])
    loss_of = torch.nn.BCEWithLogitsLoss() if is_probability else torch.nn.MSELoss()
    order = torch.Generator().manual_seed(seed)
    for _ in range(settings["epochs"]):
        for batch in torch.randperm(len(x), generator=order).split(settings["batch"]):
            optimiser.zero_grad()
            loss = loss_of(model.margin(x[batch.to(device)]), y[batch.to(device)])
            loss.backward()
            optimiser.step()
    return model


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--hidden", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cpu", action="store_true", help="leave a GPU alone")
    given = parser.parse_args()
    settings = {"epochs": given.epochs, "hidden": given.hidden, "rate": 0.003, "decay": 0.0001, "batch": 256}

    spec = json.loads((given.folder / "spec.json").read_text())
    rows = read_rows(given.folder, spec)
    device = torch.device("cuda" if torch.cuda.is_available() and not given.cpu else "cpu")
    print(f"device: {torch.cuda.get_device_name(0) if device.type == 'cuda' else 'CPU'}")
    started = time.process_time()

    names = [feature["name"] for feature in spec["features"]]
    is_probability = spec["kind"] == "probability"
    works_on_logarithms = spec["target"] == "forward_volatility"
    x = np.stack([rows[name] for name in names], axis=1)
    y = np.log(rows["label"]) if works_on_logarithms else rows["label"]
    # Missing features at their mean: the server fills them so before it asks the file.
    means = np.nanmean(x[rows["usable"] == 1], axis=0)
    x = np.where(np.isfinite(x), x, means)
    x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)[:, None]

    for fold in spec["folds"]:
        role = rows[fold["column"]]
        learn, tell = torch.tensor(role == 1), torch.tensor(role == 2)
        model = fit(x[learn], y[learn], is_probability, device, settings, given.seed)
        with torch.no_grad():
            told = model(x[tell].to(device)).cpu()
        if is_probability:
            loss = torch.nn.functional.binary_cross_entropy(told, y[tell]).item()
            share = y[learn].mean().clamp(0.001, 0.999)
            base = torch.nn.functional.binary_cross_entropy(share.expand_as(told), y[tell]).item()
        else:
            loss = torch.mean((told - y[tell]) ** 2).item()
            base = torch.mean((y[learn].mean() - y[tell]) ** 2).item()
        print(f"{fold['column']} {fold['firstTestDay']} to {fold['lastTestDay']}: loss {loss:.4f}, mean alone {base:.4f}")

    usable = torch.tensor(rows["usable"] == 1)
    model = fit(x[usable], y[usable], is_probability, device, settings, given.seed).cpu().eval()
    if works_on_logarithms:
        model = Exponential(model).eval()
    file = given.folder / "model.onnx"
    torch.onnx.export(
        model,
        x[:2],
        str(file),
        input_names=["features"],
        output_names=["value"],
        dynamic_axes={"features": {0: "rows"}, "value": {0: "rows"}},
        opset_version=16,
    )
    check(file, model, x[usable][:64])

    metadata = {
        "features": names,
        "stepCount": 1,
        "input": "features",
        "output": "value",
        "datasetSha256": spec["datasetSha256"],
        "tableSha256": spec["tableSha256"],
        "seed": given.seed,
        "codeVersion": VERSION,
        "trainer": f"PyTorch {torch.__version__} on {device.type}",
        "settings": settings,
        "trainedUntil": spec["trainedUntil"],
        "costSeconds": time.process_time() - started,
    }
    (given.folder / "metadata.json").write_text(json.dumps(metadata, indent=2) + "\n")
    print(f"wrote {file} and metadata.json")


def check(file, model, x):
    """By the ONNX checker and by onnxruntime, where they are installed. The server looks again in any case."""
    try:
        import onnx

        onnx.checker.check_model(onnx.load(str(file)), full_check=True)
        print(f"checked by onnx {onnx.__version__}")
    except ImportError:
        print("not checked: the package onnx is not installed")
    try:
        import onnxruntime

        told = onnxruntime.InferenceSession(str(file)).run(["value"], {"features": x.numpy()})[0]
        with torch.no_grad():
            worst = float(np.abs(told - model(x).numpy()).max())
        if worst > 1e-5:
            raise SystemExit(f"onnxruntime answers otherwise, by {worst}")
        print(f"onnxruntime {onnxruntime.__version__} answers the same, within {worst:.1e}")
    except ImportError:
        print("not compared: the package onnxruntime is not installed")


if __name__ == "__main__":
    main()
