"""A shape the field knows: the feed-forward network of Johnson et al. (2016) with instance norm, to set our speed against.

It runs under ONNX Runtime with random weights, because only its speed is asked.
"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnx import NodeProto, TensorProto

    from impasto.engine import Engine

PEER = "fast-neural-style"
PEER_PARAMETERS = "1.68M parameters"


def open_peer() -> Engine:
    """The peer's network with random weights under ONNX Runtime: only its speed is asked."""
    from impasto.engine.onnx import OnnxEngine

    return OnnxEngine(peer_graph(), stride=4)


def peer_graph() -> bytes:
    """The peer's network: stride-2 convolutions, five residual blocks, nearest-neighbour doubling, instance norm throughout."""
    from onnx import helper

    layers = _Layers()
    x = layers.conv("image", 3, 32, 9)
    x = layers.conv(x, 32, 64, 3, stride=2)
    x = layers.conv(x, 64, 128, 3, stride=2)
    for _ in range(5):
        inner = layers.conv(layers.conv(x, 128, 128, 3), 128, 128, 3, relu=False)
        x = layers.add("Add", [x, inner])
    x = layers.conv(layers.doubled(x), 128, 64, 3)
    x = layers.conv(layers.doubled(x), 64, 32, 3)
    x = layers.conv(x, 32, 3, 9, norm=False, relu=False)
    layers.nodes.append(helper.make_node("Sigmoid", [x], ["painted"]))
    ends = [helper.make_tensor_value_info(name, 1, ["n", 3, "h", "w"]) for name in ("image", "painted")]
    graph = helper.make_graph(layers.nodes, PEER, ends[:1], ends[1:], layers.weights)
    return bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())


class _Layers:
    """Collects a graph's nodes and random weights."""

    def __init__(self) -> None:
        import numpy as np

        self.random = np.random.default_rng(0)
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []

    def add(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        from onnx import helper

        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def weight(self, value: NDArray[np.generic]) -> str:
        from onnx import numpy_helper

        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(value, name))
        return name

    def conv(self, x: str, enter: int, leave: int, kernel: int, *, stride: int = 1, norm: bool = True, relu: bool = True) -> str:
        import numpy as np

        edge = kernel // 2
        x = self.add("Pad", [x, self.weight(np.array([0, 0, edge, edge] * 2, np.int64))], mode="reflect")
        spread = (2 / (enter * kernel**2)) ** 0.5
        kernels = self.random.normal(0, spread, (leave, enter, kernel, kernel)).astype(np.float32)
        bias, gain = (np.full(leave, value, np.float32) for value in (0, 1))
        x = self.add("Conv", [x, self.weight(kernels), self.weight(bias)], strides=[stride, stride])
        if norm:
            x = self.add("InstanceNormalization", [x, self.weight(gain), self.weight(bias)])
        return self.add("Relu", [x]) if relu else x

    def doubled(self, x: str) -> str:
        import numpy as np

        return self.add("Resize", [x, "", self.weight(np.array([1, 1, 2, 2], np.float32))], mode="nearest")
