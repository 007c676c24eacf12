"""Sound graphs pass: the tiny one, those with every way of storing weights, and what the real exporter makes."""
from __future__ import annotations

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from impasto.errors import StyleError
from impasto.styles.graph import check_graph
from tests.styles.making import changed, inverting_graph, inverting_model, model_of


def test_the_tiny_graph_is_sound_and_inverts() -> None:
    check_graph(inverting_graph(), "tiny")
    picture = np.random.default_rng(0).random((2, 3, 4, 8), dtype=np.float32)
    (painted,) = ReferenceEvaluator(inverting_model()).run(None, {"image": picture})
    np.testing.assert_allclose(painted, 1 - picture, atol=1e-6)


@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE])
def test_weights_may_be_stored_typed(kind: int) -> None:
    def change(model: ModelProto) -> None:
        model.graph.initializer[1].CopyFrom(helper.make_tensor("head.bias", kind, [3], [1.0, 1.0, 1.0]))

    check_graph(changed(change), "typed")


@pytest.mark.parametrize("opset", [13, 17, 20])
def test_opsets_of_today_pass(opset: int) -> None:
    def change(model: ModelProto) -> None:
        model.opset_import[0].version = opset

    check_graph(changed(change), "opset")


def test_sizes_computed_in_the_graph_are_followed() -> None:
    """Resize to a size taken from the image itself, as exporters write it."""
    index = numpy_helper.from_array(np.array([2, 3], np.int64), "index")
    whole = numpy_helper.from_array(np.array([0, 1], np.int64), "whole")
    half = numpy_helper.from_array(np.array([1, 1, 0.5, 0.5], np.float32), "half")
    nodes = [
        helper.make_node("Resize", ["image", "", "half"], ["small"], mode="nearest"),
        helper.make_node("Shape", ["image"], ["shape"]),
        helper.make_node("Gather", ["shape", "whole"], ["count"]),
        helper.make_node("Gather", ["shape", "index"], ["size"]),
        helper.make_node("Concat", ["count", "size"], ["target"], axis=0),
        helper.make_node("Resize", ["small", "", "", "target"], ["painted"], mode="linear"),
    ]
    check_graph(bytes(model_of(nodes, [index, whole, half]).SerializeToString()), "resize")


@pytest.mark.parametrize("name", ["swift", "brush"])
def test_real_generators_pass(name: str) -> None:
    pytest.importorskip("torch")
    from impasto import plugins
    from impasto.engine.export import export_graph

    generator = plugins.load("generators", name)
    graph = export_graph(generator.Generator(generator.Settings()))
    check_graph(graph, name)
    with pytest.raises(StyleError):
        check_graph(graph[:-100], name)
