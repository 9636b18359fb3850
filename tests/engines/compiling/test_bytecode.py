"""What code reads by name: globals, cells, attributes of modules, in functions inside functions too."""

import math

import numpy as np

from ngos_sim.engines.compiling.bytecode import names

FACTOR = 2.0


def maker(held):
    def outer(x, o):
        def inner(y):
            return math.sqrt(y) * o.gradient + held.first.second

        return inner(x) * FACTOR + np.linalg.norm(x) + (lambda z: z.curvature)(o) + len(x)

    return outer


def test_paths_and_attributes_of_nested_functions():
    found = names(maker(None).__code__)
    assert found.paths >= {
        (False, "math", "sqrt"),
        (False, "np", "linalg", "norm"),
        (False, "FACTOR"),
        (False, "len"),
        (True, "held", "first", "second"),
    }
    assert found.attributes == {"sqrt", "gradient", "first", "second", "linalg", "norm", "curvature"}
