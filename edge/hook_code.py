"""The code of a hook, and of what lies beside it: read anew for each hook, and let go of with it.

Two hooks may be there at once, while one takes the other's place, perhaps of the same file before and after a change.
Each has a module of its own; a file beside the hook is imported under its plain name, by the newer one anew.
"""

import importlib
import itertools
import os
import sys
import threading
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

MODULE = "lensracer_project_hook"
_numbers = itertools.count(1)
_lock = threading.RLock()
_alive: list["Code"] = []


class Fresh(SourceFileLoader):
    """Compiles what stands in the file now: kept bytecode is told apart by whole seconds and the length."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class Code:
    """The module of a hook's file, run. Raises what running it raises; `close` lets go of all of it."""

    def __init__(self, path: Path) -> None:
        name = f"{MODULE}_{next(_numbers)}"
        self._loader = Fresh(name, str(path))
        self.module = module_of(name, path, self._loader)
        self._folder = str(path.parent)
        self._beside: dict[str, ModuleType] = {}
        with _lock:
            aside = {name: module for code in _alive for name, module in code.own().items()}
            for name in aside:
                del sys.modules[name]
            _alive.append(self)
            try:
                self._run()
            except BaseException:
                self.close()
                raise
            finally:
                for name, module in aside.items():
                    sys.modules.setdefault(name, module)

    def _run(self) -> None:
        self._enter_path()
        sys.modules[self.module.__name__] = self.module  # dataclasses and pickle look their module up there
        spared, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        try:
            importlib.invalidate_caches()
            self._loader.exec_module(self.module)
        finally:
            sys.dont_write_bytecode = spared
            self._beside = {
                name: module for name, module in [*sys.modules.items()] if lies_in(module, self._folder)
            }

    def _enter_path(self) -> None:
        """Behind the libraries, which no file beside a hook is to shadow; before the folders of older hooks."""
        if self._folder in sys.path:
            return
        places = [sys.path.index(code._folder) for code in _alive if code._folder in sys.path]
        sys.path.insert(min(places, default=len(sys.path)), self._folder)

    def own(self) -> dict[str, ModuleType]:
        """The modules beside the hook that its imports would find now."""
        return {name: module for name, module in self._beside.items() if sys.modules.get(name) is module}

    def close(self) -> None:
        """Forget module and neighbours; the place of the latter falls to those of a hook that is still there."""
        with _lock:
            if self not in _alive:
                return
            for name in (self.module.__name__, *self.own()):
                sys.modules.pop(name, None)
            _alive.remove(self)
            self._beside = {}
            for code in _alive:
                for name, module in code._beside.items():
                    sys.modules.setdefault(name, module)
            if all(code._folder != self._folder for code in _alive):
                if self._folder in sys.path and self._folder not in ("", os.getcwd()):  # noqa: PTH109
                    sys.path.remove(self._folder)
                sys.path_importer_cache.pop(self._folder, None)


def module_of(name: str, path: Path, loader: Fresh) -> ModuleType:
    """An empty module, to be run."""
    spec = spec_from_file_location(name, path, loader=loader)
    assert spec is not None
    return module_from_spec(spec)


def lies_in(module: object, folder: str) -> bool:
    """Whether a module, or package, was read from a file below the folder, and is no installed library."""
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and file.startswith(folder + os.sep) and "site-packages" not in file
