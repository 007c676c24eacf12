"""A run's record says how its critic judged: at the last look, else over the last steps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the command needs the extra 'learn'")

from impasto import cli
from impasto.errors import InputError
from impasto.evaluate.critic import CURVE, is_run, judged, verdicts

STEPS = [{"step": n, "told_apart": 0.75, "recall": 0.6} for n in range(1, 9)]
LOOK = {"step": 9, **{f"judged/{name}": value for name, value in verdicts(0.5, 0.7).items()}}


def test_verdicts_by_hand() -> None:
    """Of ten real ones five are found, of ten painted ones one is taken for real."""
    found = verdicts(0.5, 0.7)
    assert found == pytest.approx({"accuracy": 0.7, "precision": 5 / 6, "recall": 0.5, "f1": 0.625})


def test_the_last_look_counts_and_without_one_the_last_steps() -> None:
    assert judged([*STEPS, LOOK], Path("r"))["f1"] == pytest.approx(0.625)
    assert judged(STEPS, Path("r")) == pytest.approx({"step": 8, "looks": 0, **verdicts(0.6, 0.75)})
    with pytest.raises(InputError, match="no critic judged anything"):
        judged([{"step": 1, "pixels": 0.1}], Path("r"))


def test_a_run_folder_stands_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / CURVE).write_text("\n".join(json.dumps(line) for line in [*STEPS, LOOK]))
    assert is_run(tmp_path)
    assert cli.main(["evaluate", str(tmp_path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["figures"]["critic"]["live"]["accuracy"] == pytest.approx(0.7)
    assert "live at step 9 on held-out pictures" in answer["summary"]
    assert cli.main(["evaluate", str(tmp_path / "live" / CURVE)]) == 2
    assert "name its painting, or a look to paint it in" in capsys.readouterr().err
