"""From a generator to a graph and back, and how the engines agree on real generators with lively weights."""
from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import onnx
import pytest

from tests.fakes import Inverter, lively, noise

torch = pytest.importorskip("torch", reason="generators are exported with torch (extra 'learn')")

from impasto import plugins  # noqa: E402  torch must be known to be there first
from impasto.engine import Engine, load_engine  # noqa: E402
from impasto.engine.encode import as_encoders_see, read_code  # noqa: E402
from impasto.engine.export import export_encoder, export_graph, paint_preview, parity, read_weights  # noqa: E402
from impasto.engine.graph import with_code  # noqa: E402
from impasto.engine.openvino import _has_bf16  # noqa: E402
from impasto.engine.trial import trial_picture  # noqa: E402
from impasto.errors import EngineError  # noqa: E402
from impasto.models.blocks import Painter  # noqa: E402
from impasto.render.tiles import self_test  # noqa: E402
from impasto.styles.ends import ENCODER_ENDS, Ends  # noqa: E402
from impasto.styles.graph import check_graph  # noqa: E402
from impasto.styles.package import Tier  # noqa: E402
from impasto.styles.preview import check_preview  # noqa: E402

GENERATORS = plugins.names("generators")


class Exported(NamedTuple):
    network: Painter
    graph: bytes
    tier: Tier


@cache
def exported(name: str) -> Exported:
    room = plugins.load("generators", name)
    network: Painter = lively(room.Generator(room.Settings(blocks=2)))
    parameters = sum(weight.numel() for weight in network.parameters())
    settings = network.settings.model_dump()
    sizes = {"stride": network.stride, "receptive_field": network.receptive_field, "parameters": parameters}
    return Exported(network, export_graph(network), Tier(generator=name, settings=settings, scale=network.scale, **sizes))


@cache
def opened(name: str, engine: str, precision: str) -> Engine:
    _, graph, tier = exported(name)
    return load_engine(engine).open(graph, tier, precision)


def photo(size: int = 128) -> np.ndarray:
    return np.rint(trial_picture(size)[0].transpose(1, 2, 0) * 255).astype(np.uint8)


@pytest.mark.parametrize("name", GENERATORS)
def test_weights_come_back_under_their_names(name: str) -> None:
    network, graph, _ = exported(name)
    weights = read_weights(graph)
    assert list(weights) == list(network.state_dict())
    for key, value in network.state_dict().items():
        np.testing.assert_allclose(weights[key], value.numpy(), rtol=1e-3, atol=1e-4)
    network.load_state_dict({key: torch.from_numpy(value) for key, value in weights.items()})


@pytest.mark.parametrize("name", GENERATORS)
def test_the_graph_is_small_clean_and_fit_for_a_style_file(name: str) -> None:
    _, graph, tier = exported(name)
    check_graph(graph, "exported", Ends.of(tier))
    model = onnx.load_from_string(graph)
    assert len(graph) < 2.05 * tier.parameters + 20_000, "weights are stored once, in fp16"
    assert {weight.data_type for weight in model.graph.initializer} == {onnx.TensorProto.FLOAT16}
    assert not any(node.doc_string or node.metadata_props for node in model.graph.node)
    assert (model.producer_version, model.doc_string, list(model.metadata_props)) == ("", "", [])
    assert b".py" not in graph
    assert b"site-packages" not in graph


def test_exporting_twice_gives_the_same_bytes() -> None:
    network, graph, _ = exported("swift")
    assert export_graph(network) == graph


def test_exporting_leaves_the_generator_as_it_was() -> None:
    room = plugins.load("generators", "swift")
    network = room.Generator(room.Settings(width=8, blocks=1, head=8)).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    export_graph(network)
    assert network.training
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())


def test_equal_weights_keep_a_name_each() -> None:
    room = plugins.load("generators", "swift")
    fresh = room.Generator(room.Settings(width=8, blocks=2, head=8))  # its biases are all zero, which exporters store once
    weights = read_weights(export_graph(fresh))
    assert list(weights) == list(fresh.state_dict())


def test_weights_that_fp16_cannot_hold_stay_fp32() -> None:
    room = plugins.load("generators", "swift")
    network = lively(room.Generator(room.Settings(width=8, blocks=1, head=8)))
    with torch.no_grad():
        network.stem.weight *= 1e6
        network.stem.bias *= 1e6
        network.trunk[0].enter.weight *= 1e-6
        network.trunk[0].leave.weight *= 1e6
        network.to_half.conv.weight *= 1e-6
    graph = export_graph(network)
    kinds = {weight.data_type for weight in onnx.load_from_string(graph).graph.initializer}
    assert kinds == {onnx.TensorProto.FLOAT}
    assert all(np.array_equal(value, network.state_dict()[key].numpy()) for key, value in read_weights(graph).items())


def small_swift(**settings: int) -> Painter:
    room = plugins.load("generators", "swift")
    return lively(room.Generator(room.Settings(width=8, blocks=1, head=8, **settings)))


