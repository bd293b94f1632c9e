"""A model file that was never seen before is read by a child process first, under limits.

Readers of models are large native libraries, and a file can make them crash, hang or eat all memory: then it is
the child that ends, and the caller gets a sentence. What a model is made of must lie in its own folder.
"""

import contextlib
import importlib.metadata
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from inference.errors import BackendUnavailable, InferenceError, ModelInvalid, ModelNotFound
from inference.files import check_file, sha256_of
from inference.formats import nursery
from inference.formats.kinds import files_of, folder_of, kind_of
from inference.formats.nursery import LONGEST_ANSWER, Ended

_PLACES = (
    "import json, sys; sys.dont_write_bytecode = True; places = json.loads(sys.argv[1]);"
    " sys.path[:] = [places[0], *sys.path, *places[1:]];"
)
_BEGINNING = f"{_PLACES} from inference.formats.vetting import child; child(sys.argv[2:])"
_WAITING = f"{_PLACES} from inference.formats.vetting import parent; parent()"
_NICE = 10  # how far a child stands back behind whoever waits for it, who may have a loop to run
_NO_MEMORY = ("bad_alloc", "Cannot allocate memory", "failed to map segment", "std::length_error")
_ANSWERS = {
    "ModelInvalid": ModelInvalid,
    "ModelNotFound": ModelNotFound,
    "BackendUnavailable": BackendUnavailable,
}
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")


def vet(path: Path, *, memory_bytes: int, seconds: float, cache: Path) -> None:
    """Reads a model in a child process, unless its digest stands in `cache` from an earlier time.

    memory_bytes: the child's address space, of which Python and OpenVINO take about 0.4 GB before the model.
    seconds: of the clock, and as many of processor time. cache: a folder of ours alone; made if need be.
    Raises ModelNotFound, and ModelInvalid for a file that points out of its folder, that cannot be read, or that
    the limits or a crash stopped; BackendUnavailable where nothing here can read its kind.
    """
    confine(path)
    check_file(path)
    record = cache / "vetted" / f"{sha256_of(path)}-{_reader()}"
    if record.exists():
        return
    _read_in_child(path, memory_bytes, seconds)
    record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    record.touch(mode=0o600)


def confine(path: Path) -> None:
    """Raises ModelInvalid where a file of the model lies outside the model's folder, or is reached by a link."""
    whole = folder_of(path) if path.exists() and kind_of(path) == "saved-model" else path.parent
    home = whole.resolve()
    for part in files_of(path):
        real = part.resolve()
        if not real.is_relative_to(home):
            raise ModelInvalid(f"{part} leads to {real}, outside the model's folder {home}; copy it there")


def _reader() -> str:
    """What a verdict depends on besides the file."""
    try:
        return importlib.metadata.version("openvino").replace("/", "-")
    except importlib.metadata.PackageNotFoundError:
        return "none"


def _read_in_child(path: Path, memory_bytes: int, seconds: float) -> None:
    arguments = [str(path.absolute()), str(memory_bytes), str(max(1, round(seconds)))]
    try:
        done = _by_fork(arguments, seconds) or _by_process(arguments, seconds)
    except TimeoutError:
        raise _too_slow(path, seconds) from None
    if done.returncode == -signal.SIGXCPU:
        raise _too_slow(path, seconds)
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise ModelInvalid(f"{path} made its reader crash ({name}); it is damaged, or made to do so")
    _judge(path, done, memory_bytes)


def _by_fork(arguments: Sequence[str], seconds: float) -> Ended | None:
    """A fork of the process that waits for this, if one is wanted."""
    kept = nursery.current()
    return kept.run(_command(_WAITING), _environment(), arguments, seconds) if kept is not None else None


def _by_process(arguments: Sequence[str], seconds: float) -> Ended:
    try:
        done = subprocess.run(
            [*_command(_BEGINNING), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=_environment(),
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    return Ended(done.returncode, done.stdout[:LONGEST_ANSWER])


def _command(code: str) -> list[str]:
    return [sys.executable, "-I", "-W", "ignore", "-c", code, json.dumps(_places())]


def _places() -> list[str]:
    """Where the child finds this package first, and what else it needs after its own places."""
    return [
        str(Path(__file__).resolve().parents[2]),
        *(str(Path(place).absolute()) for place in sys.path if place),
    ]


def _environment() -> dict[str, str]:
    """No secrets, no settings of the user's."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "MALLOC_ARENA_MAX": "2", "OPENBLAS_NUM_THREADS": "1"}


def _too_slow(path: Path, seconds: float) -> ModelInvalid:
    return ModelInvalid(f"{path} could not be read within {seconds:g} s; its reader was stopped")


def _judge(path: Path, done: Ended, memory_bytes: int) -> None:
    try:
        answer: Any = json.loads(done.answer)
        kind, sentence = answer["kind"], str(answer["sentence"])
    except (ValueError, TypeError, KeyError):
        raise ModelInvalid(f"{path} made its reader end with code {done.returncode} and no answer") from None
    if kind == "memory" or any(sign in sentence for sign in _NO_MEMORY):
        raise ModelInvalid(f"{path} cannot be read within {memory_bytes >> 20} MB of memory")
    if kind != "good":
        raise _ANSWERS.get(kind, ModelInvalid)(sentence)


def parent() -> NoReturn:
    """The whole life of the process that waits for models to be read by its forks."""
    _stand_back()
    _import_reader()
    nursery.wait_for_work(_work)


def child(arguments: Sequence[str]) -> NoReturn:
    """The child's whole life: reads the model that is named and answers on what was the standard output.

    arguments: path, bytes of address space, seconds of processor time.
    """
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    _stand_back()
    _import_reader()  # is trusted, and fails in many ways where memory is short
    _work(arguments, answers)


def _work(arguments: Sequence[str], answers: int) -> NoReturn:
    path, memory_bytes, seconds = Path(arguments[0]), int(arguments[1]), int(arguments[2])
    for which, limit in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _limit(which, limit)
    kind, sentence = "good", ""
    try:
        _read(path)
    except InferenceError as error:
        kind, sentence = type(error).__name__, str(error)
    except MemoryError:
        kind = "memory"
    except Exception as error:  # a fault of ours, said as what it is
        kind, sentence = "ModelInvalid", f"{path} cannot be read: {type(error).__name__}: {error}"
    os.write(answers, json.dumps({"kind": kind, "sentence": sentence[:4000]}).encode())
    os._exit(0)


def _stand_back() -> None:
    with contextlib.suppress(OSError):
        os.nice(_NICE)


def _import_reader() -> None:
    with contextlib.suppress(BackendUnavailable):
        import inference.formats.reading  # noqa: F401 - for its effect


def _limit(which: int, wanted: int) -> None:
    hard = resource.getrlimit(which)[1]
    ceiling = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with contextlib.suppress(*((ValueError, OSError) if sys.platform == "darwin" else ())):
        resource.setrlimit(which, (ceiling, ceiling))  # macOS knows no limit of the address space


def _read(path: Path) -> None:
    """With OpenVINO; an ONNX model that it does not take, with ONNX Runtime."""
    try:
        from inference.formats.reading import openvino_model

        openvino_model(path)
    except (ModelInvalid, BackendUnavailable) as error:
        if kind_of(path) != "onnx":
            raise
        _read_by_second(path, error)


def _read_by_second(path: Path, first: InferenceError) -> None:
    try:
        from inference.backends.onnxruntime import described

        described(path)
    except (ModelInvalid, BackendUnavailable, ImportError) as error:
        if isinstance(first, BackendUnavailable) and not isinstance(error, BackendUnavailable):
            raise
        raise first from error
