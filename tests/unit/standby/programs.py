"""A small model as TorchScript, as an exported program and as ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

ARRAYS = [[[1.0, 2.0, 3.0]], [[0.0, -1.0, 1.0]]]


class Linear(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(3, 2)

    def forward(self, x: Any) -> Any:
        return self.layer(x)


def script(folder: Path, linear: Linear) -> None:
    torch.jit.save(torch.jit.trace(linear, torch.zeros(1, 3)), str(folder / "model.pt"))


def exported(folder: Path, linear: Linear) -> None:
    torch.export.save(torch.export.export(linear, (torch.zeros(1, 3),)), str(folder / "model.pt2"))


def onnx_file(folder: Path, linear: Linear) -> None:
    from onnx import TensorProto, helper, numpy_helper, save

    kept = {"layer.weight": linear.layer.weight, "layer.bias": linear.layer.bias}
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", *kept], ["y"], transB=1)],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
        [numpy_helper.from_array(tensor.detach().numpy(), name) for name, tensor in kept.items()],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), folder / "model.onnx")


FORMS = {"torchscript": script, "torch-export": exported, "onnxruntime": onnx_file}
"""Writes the model as the loader of that name reads it."""
