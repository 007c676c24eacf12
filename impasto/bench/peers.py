"""Shapes that the field knows, to set our speed against: networks as they were published, with random weights.

All run under ONNX Runtime in fp32, in the same run as ours: only their speed is asked. Their normalisation by instance is kept,
because they cannot do without it, and ours does.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnx import NodeProto, TensorProto

    from impasto.engine import Engine

PEER = "fast-neural-style"  # the one that all ratios are to


def open_peer(name: str = PEER) -> Engine:
    """A peer's network under ONNX Runtime."""
    from impasto.engine.onnx import OnnxEngine

    return OnnxEngine(peer_graph(name), stride=4)


def peer_graph(name: str = PEER) -> bytes:
    """A peer's network "image" -> "painted", with random weights."""
    from onnx import helper

    layers = Layers()
    x = PEERS[name](layers)
    layers.nodes.append(helper.make_node("Sigmoid", [x], ["painted"]))
    ends = [helper.make_tensor_value_info(end, 1, ["n", 3, "h", "w"]) for end in ("image", "painted")]
    graph = helper.make_graph(layers.nodes, name, ends[:1], ends[1:], layers.weights)
    return bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())


class Layers:
    """Collects a graph's nodes and random weights."""

    def __init__(self) -> None:
        import numpy as np

        self.random = np.random.default_rng(0)
        self.nodes: list[NodeProto] = []
        self.weights: list[TensorProto] = []

    def add(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        """A node with one output, whose name is told."""
        from onnx import helper

        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def weight(self, value: NDArray[np.generic]) -> str:
        """A stored value."""
        from onnx import numpy_helper

        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(value, name))
        return name

    def conv(
        self,
        x: str,
        enter: int,
        leave: int,
        kernel: int,
        *,
        stride: int = 1,
        group: int = 1,
        norm: bool = True,
        relu: bool = True,
    ) -> str:
        """A convolution over a mirrored edge, and what follows it."""
        import numpy as np

        edge = kernel // 2
        if edge:
            x = self.add("Pad", [x, self.weight(np.array([0, 0, edge, edge] * 2, np.int64))], mode="reflect")
        kernels = self.kernels(leave, enter // group, kernel)
        x = self.add("Conv", [x, kernels, self.each(leave, 0)], strides=[stride, stride], group=group)
        return self._finished(x, leave, norm, relu)

    def grown(self, x: str, enter: int, leave: int) -> str:
        """Twice the size by a transposed convolution."""
        how = {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}
        x = self.add("ConvTranspose", [x, self.kernels(enter, leave, 3), self.each(leave, 0)], **how)
        return self._finished(x, leave, True, True)

    def doubled(self, x: str) -> str:
        """Twice the size by repetition."""
        import numpy as np

        return self.add("Resize", [x, "", self.weight(np.array([1, 1, 2, 2], np.float32))], mode="nearest")

    def block(self, x: str, width: int) -> str:
        """A residual block of two convolutions."""
        return self.add("Add", [x, self.conv(self.conv(x, width, width, 3), width, width, 3, relu=False)])

    def inverted(self, x: str, width: int) -> str:
        """A residual block that widens, looks around channel by channel, and narrows again."""
        inner = self.conv(self.conv(x, width, 2 * width, 1), 2 * width, 2 * width, 3, group=2 * width)
        return self.add("Add", [x, self.conv(inner, 2 * width, width, 1, relu=False)])

    def kernels(self, first: int, second: int, kernel: int) -> str:
        """Random weights [first,second,kernel,kernel] that keep values as large as they come in."""
        import numpy as np

        spread = (2 / (second * kernel**2)) ** 0.5
        return self.weight(self.random.normal(0, spread, (first, second, kernel, kernel)).astype(np.float32))

    def each(self, channels: int, value: float) -> str:
        """One value for every channel."""
        import numpy as np

        return self.weight(np.full(channels, value, np.float32))

    def _finished(self, x: str, channels: int, norm: bool, relu: bool) -> str:
        x = self.add("InstanceNormalization", [x, self.each(channels, 1), self.each(channels, 0)]) if norm else x
        return self.add("Relu", [x]) if relu else x


def _fast_neural_style(layers: Layers) -> str:
    """Johnson et al. 2016, with instance norm: five residual blocks, nearest-neighbour doubling."""
    x = layers.conv("image", 3, 32, 9)
    x = layers.conv(x, 32, 64, 3, stride=2)
    x = layers.conv(x, 64, 128, 3, stride=2)
    for _ in range(5):
        x = layers.block(x, 128)
    x = layers.conv(layers.doubled(x), 128, 64, 3)
    x = layers.conv(layers.doubled(x), 64, 32, 3)
    return layers.conv(x, 32, 3, 9, norm=False, relu=False)


def _animegan(layers: Layers) -> str:
    """The kind of AnimeGAN: plain convolutions outside, inverted residual blocks inside."""
    x = layers.conv("image", 3, 32, 7)
    x = layers.conv(layers.conv(x, 32, 64, 3, stride=2), 64, 64, 3)
    x = layers.conv(layers.conv(x, 64, 128, 3, stride=2), 128, 128, 3)
    for _ in range(4):
        x = layers.inverted(x, 128)
    x = layers.conv(x, 128, 128, 3)
    x = layers.conv(layers.conv(layers.doubled(x), 128, 128, 3), 128, 64, 3)
    x = layers.conv(layers.conv(layers.doubled(x), 64, 64, 3), 64, 32, 3)
    return layers.conv(x, 32, 3, 7, norm=False, relu=False)


def _few_shot(layers: Layers) -> str:
    """The kind of few-shot patch-based training (Texler et al. 2020): a U-net with residual blocks at its bottom."""
    whole = layers.conv("image", 3, 32, 7)
    half = layers.conv(whole, 32, 64, 3, stride=2)
    quarter = x = layers.conv(half, 64, 128, 3, stride=2)
    for _ in range(7):
        x = layers.block(x, 128)
    x = layers.conv(layers.add("Concat", [x, quarter], axis=1), 256, 128, 3)
    x = layers.conv(layers.add("Concat", [layers.doubled(x), half], axis=1), 192, 128, 3)
    x = layers.conv(layers.add("Concat", [layers.doubled(x), whole, "image"], axis=1), 163, 64, 7)
    x = layers.conv(layers.conv(x, 64, 64, 3), 64, 64, 3)
    return layers.conv(x, 64, 3, 1, norm=False, relu=False)


def _cyclegan(layers: Layers) -> str:
    """CycleGAN's ResNet of nine blocks (Zhu et al. 2017)."""
    x = layers.conv("image", 3, 64, 7)
    x = layers.conv(x, 64, 128, 3, stride=2)
    x = layers.conv(x, 128, 256, 3, stride=2)
    for _ in range(9):
        x = layers.block(x, 256)
    x = layers.grown(layers.grown(x, 256, 128), 128, 64)
    return layers.conv(x, 64, 3, 7, norm=False, relu=False)


PEERS: dict[str, Callable[[Layers], str]] = {
    PEER: _fast_neural_style,
    "animegan": _animegan,
    "few-shot-patch": _few_shot,
    "cyclegan": _cyclegan,
}
PARAMETERS = {PEER: "1.68M", "animegan": "0.99M", "few-shot-patch": "3.27M", "cyclegan": "11.4M"}
