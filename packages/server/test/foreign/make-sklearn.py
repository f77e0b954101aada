"""Makes sklearn-direction.onnx: a logistic regression of scikit-learn, written by skl2onnx.

What it learns is made up from a seed: whether the next days swing more, from two features of the view `forecast`
(variance_week_month, variance_ema_month) and a fall of the price. Run: python make-sklearn.py
"""

import numpy as np
import skl2onnx
import sklearn
from skl2onnx.common.data_types import DoubleTensorType
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

ROWS = 400
random = np.random.default_rng(1)
x = random.normal(size=(ROWS, 3)) * [0.6, 0.4, 2.0]
y = random.random(ROWS) < 1 / (1 + np.exp(1.2 * x[:, 0]))

model = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, y)
onnx = skl2onnx.to_onnx(
    model,
    initial_types=[("features", DoubleTensorType([None, 3]))],
    options={id(model): {"zipmap": False}},
    target_opset=17,
)
onnx.doc_string = f"scikit-learn {sklearn.__version__}, skl2onnx {skl2onnx.__version__}"
with open("sklearn-direction.onnx", "wb") as file:
    file.write(onnx.SerializeToString())
print(onnx.doc_string)
