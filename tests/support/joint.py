"""Oracles that couple coordinates, and programs of them: losses of all of theta, covariances R R^T."""

import math

import ngos_sim as ns
from ngos_sim.arithmetic import matvec
from ngos_sim.oracles.svag import svag_law
from tests.support import programs

RMSPROP = ns.rmsprop(**programs.RMSPROP)


def bent_gradient(theta, p):
    x, y = theta
    return p.b * y * math.cos(x) + 0.3 * x, p.b * math.sin(x) + y


def bent_value(theta, p):
    x, y = theta
    return p.b * y * math.sin(x) + 0.15 * x * x + 0.5 * y * y


def leaning(theta, p):
    return (1.0, 0.1 * p.lean * math.sin(theta[1])), (p.lean * math.tanh(theta[0]), 0.8)


BENT = ns.Loss("bent", bent_gradient, bent_value, joint=True, dimension=2, b=0.7)
LEANING = ns.Covariance("leaning", leaning, 2, lean=0.5)


def form(matrix):
    """Return x^T H x / 2 as a joint loss; its gradient adds row by row from left to right, as `arithmetic.matvec`."""
    rows, d = tuple(map(tuple, matrix)), len(matrix)
    flat, zeros = tuple(value for row in rows for value in row), (0.0,) * d
    return ns.Loss("form", _product(flat, zeros), _form(flat, zeros), joint=True, dimension=d)


def _product(flat, zeros):
    def gradient(theta, p):
        return matvec(flat, theta, zeros)

    return gradient


def _form(flat, zeros):
    def value(theta, p):
        return 0.5 * matvec(matvec(flat, theta, zeros), theta, (0.0,))[0]

    return value


ORACLES = {
    "joint loss": ns.NGOS(BENT, ns.sine_variance(1.0, [0.5, 0.8], 2.0)),
    "joint loss and covariance": ns.NGOS(BENT, LEANING),
    "joint covariance": ns.NGOS(ns.quadratic([0.9, 0.4]), LEANING),
    "matrix and joint covariance": ns.NGOS(ns.quadratic([[1.0, 0.3], [0.3, 0.8]]), LEANING),
    "joint loss and matrix": ns.NGOS(BENT, [[1.0, 0.3], [0.3, 0.8]]),
}


def cases():
    """Return {name: program and inputs}: RMSprop with SVAG's noise beside its SDE, in one at two levels."""
    noise, start = svag_law(ns.uniform(), 2.0), [[1.2, 1.4], [-0.3, 0.7]]
    settings = RMSPROP, ns.rmsprop_sde(), noise, start, ["theta[0]*u[1]", "2*loss - norm(grad)", "trace(Sigma)"]
    levels = dict.fromkeys(ORACLES, (2,)) | {"joint loss and covariance": (2, 4)}
    return {name: programs.beside_its_sde(ORACLES[name], *settings, levels=each) for name, each in levels.items()}
