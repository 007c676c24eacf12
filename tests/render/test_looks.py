"""Looks chosen by code: by name, as a blend, from a picture, as a variation; and what is said where none is meant."""
from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import numpy_helper
from PIL import Image

from impasto import cli
from impasto.errors import InputError, MediaError, StyleError
from impasto.job import Progress
from impasto.render.job import RenderJob
from impasto.render.looks import Look, check_variation, find_look, parted
from impasto.render.mattes import StyleUse
from impasto.styles.package import StyleFile
from tests.fakes import BLUE, GREEN, RED, coded_graph, colour_reader, noise, write_coded_style, write_tiny_style
from tests.render.clips import write_sequence


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Two looks and an encoder in one network."""
    return write_coded_style(tmp_path / "many.style", colour_reader(), red=RED, green=GREEN)


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    path = tmp_path / "in.png"
    Image.fromarray(noise(20, 28)).save(path)
    return path


def solid(path: Path, *colour: int) -> Path:
    Image.new("RGB", (40, 30), colour).save(path)
    return path


def painted(shot: Path, style: str | Path | list[str], **options: Any) -> np.ndarray:
    out = shot.parent / f"painted-{len(list(shot.parent.iterdir()))}.png"
    looks = style if isinstance(style, list) else [str(style)]
    RenderJob.build(inputs=[shot], out=out, style=looks, engine="onnx", **options).finish()
    return np.asarray(Image.open(out)).astype(float)


def test_two_codes_paint_differently_and_each_as_it_says(shot: Path, many: Path) -> None:
    red, green = painted(shot, f"{many}#red"), painted(shot, f"{many}#green")
    assert red[..., 0].mean() > 200 > 60 > red[..., 1].mean()
    assert green[..., 1].mean() > 200 > 60 > green[..., 0].mean()


def test_a_blend_lies_between_and_may_go_beyond(shot: Path, many: Path) -> None:
    shares = [painted(shot, f"{many}#red:{1 - part},green:{part}")[..., 0].mean() for part in (0, 0.25, 0.5, 0.75, 1)]
    assert shares == sorted(shares, reverse=True)
    assert len(set(shares)) == 5
    beyond = painted(shot, f"{many}#red:1.5,green:-0.5")
    assert beyond[..., 0].mean() > shares[0]
    np.testing.assert_array_equal(painted(shot, f"{many}#red,green"), painted(shot, f"{many}#red:.5,green:.5"))


def test_a_picture_gives_its_look(shot: Path, many: Path, tmp_path: Path) -> None:
    blue = painted(shot, f"{many}#{solid(tmp_path / 'sea.png', 0, 0, 255)}")
    np.testing.assert_allclose(blue, painted(shot, write_coded_style(tmp_path / "b.style", blue=BLUE)), atol=1)
    mixed = painted(shot, f"{many}#{tmp_path / 'sea.png'}:0.5,red:0.5")
    assert mixed[..., 1].mean() < min(mixed[..., 0].mean(), mixed[..., 2].mean())


def test_a_picture_keeps_its_at_and_the_matte_comes_after(shot: Path, many: Path, tmp_path: Path) -> None:
    picture = solid(tmp_path / "sea@2x.png", 0, 0, 255)
    use = StyleUse.parse(f"{many}#{picture}@alpha")
    assert (use.style, use.matte and use.matte.origin) == (f"{many}#{picture}", "alpha")
    assert StyleUse.parse(f"{many}#{picture}") == StyleUse(f"{many}#{picture}")
    assert StyleUse.parse(f"{many}#red:0.3,green:0.7@skin").style == f"{many}#red:0.3,green:0.7"


def test_a_matte_lays_one_look_over_another(shot: Path, many: Path, tmp_path: Path) -> None:
    half = np.zeros((20, 28), np.uint8)
    half[:, 14:] = 255
    Image.fromarray(half).save(tmp_path / "right.png")
    both = painted(shot, [f"{many}#red", f"{many}#green@{tmp_path / 'right.png'}"])
    np.testing.assert_array_equal(both[:, :14], painted(shot, f"{many}#red")[:, :14])
    np.testing.assert_array_equal(both[:, 14:], painted(shot, f"{many}#green")[:, 14:])


def test_without_a_name_the_first_paints_and_that_is_said(shot: Path, many: Path) -> None:
    job = RenderJob.build(inputs=[shot], out=shot.with_name("out.png"), style=str(many), engine="onnx")
    notes = [event.note for event in job.run() if isinstance(event, Progress)]
    assert "many: red, the first of 2 looks; STYLE#NAME chooses: green" in notes
    np.testing.assert_array_equal(np.asarray(Image.open(shot.with_name("out.png"))), painted(shot, f"{many}#red"))


def test_weights_that_do_not_add_up_are_told(many: Path) -> None:
    assert find_look(f"{many}#red:0.3,green:0.4", "full").note == "the weights of red:0.3,green:0.4 add up to 0.7"
    assert find_look(f"{many}#red:0.3,green:0.7", "full").note == ""


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("grene", "style many has no look 'grene': did you mean green? it has red, green; any picture's file will do"),
        ("gone.jpg", "style many reads looks from pictures, and there is no file gone.jpg: check its path"),
        ("red:0.5,nothing:1", "no look 'nothing': it has red, green"),
        ("red:0.5,green", "give each of the looks a weight, or none"),
        ("red,,green", "a look is missing beside a comma"),
        ("red:1e999", "too large for a weight"),
        ("", "names no look: write STYLE#LOOK"),
    ],
)
def test_a_look_that_is_not_there_is_named_with_the_choices(
    many: Path, shot: Path, capsys: pytest.CaptureFixture[str], words: str, fault: str
) -> None:
    code = cli.main(["render", str(shot), "-o", str(shot.with_name("o.png")), "--style", f"{many}#{words}"])
    told = capsys.readouterr().err.strip().splitlines()
    assert code == 2
    assert fault in told[-1]
    assert not shot.with_name("o.png").exists()


def test_a_style_of_one_look_has_no_others(tmp_path: Path) -> None:
    tiny = write_tiny_style(tmp_path / "tiny.style")
    with pytest.raises(InputError, match="style tiny has one look and none by the name of 'red': leave '#red' out"):
        find_look(f"{tiny}#red", "full")
    with pytest.raises(InputError, match="--variation: tiny does not vary"):
        check_variation([find_look(str(tiny), "full", 3)], 3)


def test_a_style_file_may_have_a_hash_in_its_name(tmp_path: Path) -> None:
    odd = write_coded_style(tmp_path / "a.style", red=RED).rename(tmp_path / "a#1.style")
    assert parted(str(odd)) == (str(odd), "")
    assert find_look(f"{odd}#red", "full").code == tuple(RED)
    with pytest.raises(InputError, match="names no style"):
        parted("#red")


def test_variations_differ_and_come_again(shot: Path, tmp_path: Path) -> None:
    style = write_coded_style(tmp_path / "vary.style", varies=True)
    looks = [find_look(str(style), "full", number) for number in (0, 1, 2, 1)]
    assert looks[0].code == ()
    assert looks[1] == looks[3] != looks[2]
    assert looks[1].code == tuple(np.random.default_rng(1).standard_normal(3))
    pictures = [painted(shot, style, variation=number) for number in (0, 1, 2)]
    assert min(np.abs(pictures[a] - pictures[b]).mean() for a, b in ((0, 1), (0, 2), (1, 2))) > 5


def test_a_look_that_is_named_has_no_variation(many: Path, tmp_path: Path) -> None:
    both = write_coded_style(tmp_path / "both.style", varies=True, red=RED)
    with pytest.raises(InputError, match="both#red is named already: write both alone to see its variations"):
        check_variation([find_look(f"{both}#red", "full", 4)], 4)


def test_a_wedge_of_variations(shot: Path, tmp_path: Path) -> None:
    style = write_coded_style(tmp_path / "vary.style", varies=True)
    job = {"inputs": [shot], "out": tmp_path / "sheet.png", "style": str(style), "engine": "onnx"}
    done = RenderJob.build(**job, wedge="variation=1,2,3").finish()
    assert [setting["variation"] for setting in done.figures["settings"]] == [1, 2, 3]
    sheet = np.asarray(Image.open(tmp_path / "sheet.png")).astype(int)
    places = [(sheet[:, left : left + 28].reshape(-1, 28, 3)) for left in range(16, sheet.shape[1] - 28, 44)]
    assert len({place.tobytes() for place in places}) == len(places)


def test_a_frame_alone_is_the_frame_of_the_sequence(many: Path, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        Image.fromarray(noise(20, 28, number)).save(tmp_path / f"shot.{number:04}.png")
    given = {"inputs": [tmp_path / "shot.####.png"], "style": f"{many}#red:0.2,green:0.9", "engine": "onnx"}
    RenderJob.build(**given, out=tmp_path / "all.####.png").finish()
    RenderJob.build(**given, out=tmp_path / "one.####.png", frames="2").finish()
    assert (tmp_path / "one.0002.png").read_bytes() == (tmp_path / "all.0002.png").read_bytes()


def test_tiles_equal_the_whole_with_a_code(many: Path, tmp_path: Path) -> None:
    shot = tmp_path / "large.png"
    Image.fromarray(noise(150, 210)).save(shot)
    whole = painted(shot, f"{many}#green", tile="off")
    assert np.abs(whole - painted(shot, f"{many}#green", tile="64")).max() <= 1


def test_a_style_of_one_look_is_known_by_what_it_was_known_by(tmp_path: Path) -> None:
    """Journals of renders that were begun before there were codes go on."""
    style = StyleFile.open(write_tiny_style(tmp_path / "tiny.style"))
    assert Look(style).identity == {"style": style.hash}
    assert Look(style).name == "tiny"


def test_another_code_is_another_render(many: Path, tmp_path: Path) -> None:
    """A render that was stopped does not go on with another look."""
    source = write_sequence(tmp_path / "in", range(1, 21))
    given = {"inputs": [source], "out": tmp_path / "out" / "p.####.png", "engine": "onnx"}
    running = RenderJob.build(**given, style=f"{many}#red").run()
    next(event for event in running if isinstance(event, Progress) and event.stage == "painting" and event.done >= 8)
    running.close()  # type: ignore[attr-defined]  # as Ctrl-C does
    with pytest.raises(MediaError, match=r"unfinished render of it differs, .*look.*run the same command"):
        RenderJob.build(**given, style=f"{many}#green").finish()
    assert RenderJob.build(**given, style=f"{many}#red").finish().figures["resumed_frames"] >= 1


def test_the_style_and_the_picture_are_inputs(shot: Path, many: Path, tmp_path: Path) -> None:
    picture = solid(tmp_path / "sea.png", 0, 0, 255)
    with pytest.raises(InputError, match="is one of the inputs"):
        RenderJob.build(inputs=[shot], out=picture, style=f"{many}#{picture}", overwrite=True).finish()


def test_what_draws_from_noise_paints_no_picture(tmp_path: Path) -> None:
    style = StyleFile.open(write_coded_style(tmp_path / "a.style"))
    drawing = style.card.tiers["full"].model_copy(update={"noise": 8})
    card = style.card.model_copy(update={"tiers": {"full": drawing}})
    object.__setattr__(style, "card", card)
    from impasto.engine import open_engine

    with pytest.raises(InputError, match="draws pictures from noise and paints none: 'impasto generate' runs it"):
        open_engine(style, "full")


def test_an_encoder_that_fits_no_code_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StyleError, match=r"encoder\.onnx makes codes of a length that no graph of it takes"):
        write_coded_style(tmp_path / "a.style", wide_reader())
    assert list(tmp_path.iterdir()) == []


def wide_reader() -> bytes:
    """An encoder that makes four numbers, where the network takes three."""
    import onnx

    model = onnx.load_from_string(colour_reader())
    model.graph.node[-1].output[0] = "three"
    weight = numpy_helper.from_array(np.ones((3, 4), np.float32), "widen")
    model.graph.initializer.append(weight)
    model.graph.node.append(onnx.helper.make_node("MatMul", ["three", "widen"], ["code"]))
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 4
    return bytes(model.SerializeToString())


def test_styles_show_tells_what_there_is_to_choose(many: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["styles", "show", str(many)]) == 0
    told = capsys.readouterr().out
    assert "full has 2 looks (--style many#LOOK): red, green" in told
    assert "it reads looks from pictures (--style many#PICTURE)" in told


def test_styles_list_tells_it_too(many: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    folder = many.parent / "library"
    folder.mkdir()
    shutil.copy(many, folder)
    monkeypatch.setenv("IMPASTO_STYLES", str(folder))
    assert cli.main(["styles", "list", "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    rows = {row["name"]: row for row in events[-1]["figures"]["styles"]}
    assert rows["many"]["choices"] == "2 looks, any picture"
    assert rows["great-wave"]["choices"] == ""


def test_the_coded_graph_without_a_code_paints_as_the_tiny_one() -> None:
    from impasto.engine.graph import with_code
    from impasto.styles.graph import check_graph

    assert check_graph(coded_graph(), "coded") == 3
    with pytest.raises(InputError, match="a code of 2 numbers does not fit the network, which takes codes of 3 numbers"):
        with_code(coded_graph(), [1.0, 2.0])


@pytest.mark.parametrize("only", ["live", "mini"])
def test_who_names_no_tier_gets_the_finest_there_is(tmp_path: Path, only: str) -> None:
    look, source = write_tiny_style(tmp_path / "one.style", (only,)), tmp_path / "in.png"
    Image.fromarray(noise(24, 32)).save(source)
    job = {"inputs": [source], "style": str(look), "engine": "onnx"}
    assert RenderJob.build(**job, out=tmp_path / "out.png").finish().figures["tier"] == only
    RenderJob.build(**job, out=tmp_path / "wedge.png", wedge="strength=.5,1").finish()
    with pytest.raises(InputError, match=f"has no tier 'full': choose one of {only}"):
        RenderJob.build(**job, out=tmp_path / "other.png", tier="full").finish()


def test_a_look_that_only_enlarges_says_how_it_is_used(tmp_path: Path) -> None:
    Image.fromarray(noise(24, 32)).save(tmp_path / "in.png")
    for more in ({}, {"wedge": "strength=1"}):
        job = RenderJob.build(inputs=[tmp_path / "in.png"], out=tmp_path / "out.png", style="enlarge", **more)
        with pytest.raises(InputError, match="which is no look: use --super-resolve enlarge"):
            job.finish()
