"""Holds ONNX files that were written here against the ONNX checker and onnxruntime.

Reads a folder with NAME.onnx and NAME.json beside it, {"sizes": [...], "inputs": [...], "predictions": [...]}; null in
the inputs is missing. Run scripts/check-onnx.ts, which writes such a folder for every learner and calls this script with it.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

print(f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}")
worst_of_all = 0.0
for file in sorted(Path(sys.argv[1]).glob("*.onnx")):
    case = json.loads(file.with_suffix(".json").read_text())
    model = onnx.load(file)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(str(file))
    (given,) = session.get_inputs()
    element = np.float64 if given.type == "tensor(double)" else np.float32
    values = np.array([np.nan if x is None else x for x in case["inputs"]], dtype=element).reshape(case["sizes"])
    told = session.run(["value"], {"features": values})[0][:, 0]
    expected = np.array(case["predictions"])
    worst = float(np.max(np.abs(told - expected) / (1 + np.abs(expected))))
    worst_of_all = max(worst_of_all, worst)
    print(f"{file.stem}: checked, {len(told)} rows, largest difference {worst:.1e}")
    if worst > case["tolerance"]:
        sys.exit(f"{file.stem} answers otherwise than here: {worst}")
print(f"largest of all {worst_of_all:.1e}")
