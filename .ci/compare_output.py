"""Compare what `verify --quick` printed with the README's block: words exactly, numbers to what their digits can hold.

Usage: python .ci/compare_output.py PRINTED README.md. The runs have the same seed, so that only rounding differs,
below a hundredth of a standard error: a printed number may move by one in its last digit where it lay between two,
and no more.
"""

import re
import sys
from decimal import Decimal
from pathlib import Path

_NUMBER = re.compile(r"(?<![\w./])(?<!Theorem )-?\d+(?:\.\d+)?(?![\w.]*[\w:/])")


def block(readme):
    """Return the README's first fenced block of plain text."""
    return re.search(r"^```text\n(.*?)^```", readme, re.DOTALL | re.MULTILINE).group(1)


def words(line):
    """Return a line with every decimal number as #, runs of spaces as one: a column's width hangs on its numbers."""
    return " ".join(re.sub(_NUMBER, lambda found: "#" if "." in found[0] else found[0], line).split())


def difference(printed, expected):
    """Return the first difference as one clause, or an empty string."""
    ours, theirs = printed.rstrip().splitlines(), expected.rstrip().splitlines()
    if len(ours) != len(theirs):
        return f"{len(ours)} lines instead of {len(theirs)}"
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True), 1):
        if words(one) != words(other):
            return f"line {number}: {one!r} instead of {other!r}"
        for mine, given in zip(_NUMBER.findall(one), _NUMBER.findall(other), strict=True):
            unit = Decimal(1).scaleb(Decimal(given).as_tuple().exponent) if "." in given else 0
            if abs(Decimal(mine) - Decimal(given)) > unit:
                return f"line {number}: {mine} instead of {given} in {one!r}"
    return ""


if __name__ == "__main__":
    printed, readme = (Path(name).read_text(encoding="utf-8") for name in sys.argv[1:])
    found = difference(printed, block(readme))
    sys.exit(f"{sys.argv[1]} is not the README's block: {found}" if found else 0)
