import logging
import os
import shutil
from pathlib import Path

import models
import numpy as np
import pytest
from backend_contract import as_it_is, check_backend

from inference import Manifest, cache, load, private
from inference.backends import UNTUNED, Backend, Opening, Shape, TensorSpec, Tuning
from inference.backends.choice import open_backend
from inference.cache import FOLDER, Cache, key_of
from inference.files import sha256_of
from kernels.formats import PixelFormat


def made(kept: Cache, key: str, content: bytes = b"compiled", **about: object) -> bool:
    def build(folder: Path) -> Path:
        path = folder / "out"
        path.write_bytes(content)
        return path

    return kept.make(key, build, about, len(content))


def entry_file(folder: Path) -> Path:
    [path] = (folder / FOLDER).glob("*.model")
    return path


def test_what_was_made_is_found_again_and_nothing_else(tmp_path: Path) -> None:
    kept = Cache(tmp_path / "c")
    assert kept.find("a") is None
    assert made(kept, "a", b"compiled", of="x")
    entry = kept.find("a")
    assert entry is not None
    assert bytes(entry.content) == b"compiled"
    assert entry.about == {"of": "x"}
    assert kept.find("b") is None


def test_folder_and_entries_are_their_owner_s_alone(tmp_path: Path) -> None:
    made(Cache(tmp_path / "c"), "a")
    for path in (tmp_path / "c", tmp_path / "c" / FOLDER):
        assert path.stat().st_mode & 0o777 == 0o700
    assert entry_file(tmp_path / "c").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "c" / FOLDER).iterdir()] == ["a.model"]


@pytest.mark.parametrize("at", [0, 4, -1, -40, -60])
def test_one_flipped_bit_anywhere_has_the_entry_removed(
    tmp_path: Path, at: int, caplog: pytest.LogCaptureFixture
) -> None:
    kept = Cache(tmp_path / "c")
    made(kept, "a", b"compiled" * 8, of="x")
    path = entry_file(tmp_path / "c")
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    assert kept.find("a") is None
    assert not path.exists()
    assert "a.model is not usable and is made anew" in caplog.text


@pytest.mark.parametrize("size", [0, 1, 40, 70])
def test_a_truncated_entry_is_removed(tmp_path: Path, size: int) -> None:
    kept = Cache(tmp_path / "c")
    made(kept, "a", b"compiled" * 8)
    path = entry_file(tmp_path / "c")
    path.write_bytes(path.read_bytes()[:size])
    assert kept.find("a") is None
    assert not path.exists()


def test_an_entry_that_others_may_write_is_not_used(tmp_path: Path) -> None:
    kept = Cache(tmp_path / "c")
    made(kept, "a")
    entry_file(tmp_path / "c").chmod(0o606)
    assert kept.find("a") is None
    assert kept.find("a") is None


def test_an_entry_that_is_a_link_is_removed_and_its_target_is_not(tmp_path: Path) -> None:
    kept = Cache(tmp_path / "c")
    made(kept, "a")
    path = entry_file(tmp_path / "c")
    target = path.rename(tmp_path / "elsewhere")
    path.symlink_to(target)
    assert kept.find("a") is None
    assert not path.is_symlink()
    assert target.exists()


def test_the_longest_unused_entries_make_room(tmp_path: Path) -> None:
    kept = Cache(tmp_path / "c", most_bytes=1000)
    for number, key in enumerate("abc"):
        made(kept, key, bytes(250))
        os.utime(tmp_path / "c" / FOLDER / f"{key}.model", (number, number))
    assert kept.find("a") is not None  # used, so the longest unused is now b
    made(kept, "d", bytes(250))
    assert [kept.find(key) is not None for key in "abcd"] == [True, False, True, True]


def test_what_is_larger_than_the_whole_cache_is_not_even_built(tmp_path: Path) -> None:
    kept = Cache(tmp_path / "c", most_bytes=1000)
    made(kept, "a", bytes(250))
    assert not made(kept, "b", bytes(2000))
    assert kept.find("a") is not None