def test_a_code_stays_a_weight_that_can_be_replaced() -> None:
    network, picture = small_swift(code=3), photo(64)
    graph = export_graph(network)
    assert read_weights(graph)["code"].tolist() == [0, 0, 0]
    assert check_graph(graph, "coded") == 3
    code = [0.123456, -70_000.0, 1.5]  # exact in fp32 and beyond fp16: codes may be extrapolated far
    assert read_weights(with_code(graph, code))["code"] == pytest.approx(code, rel=1e-7)
    told = Tier(generator="swift", settings=network.settings.model_dump(), stride=4, receptive_field=64, parameters=0)
    plain, coded = (load_engine("onnx").open(each, told, "fp32") for each in (graph, with_code(graph, [1.0, -1.0, 0.5])))
    assert parity(plain, coded, photo(64)).steps > 10, "the code is not folded away"
    image = torch.from_numpy(picture.transpose(2, 0, 1)[None] / 255).float()
    with torch.inference_mode():
        truth = network(image, torch.tensor([[1.0, -1.0, 0.5]]))[0].numpy().transpose(1, 2, 0)
    assert np.abs(coded.paint((picture / 255).astype(np.float32)[None])[0] - truth).max() < 1.5 / 255


def test_guides_enter_beside_the_colour() -> None:
    network = small_swift(guides=3)
    network.guides = {"depth": 1, "motion": 2}
    check_graph(export_graph(network), "guided", Ends(planes=6))


def test_an_encoder_is_exported_for_any_size() -> None:
    encoder = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, 2, 1), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(8, 5)
    )
    graph = export_encoder(encoder)
    assert check_graph(graph, "encoder", ENCODER_ENDS) == 5
    assert len(read_code(graph, photo(90))) == 5
    with torch.inference_mode():
        truth = encoder(torch.from_numpy(as_encoders_see(photo(90))))[0]
    assert read_code(graph, photo(90)) == pytest.approx(truth.tolist(), abs=0.01)


def test_previews_of_every_kind_have_one_size() -> None:
    guided, larger = small_swift(guides=1), exported("enlarge")
    guided.guides = {"depth": 1}
    sizes = {"stride": 4, "receptive_field": 64, "parameters": 0}
    told = Tier(generator="swift", settings=guided.settings.model_dump(), guides={"depth": 1}, **sizes)
    coded = Tier(generator="swift", codes={"first": [2.0, -1.0, 0.0], "other": [0.0] * 3}, **sizes)
    code = export_graph(small_swift(code=3))
    previews = [paint_preview(export_graph(guided), told), paint_preview(larger.graph, larger.tier), paint_preview(code, coded)]
    assert [check_preview(preview, "preview") for preview in previews] == [(512, 288)] * 3
    assert previews[2] != paint_preview(code, coded.model_copy(update={"codes": {}})), "of many looks it shows the first"


def test_a_network_that_is_not_what_it_seems_is_refused() -> None:
    class Shaky(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * 0 + x.sum().item() % 1  # a number that tracing freezes

    with pytest.raises(EngineError, match="does not paint what the generator paints"), pytest.warns(torch.jit.TracerWarning):
        export_graph(Shaky())


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("engine", [engine for engine in plugins.names("engines") if engine != "openvino"])
def test_engines_agree_in_fp32(name: str, engine: str) -> None:
    ours, theirs = opened(name, "openvino", "fp32"), opened(name, engine, "fp32")
    assert parity(ours, theirs, photo()).steps <= 2
    assert parity(ours, theirs, photo(126)[:, :93]).steps <= 2, "also where the stride does not divide the size"
    assert parity(ours, theirs, (photo() / 255).astype(np.float32)).steps < 0.05


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("engine", ["openvino", "pytorch"])
def test_bf16_stays_near(name: str, engine: str) -> None:
    if engine == "openvino" and not _has_bf16():
        pytest.skip("this processor does not compute in bf16")
    found = parity(opened(name, "openvino", "fp32"), opened(name, engine, "bf16"), photo())
    # these random weights are livelier than trained ones, which stay above 55 dB
    assert 45 < found.psnr_db < 90


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("way", ["openvino fp32", "openvino bf16", "onnx fp32", "pytorch fp32"])
def test_tiles_equal_the_whole(name: str, way: str) -> None:
    engine, precision = way.split()
    if precision == "bf16" and not _has_bf16():
        pytest.skip("this processor does not compute in bf16")
    network, _, _ = exported(name)
    assert self_test(opened(name, engine, precision), network.stride, network.receptive_field) == 0


@pytest.mark.parametrize("name", [name for name in GENERATORS if name != "tint"])  # its chance weights all vote for grey
def test_tiles_with_too_little_around_them_are_found_out(name: str) -> None:
    network, _, _ = exported(name)
    with pytest.raises(EngineError, match="tiles differ from the whole picture by"):
        self_test(opened(name, "onnx", "fp32"), network.stride, network.receptive_field // 16)


def test_parity_counts_in_steps_of_a_byte() -> None:
    class Dimmer(Inverter):
        def paint(self, batch: np.ndarray) -> np.ndarray:
            return super().paint(batch) - (5 if batch.dtype == np.uint8 else np.float32(5 / 255))

    pixels = noise(16, 16) // 2
    assert parity(Inverter(), Inverter(), pixels) == (0, float("inf"))
    assert parity(Inverter(), Dimmer(), pixels) == (5, pytest.approx(34.151, abs=0.001))
    steps, psnr = parity(Inverter(), Dimmer(), np.stack([pixels / 255] * 2).astype(np.float32))
    assert (steps, psnr) == (pytest.approx(5, abs=1e-3), pytest.approx(34.151, abs=0.001))
