"""The plan of the house: where there is no package marker, how large a room gets, where directives stand."""

import ast
import re
from pathlib import Path

import pytest
from project_modules import PACKAGES, REPOSITORY, Module, modules

TOO_LONG_FILE = 400
TOO_LONG_FUNCTION = 60
LONG_FUNCTIONS: dict[str, str] = {}  # "module:function": why it may be longer
FORBIDDEN_NAMES = {"utils", "common", "helpers", "misc", "base"}


@pytest.mark.parametrize("folder", ["packaging", "tests"])
def test_no_package_marker_shadows_another_package(folder: str) -> None:
    assert not list((REPOSITORY / folder).rglob("__init__.py"))


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_a_file_stays_under_its_length(module: Module) -> None:
    lines = module.path.read_text().count("\n")
    assert lines <= TOO_LONG_FILE, f"{module.relative} has {lines} lines"


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_a_function_stays_under_its_length(module: Module) -> None:
    for node in ast.walk(ast.parse(module.path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if f"{module.name}:{node.name}" not in LONG_FUNCTIONS:
                assert length <= TOO_LONG_FUNCTION, f"{module.name}:{node.name} has {length} lines"


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_a_file_is_named_after_its_noun(module: Module) -> None:
    assert not FORBIDDEN_NAMES & set(module.name.split("."))


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.name)
def test_a_module_says_what_it_is_for(module: Module) -> None:
    assert ast.get_docstring(ast.parse(module.path.read_text())), f"{module.relative} has no docstring"


def test_compiler_directives_stand_in_setup_alone() -> None:
    for path in (REPOSITORY / "kernels").rglob("*.pyx"):
        assert not re.search(r"^#\s*(cython|distutils)\s*:", path.read_text(), re.M), path


def test_packages_are_typed() -> None:
    for package in PACKAGES:
        assert (REPOSITORY / package / "py.typed").exists()


def test_no_tracked_text_names_a_package_registry() -> None:
    hosts = re.compile(r"pypi\.org|pythonhosted|registry\.npmjs|deb\.debian\.org|huggingface\.co")
    for path in tracked_texts():
        assert not hosts.search(path.read_text(errors="ignore")), path


def tracked_texts() -> list[Path]:
    endings = {".py", ".pyx", ".md", ".toml", ".yaml", ".yml", ".lock", ".txt", ".json"}
    roots = [REPOSITORY / name for name in (*PACKAGES, "docs", "tests", "packaging")]
    files = [path for root in roots for path in root.rglob("*") if path.suffix in endings]
    own = Path(__file__).resolve()
    return [path for path in [*files, *REPOSITORY.glob("*.*")] if path.is_file() and path.resolve() != own]
