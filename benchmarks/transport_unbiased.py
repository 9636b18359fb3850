"""An unbiased check of the transport estimator: a telescoping sum over trajectories whose mean is its error.

python benchmarks/transport_unbiased.py [steps] [trajectories]

For any functions v_k and states x_k of a chain with the one-step operator P,

    E g(x_K) - v_0(x_0) = E[g(x_K) - v_K(x_K)] + sum_k E[(P v_{k+1})(x_k) - v_k(x_k)].

With v_k(x) what a carried law says of E g(x_K) from x at step k, v_0(x_0) is what was computed, and the right side what
it is off by, with a standard deviation of that size. Optimizer and SDE run on the same Gaussians, and every second step
is looked at, from a random one on. The noise's nodes and the SDE's own steps are not in it.
"""

import math
import sys

import numpy as np
from transport import PROBLEMS, computed, problem

from ngos_sim.engines import transport
from ngos_sim.estimators import transport_means
from ngos_sim.estimators.transport_law import Carrier
from ngos_sim.oracles.noises import gauss_hermite


class Backward:
    """v_k(x), what a carried law says of E g(x_K) from x at step k: contracted backward, unit by unit of the law."""

    def __init__(self, carrier, grid, move, path, noise, function):
        self.grid, self.move, self.path, self.noise = grid, move, path, noise
        self.steps, slots = len(path) - 1, move.slots
        thrown, shape = grid.room(slots, len(noise[0])), grid.start(carrier.coordinate.state, path, False).shape
        self.v = np.empty((self.steps + 1, *shape))
        units = [np.unravel_index(at, shape) for at in range(math.prod(shape))]
        for unit in units:
            nodes = grid.law(_unit(shape, unit), path[-1], slots)
            self.v[(-1, *unit)] = np.sum(nodes.weights * function(nodes.states))
        for k in range(self.steps - 1, -1, -1):
            for unit in units:
                law = _unit(shape, unit)
                grid.advance(move, k, k + 1, law, path, False, noise, thrown)
                self.v[(k, *unit)] = np.sum(law * self.v[k + 1])

    def at(self, k, state):
        """Return v_k at a state."""
        return float(np.sum(self.grid.start(state, self.path[k:], False) * self.v[k]))

    def sums(self, state, normals, function, every, offset):
        """Return what v_0 is off by on one trajectory: g(x_K) - v_K(x_K) + sum_k E v_{k+1}(x_{k+1}) - v_k(x_k)."""
        total, x = 0.0, np.array(state)
        for k, normal in enumerate(normals):
            nodes, weights = self.noise
            if k % every == offset:
                moved = transport.after(self.move, k, x, nodes)
                ahead = sum(w * self.at(k + 1, y) for w, y in zip(weights, moved.T.tolist(), strict=True))
                total += every * (ahead - self.at(k, x))
            x = transport.after(self.move, k, x, np.array([normal]))[:, 0]
        return total + float(function(x[:, None])[0]) - self.at(self.steps, x)


def _unit(shape, at):
    law = np.zeros(shape)
    law[at] = 1.0
    return law


def unbiased(steps=16, count=300, level=2, every=2):
    """Print by how much the error in E theta^2 is off at one size, and with what standard error."""
    for name in ("log-cosh", "quadratic, Sigma sine", "well"):
        made = problem(steps, functions=("theta[0]^2",), **PROBLEMS[name])
        carrier = Carrier(made, transport_means.coordinates(made)[0], [each.sde for each in made.opponents])
        (factor,) = transport_means.expanded(made, 0)[0][1]
        grid, state, function = carrier.grid(level), carrier.coordinate.state, carrier.valued([factor])[0]
        finer, noise = carrier.steps_of(carrier.sdes[0]), carrier.noise(carrier.nodes(level))
        path = grid.path(made.steps)
        law = grid.start(state, path, True)
        grid.advance(carrier.optimizer, 0, made.steps, law, path, True, noise, grid.room(2, len(noise[0])))
        own = Backward(carrier, grid, carrier.optimizer, path, noise, function)
        refined, rule = grid.refined(path, finer), carrier.integrated(carrier.sdes[0], finer)
        its = Backward(carrier, grid, rule, refined, gauss_hermite(5), function)
        error = own.at(0, state) - its.at(0, state)
        random, off = np.random.default_rng(1), []
        for _ in range(count):
            fine = random.standard_normal((made.steps, finer))
            offset = random.integers(every)
            chain = own.sums(state, fine.sum(axis=1) / math.sqrt(finer), function, every, offset)
            off.append(chain - its.sums(state, fine.ravel(), function, every * finer, offset * finer))
        (answer,) = computed(made)
        mean, spread = np.mean(off), np.std(off) / math.sqrt(count)
        print(
            f"{name:22s} 1/{steps}: error {error:.6f}, off by {mean:.1e} +- {spread:.0e}, "
            f"numerical {answer.of_error[0]:.1e}",
            flush=True,
        )


if __name__ == "__main__":
    unbiased(*map(int, sys.argv[1:]))