def test_without_room_on_the_disk_nothing_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Cache(tmp_path / "c")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1))  # type: ignore[attr-defined]
    assert not made(kept, "a")


def test_a_disk_that_fails_is_told_and_leaves_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = Cache(tmp_path / "c")

    def build(folder: Path) -> Path:
        (folder / "half").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    assert not kept.make("a", build, {}, 10)
    assert "cannot be kept" in caplog.text
    assert list((tmp_path / "c" / FOLDER).iterdir()) == []


def test_what_a_crash_left_is_swept_away_and_what_is_under_way_is_not(tmp_path: Path) -> None:
    kept = Cache(tmp_path / "c")
    old, new = (tmp_path / "c" / FOLDER / name for name in ("making-1-1", "making-2-2"))
    for folder in (old, new):
        folder.mkdir()
        (folder / "half").write_bytes(b"half")
    os.utime(old, (1, 1))
    made(kept, "a")
    assert not old.exists()
    assert new.exists()


def test_equal_parts_have_an_equal_key() -> None:
    assert key_of("a", {"b": 1, "c": 2}) == key_of("a", {"c": 2, "b": 1})
    assert len({key_of("a", "b"), key_of("ab"), key_of("a", "c"), key_of("b", "a")}) == 4


# with a backend


@pytest.fixture(autouse=True)
def vetted_already(tmp_path: Path, vetted: Path) -> None:
    """The trial of a model that was not seen before has its own tests."""
    private.folder(tmp_path / "c")
    (tmp_path / "c" / "vetted").symlink_to(vetted)


def opening(path: Path, folder: Path | None, *, slots: int = 1, arrange: object = as_it_is) -> Opening:
    return Opening(path, "CPU", slots, arrange, sha256_of(path), folder)  # type: ignore[arg-type]


def answer(backend: Backend) -> np.ndarray:
    backend.input(0)[...] = np.random.default_rng(3).random(backend.inputs[0].shape, np.float32)
    return backend.run(0)[0].copy()


@pytest.mark.parametrize("slots", [1, 2])
def test_a_model_out_of_the_cache_is_the_same_model(
    tmp_path: Path, slots: int, caplog: pytest.LogCaptureFixture
) -> None:
    path = models.yolo_like(tmp_path / "m.onnx")
    cold = open_backend("openvino", opening(path, tmp_path / "c", slots=slots))
    with caplog.at_level(logging.DEBUG):
        warm = open_backend("openvino", opening(path, tmp_path / "c", slots=slots))
    assert "m.onnx comes out of the cache" in caplog.text
    assert (warm.inputs, warm.outputs, warm.metadata) == (cold.inputs, cold.outputs, cold.metadata)
    np.testing.assert_array_equal(answer(warm), answer(cold))
    cold.close()
    check_backend(warm)


