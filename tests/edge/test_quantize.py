"""`edge model quantize`: a project of INT8 where both models agree, and nothing at all where they do not."""

import io
import json
from pathlib import Path

import cv2
import models
import numpy as np
import pytest
from projects import colour_sorter

from edge import cli, picture_set, project, project_files
from edge.progress import Progress
from edge.quantize import Wish, quantize
from edge.subject import subject
from edge.validate import check
from inference.errors import PicturesUnfit

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    colour_sorter(tmp_path / "sorter")


def coloured(folder: Path, count: int = 30) -> Path:
    """PNG pictures in folders of their class: plainly red, green or blue."""
    for number in range(count):
        channel = number % 3
        place = folder / ("blue", "green", "red")[channel]
        place.mkdir(parents=True, exist_ok=True)
        pixels = np.full((48, 64, 3), 10 + number % 7, np.uint8)
        pixels[..., channel] = 120 + 4 * number % 120
        assert cv2.imwrite(str(place / f"{number}.png"), pixels)
    return folder


def doubtful(folder: Path, count: int = 60) -> Path:
    """Every third picture plainly blue, the others red or green by a fraction of a grey level, too little for INT8."""
    folder.mkdir()
    for number in range(count):
        pixels = np.full((48, 64, 3), 120, np.uint8)
        pixels[..., 0] = 240 if number % 3 == 0 else number
        pixels[:, : 1 + number // 4, 1 + number % 3 // 2] += 1
        assert cv2.imwrite(str(folder / f"{number}.png"), pixels)
    return folder


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    code = cli.run(["model", "quantize", *map(str, words)])
    out = capsys.readouterr()
    return code, out.out, out.err


def listed(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def test_a_project_becomes_a_project_that_is_good_to_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sorter" / "labels.txt").write_text("red\ngreen\nblue\n")
    file = tmp_path / "sorter" / "project.yaml"
    text = file.read_text().replace("labels: [red, green, blue]", "labels: labels.txt  # by number")
    file.write_text("# mine\n" + text)
    code, said, _ = run(capsys, "sorter", "--pictures", coloured(tmp_path / "p"), "-o", "small", "--json")
    assert code == 0, said
    report = json.loads(said)
    assert (report["accepted"], report["agreement"], report["counted"]) == (True, 1.0, "pictures")
    assert {row["label"]: row["agreement"] for row in report["classes"]} == dict.fromkeys(
        ("red", "green", "blue"), 1.0
    )
    assert report["pictures"] == {"calibrated": 21, "held_out": 9, "compared": 9, "seed": 0}
    assert listed(Path("small")) == [
        "clip.avi", "labels.txt", "model.bin", "model.xml", "project.yaml", "quantize.json",
    ]  # fmt: skip
    kept = json.loads(Path("small/quantize.json").read_text())
    assert {**kept, "folder": report["folder"]} == report
    assert Path("small/project.yaml").read_text().startswith("# mine\n")
    assert check("small", environ={}) == []


def test_where_both_agree_too_little_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said, told = run(capsys, "sorter", "--pictures", doubtful(tmp_path / "p"), "-o", "small")
    assert code == 1
    assert "refused: the INT8 model agrees with the original by less than 97.0 % as a whole and in" in told
    assert "too little" in said
    assert not Path("small").exists()
    assert listed(tmp_path) == ["p", "sorter"]


def test_a_refusal_tells_each_class_and_a_lower_limit_lets_it_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("sorter", "--pictures", doubtful(tmp_path / "p"), "-o", "small", "--json")
    code, said, _ = run(capsys, *words)
    report = json.loads(said)
    assert (code, report["accepted"], report["folder"]) == (1, False, None)
    refused = {row["label"]: row["refused"] for row in report["classes"]}
    assert refused["blue"] is False
    assert True in (refused["red"], refused["green"])
    assert run(capsys, *words, "--agreement", "0")[0] == 0
    assert Path("small/model.xml").exists()


def test_a_bare_model_needs_a_task_and_becomes_a_bare_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models.classifier(tmp_path / "m.onnx", softmax=True, metadata={"scale_values": "255"})
    words = ("m.onnx", "--pictures", coloured(tmp_path / "p"), "-o", "small")
    code, _, told = run(capsys, *words)
    assert (code, "say by --task what it does" in told) == (2, True)
    code, said, _ = run(capsys, *words, "--task", "classification")
    assert code == 0
    assert "whole  100.0 %" in said
    assert listed(Path("small")) == ["m.bin", "m.xml", "quantize.json"]


def test_the_same_seed_holds_out_the_same_pictures_and_another_one_others(tmp_path: Path) -> None:
    paths = picture_set.found(coloured(tmp_path / "p"))
    parts = [picture_set.parted(paths, 0.3, seed=seed, most=300, in_order=False) for seed in (0, 0, 1)]
    assert parts[0] == parts[1] != parts[2]
    assert not set(parts[0].first) & set(parts[0].second)
    assert sorted([*parts[0].first, *parts[0].second]) == sorted(paths)


def test_pictures_that_tell_a_story_are_parted_at_its_end(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(10)]
    parts = picture_set.parted(paths, 0.3, seed=0, most=300, in_order=True)
    assert parts == (tuple(paths[:7]), tuple(paths[7:]))


def test_pictures_are_found_in_folders_and_read_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("b/10.PNG", "b/2.png", "a/1.jpg", ".hidden/3.png", "b/.4.png", "b/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    names = [path.relative_to(tmp_path).as_posix() for path in picture_set.found(tmp_path)]
    assert names == ["a/1.jpg", "b/2.png", "b/10.PNG"]


# mistakes


def refused(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    code, _, told = run(capsys, *words)
    assert code == 2, told
    return told


def test_a_folder_that_is_not_there_or_holds_no_picture_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    words = ("sorter", "-o", "small", "--pictures")
    assert "the folder of pictures none does not exist" in refused(capsys, *words, "none")
    assert "sorter/model.onnx is no folder" in refused(capsys, *words, "sorter/model.onnx")
    assert "empty holds no picture; read are .bmp" in refused(capsys, *words, "empty")
    assert listed(tmp_path) == ["empty", "sorter"]


def test_too_few_pictures_are_a_sentence_and_copies_count_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = coloured(tmp_path / "p", 15)
    for number in range(20):
        (folder / f"copy{number}.png").write_bytes((folder / "red" / "2.png").read_bytes())
    told = refused(capsys, "sorter", "-o", "small", "--pictures", folder)
    assert "holds 15 different pictures; at least 20 are needed" in told


def test_pictures_that_cannot_be_read_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = coloured(tmp_path / "p")
    for number in range(5):
        (folder / f"{number}.jpg").write_bytes(b"\xff\xd8\xffnot")
    told = refused(capsys, "sorter", "-o", "small", "--pictures", folder)
    assert "5 of 35 pictures cannot be read; mend or remove them" in told
    assert "0.jpg" in told
    assert "and 2 more" in told


def test_pictures_without_what_the_model_looks_for_are_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "sorter" / "project.yaml"
    file.write_text(file.read_text().replace("top_k: 3", "threshold: 1.0"))
    told = refused(capsys, "sorter", "-o", "small", "--pictures", coloured(tmp_path / "p"))
    assert "the model finds nothing in the 9 pictures that were held out" in told
    assert not Path("small").exists()


def test_a_folder_with_something_in_it_needs_force_and_the_models_own_is_never_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("sorter", "--pictures", coloured(tmp_path / "p"), "-o")
    Path("small").mkdir()
    Path("small/mine").write_text("mine")
    assert "--force replaces files of the same names" in refused(capsys, *words, "small")
    assert run(capsys, *words, "small", "--force")[0] == 0
    assert Path("small/mine").read_text() == "mine"
    assert "sorter holds the model itself" in refused(capsys, *words, "sorter", "--force")
    assert listed(Path("sorter")) == ["clip.avi", "model.onnx", "project.yaml"]


def test_a_task_that_contradicts_the_project_and_a_made_up_model_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("sorter", "--pictures", coloured(tmp_path / "p"), "-o", "small")
    assert "--task detection contradicts it" in refused(capsys, *words, "--task", "detection")
    file = tmp_path / "sorter" / "project.yaml"
    file.write_text(file.read_text().replace("model.onnx", "fake:classification:3"))
    assert "made-up model" in refused(capsys, *words)


# the project's files, progress


def test_what_lies_outside_of_the_project_is_named_by_its_whole_path(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("red\ngreen\nblue\n")
    (tmp_path / "sorter" / "hooks").mkdir()
    (tmp_path / "sorter" / "hooks" / "hook.py").write_text("class Hook:\n    pass\n")
    (tmp_path / "sorter" / "beside.py").write_text("")
    file = tmp_path / "sorter" / "project.yaml"
    file.write_text(file.read_text().replace("[red, green, blue]", "../names.txt") + "hook: hooks/hook.py\n")
    into = tmp_path / "into"
    into.mkdir()
    models.classifier(into / "model.onnx")
    project_files.carry(project.load(tmp_path / "sorter"), into, "model.onnx")
    assert listed(into) == ["beside.py", "clip.avi", "hooks", "model.onnx", "project.yaml"]
    found = project.load(into)
    assert found.manifest.labels == ("red", "green", "blue")
    assert found.hook == into / "hooks" / "hook.py"


def test_golden_pictures_and_a_hook_with_a_budget_come_along(tmp_path: Path) -> None:
    folder = tmp_path / "sorter"
    (folder / "golden").mkdir()
    (folder / "golden" / "one.png").touch()
    (tmp_path / "hook.py").write_text("class Hook:\n    pass\n")
    with (folder / "project.yaml").open("a") as file:
        file.write("hook:\n  file: ../hook.py\n  budget: 20ms\n")
    into = tmp_path / "into"
    into.mkdir()
    project_files.carry(project.load(folder), into, "m.xml")
    assert listed(into / "golden") == ["one.png"]
    found = project.load(into)
    assert (found.hook, found.hook_budget) == (tmp_path / "hook.py", 0.02)


def test_a_project_file_of_one_line_is_written_anew(tmp_path: Path) -> None:
    file = tmp_path / "sorter" / "project.yaml"
    file.write_text("{name: x, task: classification, model: model.onnx, labels: [a, b, c]}")
    into = tmp_path / "into"
    into.mkdir()
    project_files.carry(project.load(tmp_path / "sorter"), into, "m.xml")
    found = project.load(into)
    assert (found.manifest.model, found.manifest.labels) == (into / "m.xml", ("a", "b", "c"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_is_shown_how_far_it_is(tmp_path: Path) -> None:
    out = Terminal()
    wish = Wish(coloured(tmp_path / "p"), tmp_path / "small")
    assert quantize(subject("sorter"), wish, progress=Progress(out)).accepted
    for line in (
        "looking at pictures, 30 of 30",
        "calibrating, 21 of 21 pictures, computing",
        "comparing, 9 of 9",
    ):
        assert line in out.getvalue()
    assert out.getvalue().endswith("\r\x1b[K")


def test_a_picture_that_vanishes_in_between_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(PicturesUnfit, match=r"gone\.png"):
        picture_set.read(tmp_path / "gone.png")


@pytest.mark.slow
def test_a_real_face_detector_agrees_after_quantizing(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = cv2.VideoCapture(str(shared_data / "videos" / "head-pose-face-detection-female.gif"))
    (tmp_path / "p").mkdir()
    while (shot := clip.read())[0]:
        cv2.imwrite(str(tmp_path / "p" / f"{len(listed(tmp_path / 'p'))}.png"), shot[1])
    clip.release()
    model = shared_data / "models" / "ultralight-face" / "version-RFB-320.onnx"
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "project.yaml").write_text(
        f"name: faces\ntask: detection\nmodel: {model}\nlabels: [face]\n"
        "input: {color: rgb, mean: 127, scale: 128}\noutput: {threshold: 0.7, iou: 0.3}\n"
    )
    code, said, _ = run(capsys, "faces", "--pictures", "p", "-o", "small", "--json")
    report = json.loads(said)
    assert (code, report["counted"], report["agreement"]) == (0, "things", 1.0)
    assert report["classes"][0]["original"] == 7
    assert check("small", environ={}, overrides={"source": "synthetic:"}) == []
