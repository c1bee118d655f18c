"""A small CNN trained on scikit-learn's digits with numpy, and what each level leaves of it.

`python -m tests.apply.slow.digits` prints the table and writes the picture of `docs/apply.md`.
"""

import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits

from tests.apply.networks import write_samples
from zooselect.apply import apply

LEVELS = (0.0, 0.1, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
HELD_OUT = 450
SEEDS = 3
_EPOCHS, _BATCH, _RATE = 25, 32, 2e-3
_SHAPES = {
    "conv1": (16, 1, 3, 3),
    "conv2": (32, 16, 3, 3),
    "conv3": (32, 32, 3, 3),
    "fc1": (64, 128),
    "fc2": (10, 64),
}


def digits():
    """Return images and labels to train with, and others held out; 8 x 8, shuffled."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    pictures = (images[order] / 8 - 1).reshape(-1, 1, 8, 8).astype(np.float32)
    labels = labels[order]
    return (pictures[HELD_OUT:], labels[HELD_OUT:]), (pictures[:HELD_OUT], labels[:HELD_OUT])


def _patches(x):
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(*x.shape[:1], *x.shape[2:], -1)


def _unpatch(columns, shape):
    count, channels, height, width = shape
    parts = columns.reshape(count, height, width, channels, 3, 3).transpose(0, 3, 1, 2, 4, 5)
    x = np.zeros((count, channels, height + 2, width + 2), np.float32)
    for row in range(3):
        for column in range(3):
            x[:, :, row : row + height, column : column + width] += parts[..., row, column]
    return x[:, :, 1:-1, 1:-1]


class Cnn:
    """Three convolutions and two linear layers, trained by Adam."""

    def __init__(self, seed=0):
        random = np.random.default_rng(seed)
        self.weights = {}
        for name, shape in _SHAPES.items():
            scale = (2 / np.prod(shape[1:])) ** 0.5
            self.weights[f"{name}.weight"] = random.normal(0, scale, shape).astype(np.float32)
            self.weights[f"{name}.bias"] = np.zeros(shape[0], np.float32)
        self.random = random
        self.moments = {name: [np.zeros_like(one)] * 2 for name, one in self.weights.items()}
        self.steps = 0

    def forward(self, x):
        """Return the logits, and what the way back needs."""
        tape = []
        for name in ("conv1", "conv2", "conv3"):
            columns = _patches(x)
            weight = self.weights[f"{name}.weight"]
            y = columns @ weight.reshape(len(weight), -1).T + self.weights[f"{name}.bias"]
            y = y.transpose(0, 3, 1, 2)
            tape.append((x.shape, columns, y > 0))
            x = np.maximum(y, 0)
            if name != "conv1":
                tape.append(self._pool(x))
                x = tape[-1][1]
        flat = x.reshape(len(x), -1)
        hidden = np.maximum(flat @ self.weights["fc1.weight"].T + self.weights["fc1.bias"], 0)
        tape += [x.shape, flat, hidden]
        return hidden @ self.weights["fc2.weight"].T + self.weights["fc2.bias"], tape

    @staticmethod
    def _pool(x):
        blocks = x.reshape(*x.shape[:2], x.shape[2] // 2, 2, x.shape[3] // 2, 2)
        pooled = blocks.max((3, 5))
        return blocks == pooled[:, :, :, None, :, None], pooled

    def gradients(self, x, labels):
        """Return the gradient of the mean cross entropy for each weight."""
        logits, tape = self.forward(x)
        shares = np.exp(logits - logits.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        shares[np.arange(len(labels)), labels] -= 1
        back = shares / len(labels)
        hidden, flat, shape = tape.pop(), tape.pop(), tape.pop()
        found = {"fc2.weight": back.T @ hidden, "fc2.bias": back.sum(0)}
        back = back @ self.weights["fc2.weight"] * (hidden > 0)
        found |= {"fc1.weight": back.T @ flat, "fc1.bias": back.sum(0)}
        back = (back @ self.weights["fc1.weight"]).reshape(shape)
        for name in ("conv3", "conv2", "conv1"):
            if name != "conv1":
                where, _ = tape.pop()
                back = (where * back[:, :, :, None, :, None]).reshape(
                    *back.shape[:2], back.shape[2] * 2, back.shape[3] * 2
                )
            shape, columns, positive = tape.pop()
            back = (back * positive).transpose(0, 2, 3, 1)
            weight = self.weights[f"{name}.weight"]
            flat_back = back.reshape(-1, len(weight))
            found[f"{name}.weight"] = (
                flat_back.T @ columns.reshape(-1, columns.shape[-1])
            ).reshape(weight.shape)
            found[f"{name}.bias"] = flat_back.sum(0)
            back = _unpatch(back @ weight.reshape(len(weight), -1), shape)
        return found

    def train(self, x, labels):
        """Train with Adam (Kingma and Ba, 2015) and decoupled weight decay."""
        for epoch in range(_EPOCHS):
            order = self.random.permutation(len(labels))
            rate = _RATE * (1 - epoch / _EPOCHS)
            for start in range(0, len(order), _BATCH):
                batch = order[start : start + _BATCH]
                self.steps += 1
                for name, gradient in self.gradients(x[batch], labels[batch]).items():
                    first, second = self.moments[name]
                    first = 0.9 * first + 0.1 * gradient
                    second = 0.999 * second + 0.001 * gradient**2
                    self.moments[name] = [first, second]
                    step = first / (1 - 0.9**self.steps)
                    step = step / (np.sqrt(second / (1 - 0.999**self.steps)) + 1e-8)
                    decay = 0.01 * self.weights[name] if name.endswith("weight") else 0
                    self.weights[name] = (self.weights[name] - rate * (step + decay)).astype("f4")
        return self

    @property
    def model(self):
        """The network in ONNX."""
        nodes, x = [], "image"

        def op(kind, *inputs, output, **attributes):
            nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
            return output

        for name in ("conv1", "conv2", "conv3"):
            x = op("Conv", x, f"{name}.weight", f"{name}.bias", output=name, pads=[1] * 4)
            x = op("Relu", x, output=f"{name}.relu")
            if name != "conv1":
                size = {"kernel_shape": [2, 2], "strides": [2, 2]}
                x = op("MaxPool", x, output=f"{name}.pool", **size)
        x = op("Flatten", x, output="flat")
        x = op("Gemm", x, "fc1.weight", "fc1.bias", output="fc1", transB=1)
        op("Gemm", op("Relu", x, output="r"), "fc2.weight", "fc2.bias", output="logits", transB=1)
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            nodes,
            "digits",
            [value("image", TensorProto.FLOAT, ["batch", 1, 8, 8])],
            [value("logits", TensorProto.FLOAT, ["batch", 10])],
            [numpy_helper.from_array(one, name) for name, one in self.weights.items()],
        )
        opset = [helper.make_opsetid("", 13)]
        return helper.make_model(graph, opset_imports=opset, ir_version=8)


def accuracy(path, images, labels):
    """Fraction of the images a model file names rightly."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return float(np.mean(session.run(None, {"image": images})[0].argmax(1) == labels))


def axis(folder):
    """Return for each level and scope: level, scope, sparsity, accuracy held out, gzip bytes.

    Means over networks that differ in what their training started from.
    """
    train, held_out = digits()
    data = write_samples(folder / "data", {"image": train[0][:64]})
    found = {}
    for seed in range(SEEDS):
        source = folder / f"{seed}.onnx"
        onnx.save(Cnn(seed).train(*train).model, source)
        for scope in ("layer", "global"):
            for level in LEVELS:
                out = folder / f"{seed}-{scope}-{level}.onnx"
                report = apply(source, level, out, data=data, scope=scope)
                packed = report.measured.bytes_compressed if report.measured else 0
                sparsity = 0.0 if report.sparsity is None else report.sparsity
                measured = (sparsity, accuracy(out, *held_out), packed)
                found.setdefault((level, scope), []).append(measured)
    return [(*key, *np.mean(each, axis=0)) for key, each in found.items()]


def table(rows):
    """The rows in Markdown, scopes side by side."""
    lines = [
        "| level | sparsity | accuracy | `--scope global` | compressed |",
        "|---|---|---|---|---|",
    ]
    other = {level: right for level, scope, _, right, _ in rows if scope == "global"}
    for level, scope, sparsity, right, packed in rows:
        if scope == "layer":
            share = f"{sparsity:.2%}" if sparsity else "none"
            size = f"{packed / 1000:.1f} kB" if packed else "-"
            lines.append(f"| {level} | {share} | {right:.1%} | {other[level]:.1%} | {size} |")
    return "\n".join(lines)


def svg(rows):
    """A plot of accuracy against level, for each scope a line."""
    left, top, width, height = 60, 20, 480, 260

    def at(level, right):
        return f"{left + level * width:.1f},{top + (1 - right) * height:.1f}"

    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 340" font-family="sans-serif"'
        ' font-size="12"><rect width="600" height="340" fill="white"/>'
    ]
    for share in range(0, 101, 20):
        y = top + (1 - share / 100) * height
        parts.append(f'<path d="M{left},{y:.0f}h{width}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.0f}" text-anchor="end">{share} %</text>')
    for level in LEVELS:
        x = left + level * width
        parts.append(
            f'<text x="{x:.0f}" y="{top + height + 18}" text-anchor="middle">{level}</text>'
        )
    x = left + 0.3 * width
    parts.append(f'<path d="M{x:.0f},{top}v{height}" stroke="#888" stroke-dasharray="4"/>')
    parts.append(f'<text x="{x + 6:.0f}" y="{top + height - 8}" fill="#555">pruning starts</text>')
    for scope, colour, y in (("layer", "#0072b2", 230), ("global", "#d55e00", 248)):
        points = " ".join(at(level, right) for level, one, _, right, _ in rows if one == scope)
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        parts.append(f'<path d="M70,{y - 4}h20" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="96" y="{y}">--scope {scope}</text>')
    middle = left + width / 2
    parts.append(f'<text x="{middle:.0f}" y="{top + height + 40}" text-anchor="middle">')
    parts.append("optim level, one-shot; accuracy on 450 digits held out</text></svg>")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        measured = axis(Path(made))
    print(table(measured))
    picture = Path(__file__).resolve().parents[3] / "docs" / "apply-digits.svg"
    picture.write_text(svg(measured))