def test_metadata_and_open_sizes_come_out_of_the_cache_too(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx", size=("h", "w"), metadata={"labels": "a b c"})
    seen: list[TensorSpec] = []

    def arrange(specs: tuple[TensorSpec, ...], metadata: dict[str, str]) -> tuple[Shape, ...]:
        seen.extend(specs)
        assert metadata["labels"] == "a b c"
        return ((1, 3, 20, 30),)

    for _ in range(2):
        backend = open_backend("openvino", opening(path, tmp_path / "c", arrange=arrange))
        assert backend.inputs[0].shape == (1, 3, 20, 30)
        backend.close()
    assert seen[0] == seen[1]


def test_other_shapes_are_compiled_anew(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx", size=("h", "w"))
    for height in (20, 40, 40, 20):
        backend = open_backend(
            "openvino", opening(path, tmp_path / "c", arrange=lambda *_, h=height: ((1, 3, h, 30),))
        )
        assert backend.inputs[0].shape == (1, 3, height, 30)
        backend.close()


def test_another_model_of_the_same_name_is_another_entry(tmp_path: Path) -> None:
    answers = []
    for seed in (1, 2):
        path = models.classifier(tmp_path / "m.onnx", seed=seed)
        backend = open_backend("openvino", opening(path, tmp_path / "c"))
        answers.append(answer(backend))
        backend.close()
    assert not np.allclose(*answers)
    assert len(list((tmp_path / "c" / FOLDER).glob("*.model"))) == 2


@pytest.mark.parametrize("name", ["_readers", "processors"])
def test_another_machine_or_program_finds_no_entry_of_this_one(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inference.backends import openvino_compiled

    path = models.classifier(tmp_path / "m.onnx")
    open_backend("openvino", opening(path, tmp_path / "c")).close()
    monkeypatch.setattr(openvino_compiled, name, lambda: 4711)
    open_backend("openvino", opening(path, tmp_path / "c")).close()
    assert len(list((tmp_path / "c" / FOLDER).glob("*.model"))) == 2


def test_another_way_to_run_a_model_is_another_entry(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    for tuning in (UNTUNED, Tuning("throughput"), Tuning(threads=1), UNTUNED):
        open_backend("openvino", opening(path, tmp_path / "c")._replace(tuning=tuning)).close()
    assert len(list((tmp_path / "c" / FOLDER).glob("*.model"))) == 3


def test_a_place_where_no_folder_can_be_is_told_and_the_model_runs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    path = models.classifier(tmp_path / "m.onnx")
    for name in ("openvino", "onnxruntime"):
        check_backend(open_backend(name, opening(path, tmp_path / "file" / "c")))
    assert "is read without a trial" in caplog.text


def test_an_entry_that_the_backend_refuses_is_made_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    open_backend("openvino", opening(path, tmp_path / "c")).close()
    file = entry_file(tmp_path / "c")
    whole = file.read_bytes()
    entry = Cache(tmp_path / "c").find(file.stem)
    assert entry is not None
    made(Cache(tmp_path / "c"), file.stem, b"no compiled model", **entry.about)
    backend = open_backend("openvino", opening(path, tmp_path / "c"))
    assert "m.onnx is made anew" in caplog.text
    check_backend(backend)
    assert len(file.read_bytes()) == len(whole)


def test_a_folder_that_is_not_private_is_told_and_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o755)
    backend = open_backend("openvino", opening(models.classifier(tmp_path / "m.onnx"), folder))
    assert "no compiled model is kept: " in caplog.text
    assert "is read without a trial by a child process: " in caplog.text
    assert list(folder.iterdir()) == []
    check_backend(backend)


def test_without_a_folder_or_a_digest_there_is_no_cache(tmp_path: Path) -> None:
    path = models.classifier(tmp_path / "m.onnx")
    assert cache.of(opening(path, None)) is None
    assert cache.of(opening(path, tmp_path / "new")._replace(digest="")) is None
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("backend", ["openvino", "onnxruntime"])
def test_a_model_loads_with_a_cache_on_either_backend(tmp_path: Path, backend: str) -> None:
    manifest = Manifest("x", "classification", models.classifier(tmp_path / "m.onnx"), ("r", "g", "b"))
    red = np.zeros((24, 32, 3), np.uint8)
    red[..., 0] = 255
    for _ in range(2):
        model = load(manifest, backend=backend, cache=tmp_path / "c")
        assert model.predict(red, PixelFormat.RGB).label_ids[0] == 0  # type: ignore[attr-defined]
        model.close()


def test_a_model_is_tried_by_a_child_process_before_it_is_read_for_the_first_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inference import vetted
    from inference.errors import ModelInvalid

    asked: list[Path] = []

    def vet(path: Path, *, memory_bytes: int, seconds: float, cache: Path) -> None:
        assert memory_bytes > vetted.BYTES
        asked.append(cache)
        raise ModelInvalid(f"{path} crashes its reader")

    monkeypatch.setattr(vetted, "vet", vet)
    path = models.classifier(tmp_path / "m.onnx")
    for backend in ("openvino", "onnxruntime"):
        with pytest.raises(ModelInvalid, match="crashes its reader"):
            open_backend(backend, opening(path, tmp_path / "new"))
        open_backend(backend, opening(path, None)).close()
    assert asked == [tmp_path / "new"] * 2
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
