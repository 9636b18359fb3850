"""Plug-ins of study files: a user's functions, by the file that they stand in, their name and their source's hash.

A study file calls a function `{ function = "my_module:name", source = "hash" }`; it is looked for in the files that the
reader names (`ngos-sim run study.json --plugins my_module.py`) and nowhere else, so that a study file of a stranger's
runs nothing but what the reader has. `studies.written` writes such tables, `studies.study_file` has them resolved.
"""

import importlib.util
import sys
from pathlib import Path
from types import FunctionType

from ngos_sim.studies.description import source_hash
from ngos_sim.validation import described

_KEYS = {"function", "source"}


def reference(function):
    """Return the table that calls a function, as a study file has it."""
    name = getattr(function, "__qualname__", type(function).__name__)
    file = getattr(function, "__globals__", {}).get("__file__")
    module = Path(file).stem if file else getattr(function, "__module__", None)
    return {"function": f"{module}:{name}", "source": source_hash(function)}


class Plugins:
    """The functions of some files.

    Parameters
    ----------
    paths : sequence of str or Path
        Python files; they are run.

    Raises
    ------
    ValueError
        One is not there or fails, or two have the same name.
    """

    def __init__(self, paths=()):
        if not isinstance(paths, (list, tuple)):
            raise TypeError(f"plugins={described(paths)} must be a list of paths of Python files")
        self._modules: dict = {}
        for path in map(Path, paths):
            if path.stem in self._modules:
                raise ValueError(f"--plugins {path}: there are two of the name {path.stem!r}")
            self._modules[path.stem] = _run(path)

    def resolved(self, value, path=""):
        """Return a study file's content with functions in place of the tables that call them.

        Raises
        ------
        ValueError
            A function is not in these files, or its source is another one.
        """
        if isinstance(value, list):
            return [self.resolved(each, f"{path}[{at}]") for at, each in enumerate(value)]
        if not isinstance(value, dict):
            return value
        if "function" in value and value.keys() <= _KEYS:
            return self._function(path, **value)
        return {key: self.resolved(each, f"{path}.{key}" if path else key) for key, each in value.items()}

    def _function(self, path, function, source=None):
        module, _, name = function.partition(":") if isinstance(function, str) else ("", "", "")
        if not module or not name:
            raise ValueError(f'{path}.function={function!r} must be "module:name"')
        if module not in self._modules:
            given = ", ".join(self._modules) or "none"
            raise ValueError(f"{path}: {function!r} is not in a plug-in: give --plugins {module}.py (given: {given})")
        found = vars(self._modules[module]).get(name)
        if not isinstance(found, FunctionType) or found.__module__ != module:
            raise ValueError(f"{path}: {function!r} is not a function at the top of the plug-in {module}.py")
        if source not in (None, now := source_hash(found)):
            raise ValueError(
                f"{path}: the source of {function!r} has changed: {source} in the study file, {now} in {module}.py"
            )
        return found


def _run(path):
    """Return the module of a Python file, which may import what lies beside it."""
    spec = importlib.util.spec_from_file_location(path.stem, path) if path.is_file() else None
    if spec is None or spec.loader is None:
        raise ValueError(f"--plugins {path}: not a Python file that is there")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a script that ends itself is no plug-in
        raise ValueError(f"--plugins {path}: {type(error).__name__}: {' '.join(str(error).split())}") from error
    finally:
        del sys.path[0]
    return module
