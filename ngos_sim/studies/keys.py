"""Keys of a study file's tables: which are allowed, and where a message of a constructor belongs."""

import contextlib
import re


def table(name, value):
    """Return a table; raise ValueError for what is none."""
    if not isinstance(value, dict):
        raise ValueError(f"{name}={value!r} must be a table")
    return value


def strings(name, value):
    """Return a list of strings; raise ValueError for what is none."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{name}={value!r} must be a list of strings")
    return value


def check(name, content, required, optional):
    """Raise ValueError for a table's unknown keys, then for missing ones."""
    prefix = f"{name}." if name else ""
    for key in content:
        if key not in (*required, *optional):
            allowed = ", ".join((*required, *optional)) or "no other keys"
            raise ValueError(f"{prefix}{key if key.isprintable() else repr(key)} is unknown; allowed: {allowed}")
    for key in required:
        if key not in content:
            raise ValueError(f"{prefix}{key} is missing")


@contextlib.contextmanager
def located(path, content, otherwise=""):
    """Put a table's path before what a constructor says of one of its keys, `otherwise` before all else."""
    try:
        yield
    except (ValueError, TypeError) as error:
        message = str(error)
        if message.startswith("test function"):
            message = f"test_functions: {message}"
        within = re.split(r"[=:. ]", message, maxsplit=1)[0] in content
        raise ValueError(f"{path}.{message}" if within else otherwise + message) from None
