"""The project's Python files as the house tests see them: their paths, module names and imports."""

import ast
import dataclasses
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = ("edge", "kernels", "inference", "streams", "control")
NOT_MODULES = ("edge/samples", "edge/deeplens/path")


@dataclasses.dataclass(frozen=True)
class Module:
    path: Path
    name: str
    imports: frozenset[str]

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]

    @property
    def relative(self) -> str:
        return self.path.relative_to(REPOSITORY).as_posix()


def modules() -> list[Module]:
    return [
        Module(path, module_name(path), frozenset(imports_of(ast.parse(path.read_text()), module_name(path))))
        for package in PACKAGES
        for path in sorted((REPOSITORY / package).rglob("*.py"))
        if not path.relative_to(REPOSITORY).as_posix().startswith(NOT_MODULES)
    ]


def module_name(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(tree: ast.AST, module: str) -> Iterator[str]:
    """Absolute names of everything imported anywhere in a file, also below functions and TYPE_CHECKING."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".")[: -node.level]
                base = ".".join([*parents, base] if base else parents)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
