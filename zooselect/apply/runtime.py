"""Running models in onnxruntime."""

from __future__ import annotations

import signal
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zooselect.errors import IntegrityError, UsageError

if TYPE_CHECKING:
    from zooselect.apply.network import Array

#: A latency is the median of so many runs at least, at most, and for so many seconds.
_RUNS, _MOST, _SECONDS = 5, 100, 1.0
_ERRORS_ONLY = 3


class Session:
    """A model loaded in onnxruntime, on the CPU."""

    def __init__(
        self,
        path: Path,
        what: str = "the model",
        *,
        lean: bool = False,
        watch: Path | None = None,
    ) -> None:
        """Load a model.

        Args:
            path: the ONNX file.
            what: what to call it in a message.
            lean: leave weights as they are in the file rather than lay them out anew for
                speed, which takes the room of one more copy.
            watch: folder to note in what is run, for `operators`.

        Raises:
            IntegrityError: onnxruntime does not take the model.
        """
        onnxruntime = _onnxruntime()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _ERRORS_ONLY + 1
        options.use_deterministic_compute = True
        if lean:
            options.add_session_config_entry("session.disable_prepacking", "1")
            options.graph_optimization_level = (
                onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
            )
        if watch is not None:
            options.enable_profiling = True
            options.profile_file_prefix = str(watch / "profile")
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"], enable_fallback=False
            )
        except Exception as error:  # onnxruntime's own; their base is Exception
            reason = _reason(error).replace(f"Load model from {path} failed:", "")
            raise IntegrityError(
                f"onnxruntime does not take {what}: {reason}",
                hint="nothing was written; it must run in onnxruntime as it is",
            ) from error
        self.outputs = [one.name for one in self._session.get_outputs()]

    @property
    def interface(self) -> list[tuple[str, str, list[Any]]]:
        """Name, type and shape of each input and output."""
        values = (*self._session.get_inputs(), *self._session.get_outputs())
        return [(one.name, one.type, list(one.shape)) for one in values]

    def run(self, sample: dict[str, Array]) -> list[Array]:
        """Return the outputs for a sample.

        Raises:
            UsageError: the model does not run on it.
        """
        try:
            outputs: list[Array] = self._session.run(None, sample)
        except Exception as error:  # onnxruntime's own; their base is Exception
            raise UsageError(
                f"the model does not run on it: {_reason(error)}",
                hint="the samples must fit together; made-up ones may not (give --data)",
            ) from error
        return outputs

    def operators(self) -> dict[str, int]:
        """How often each operator ran, of those onnxruntime made of the graph.

        For a session that is watched; it is not from then on.
        """
        import json

        with open(self._session.end_profiling(), encoding="utf-8") as file:
            events = json.load(file)
        ran = (
            one["args"]["op_name"]
            for one in events
            if one.get("cat") == "Node" and one["name"].endswith("_kernel_time")
        )
        return dict(sorted(Counter(ran).items()))


def latencies(one: Session, other: Session, sample: dict[str, Array]) -> tuple[float, float]:
    """Median seconds a run of each takes; they take turns, so that both meet the same weather."""
    taken: tuple[list[float], list[float]] = ([], [])
    end = time.perf_counter() + _SECONDS
    while len(taken[0]) < _RUNS or (time.perf_counter() < end and len(taken[0]) < _MOST):
        for session, times in zip((one, other), taken, strict=True):
            start = time.perf_counter()
            session.run(sample)
            times.append(time.perf_counter() - start)
    return statistics.median(taken[0]), statistics.median(taken[1])


def _onnxruntime() -> Any:
    try:
        with _interrupts_wait():
            import onnxruntime
    except ImportError as error:
        raise UsageError(
            f"onnxruntime cannot be imported: {_reason(error)}",
            hint="pip install 'zooselect[onnx]'",
        ) from error
    return onnxruntime


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM take effect at the end.

    A library that is interrupted while it starts swallows that, or fails to import.
    """
    came: list[int] = []
    handlers = {}
    if threading.current_thread() is threading.main_thread():  # the one that signals come to
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if callable(handler):
                handlers[number] = handler
                signal.signal(number, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if came:
            handlers[signal.Signals(came[0])](came[0], None)


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:400]
