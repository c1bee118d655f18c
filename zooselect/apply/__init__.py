"""One-shot really done: prune, quantize and measure an ONNX model (extra `[onnx]`)."""

from zooselect.apply.one_shot import apply
from zooselect.apply.report import LayerReport, Measured, Report

__all__ = ["LayerReport", "Measured", "Report", "apply"]
