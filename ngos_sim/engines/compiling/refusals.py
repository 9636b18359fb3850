"""What Numba says of a user's function that it cannot compile, in one line that names where."""

import contextlib
import linecache
import re
import traceback
from pathlib import Path

ALLOWED = "a scalar function may use numbers, tuples, math and other scalar functions"
_PLACE = re.compile(r'\b(?:at|from) ([^\n"]+) \((\d+)\)|File "([^"]+)", line (\d+)')
_ERRORS = {"NumbaError", "UnsupportedBytecodeError"}  # by name: the CUDA package has its own
_PACKAGE = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def naming_the_line():
    """Turn Numba's errors, pages long, into a TypeError of one line.

    Raises
    ------
    TypeError
        It names the innermost line of the user's that Numba was at.
    """
    try:
        yield
    except Exception as error:
        if not _ERRORS & {kind.__name__ for kind in type(error).__mro__} and not _fell_over(error):
            raise
        place = _place(str(error))
        raise TypeError(f'{place} cannot be compiled; {ALLOWED} (device="python" takes any)') from error


def _fell_over(error):
    """Return whether an error is one of Numba's that it did not mean: of a value that is None on some path."""
    return (
        isinstance(error, LookupError) and "numba" in Path(traceback.extract_tb(error.__traceback__)[-1].filename).parts
    )


def _place(message):
    """Return the first file and line of an error that are neither Numba's nor this package's, and the line."""
    for at, number, name, line in _PLACE.findall(message):
        path, which = Path(at or name).resolve(), int(number or line)
        if not path.is_relative_to(_PACKAGE) and not {"numba", "numba_cuda"} & set(path.parts):
            text = linecache.getline(str(path), which).strip()
            return f"{path.name}, line {which}" + (f" ({text})" if text else "")
    return f"a function ({message.strip().partition(chr(10))[0]})"
