"""Makes torch-volatility.onnx: a small LSTM of PyTorch over windows of 10 days, written by torch.onnx.

What it learns is made up from a seed: the volatility a year of the next days, from log variances of a day, a week and a
month. Run: python make-torch.py
"""

import torch

ROWS, DAYS, FEATURES = 512, 10, 3
torch.manual_seed(1)
torch.set_num_threads(1)


class Volatility(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(FEATURES, 8, batch_first=True)
        self.dense = torch.nn.Linear(8, 1)

    def forward(self, features):
        scaled = (features + 9.0) / 1.5
        hidden, _ = self.lstm(scaled)
        return torch.exp(self.dense(hidden[:, -1]) - 1.5)


x = -9.0 + 1.5 * torch.randn(ROWS, DAYS, FEATURES)
y = torch.exp(0.5 * (x[:, -1, 1:2] + 5.53))
model = Volatility()
optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
for _ in range(150):
    optimiser.zero_grad()
    loss = torch.mean((torch.log(model(x)) - torch.log(y)) ** 2)
    loss.backward()
    optimiser.step()

model.eval()
torch.onnx.export(
    model,
    x[:2],
    "torch-volatility.onnx",
    input_names=["features"],
    output_names=["volatility"],
    dynamic_axes={"features": {0: "rows"}, "volatility": {0: "rows"}},
    opset_version=16,
)
print(f"PyTorch {torch.__version__}, squared error of the logarithm {loss.item():.4f}")
