"""The same steps as others would write them: RMSprop, and Euler-Maruyama of its SDE, on a quadratic loss.

Each maker takes (rule, dimension) and returns (a run, its trajectory-step-coordinates), or None where the
package or compiler is not there. float64, one thread, Gaussian noise; block sizes are each peer's best.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numba import njit

SIGMA0, EPS0, C2, HESSIAN, ETA2 = 0.8, 0.1, 1.3, 0.9, 2.0**-9
ETA, DRIFT_SCALE = ETA2**0.5, ETA2**0.5 / SIGMA0
STEPS, LANES = 256, 4096


def numpy_peer(rule, dimension):
    """NumPy on blocks of 4096 numbers."""
    rng, shape = np.random.default_rng(0), (LANES // dimension, dimension)

    def run():
        theta, u = np.full(shape, 1.2), np.ones(shape)
        for _ in range(STEPS):
            z, f = rng.standard_normal(shape), HESSIAN * theta
            theta = theta - (ETA2 * f + ETA * SIGMA0 * z) / (SIGMA0 * np.sqrt(u) + EPS0)
            u = u + C2 * ETA2 * ((z + DRIFT_SCALE * f) ** 2 - u if rule == "rmsprop" else 1.0 - u)

    return run, LANES * STEPS


@njit(cache=True)
def _loop(rng, rmsprop, trajectories, dimension, theta, u):
    for _ in range(trajectories):
        theta[:], u[:] = 1.2, 1.0
        for _ in range(STEPS):
            for j in range(dimension):
                z, f = rng.standard_normal(), HESSIAN * theta[j]
                theta[j] -= (ETA2 * f + ETA * SIGMA0 * z) / (SIGMA0 * np.sqrt(u[j]) + EPS0)
                w = z + DRIFT_SCALE * f
                u[j] += C2 * ETA2 * ((w * w if rmsprop else 1.0) - u[j])


def numba_peer(rule, dimension):
    """A plain loop in Numba with NumPy's Generator."""
    rng, trajectories = np.random.default_rng(0), max(1, 1000 // dimension)
    theta, u = np.empty(dimension), np.empty(dimension)
    return lambda: _loop(rng, rule == "rmsprop", trajectories, dimension, theta, u), trajectories * STEPS * dimension


_CPP = """
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>
int main() {
    const int d = DIMENSION, trajectories = 1000 / d > 0 ? 1000 / d : 1;
    std::mt19937_64 engine(1);
    std::normal_distribution<double> normal;
    double sum = 0.0, theta[d], u[d];
    auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < trajectories; i++) {
        for (int j = 0; j < d; j++) { theta[j] = 1.2; u[j] = 1.0; }
        for (int k = 0; k < STEPS; k++)
            for (int j = 0; j < d; j++) {
                double z = normal(engine), f = HESSIAN * theta[j], w = z + DRIFT_SCALE * f;
                theta[j] -= (ETA2 * f + ETA * SIGMA0 * z) / (SIGMA0 * std::sqrt(u[j]) + EPS0);
                u[j] += C2 * ETA2 * ((RMSPROP ? w * w : 1.0) - u[j]);
            }
        for (int j = 0; j < d; j++) sum += theta[j];
    }
    std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    std::printf("%.9g %g\\n", seconds.count() / (double(trajectories) * STEPS * d), sum);
}
"""


def cpp_seconds(rule, dimension):
    """Return a function that runs C++ with the standard library's normals and gives seconds a step, or None."""
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        return None
    directory = Path(tempfile.mkdtemp())
    numbers = {name: globals()[name] for name in ("SIGMA0", "EPS0", "C2", "HESSIAN", "ETA2", "ETA", "DRIFT_SCALE")}
    macros = {**numbers, "STEPS": STEPS, "DIMENSION": dimension, "RMSPROP": int(rule == "rmsprop")}
    (directory / "peer.cpp").write_text(_CPP, encoding="utf-8")
    defines = [f"-D{name}={value!r}" for name, value in macros.items()]
    build = [compiler, "-O3", "-march=native", *defines, "peer.cpp", "-o", "peer"]
    subprocess.run(build, cwd=directory, check=True)

    def seconds():
        out = subprocess.run([directory / "peer"], capture_output=True, text=True, check=True).stdout
        return float(out.split()[0])

    return seconds


def jax_peer(rule, dimension):
    """A jitted scan over steps of a batch in JAX."""
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    shape = (LANES // dimension, dimension)

    def step(state, key):
        theta, u = state
        z, f = jax.random.normal(key, shape, jnp.float64), HESSIAN * theta
        moved = theta - (ETA2 * f + ETA * SIGMA0 * z) / (SIGMA0 * jnp.sqrt(u) + EPS0)
        return (moved, u + C2 * ETA2 * ((z + DRIFT_SCALE * f) ** 2 - u if rule == "rmsprop" else 1.0 - u)), None

    def whole(key):
        start = (jnp.full(shape, 1.2), jnp.ones(shape))
        return jax.lax.scan(step, start, jax.random.split(key, STEPS))[0][0].sum()

    compiled, key = jax.jit(whole), jax.random.PRNGKey(0)
    return lambda: compiled(key).block_until_ready(), LANES * STEPS


def torch_peer(rule, dimension):
    """PyTorch on blocks of 4096 numbers."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)
    shape, real = (LANES // dimension, dimension), torch.float64

    def run():
        theta, u = torch.full(shape, 1.2, dtype=real), torch.ones(shape, dtype=real)
        for _ in range(STEPS):
            z, f = torch.randn(shape, dtype=real), HESSIAN * theta
            theta = theta - (ETA2 * f + ETA * SIGMA0 * z) / (SIGMA0 * torch.sqrt(u) + EPS0)
            u = u + C2 * ETA2 * ((z + DRIFT_SCALE * f) ** 2 - u if rule == "rmsprop" else 1.0 - u)

    return run, LANES * STEPS


def diffrax_peer(rule, dimension):
    """Diffrax's Euler under vmap: the SDE only."""
    if rule == "rmsprop":
        return None
    try:
        import diffrax
        import jax
        import jax.numpy as jnp
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)

    class OnlyTheta(diffrax.ControlTerm):
        """A control of theta alone, coordinate by coordinate: u has no noise."""

        def prod(self, vf, control):
            return vf * control, jnp.zeros(dimension)

    def drift(t, y, args):
        theta, u = y
        return -HESSIAN * theta / (SIGMA0 * jnp.sqrt(u) + EPS0), C2 * (1.0 - u)

    def diffusion(t, y, args):
        return -SIGMA0 / (SIGMA0 * jnp.sqrt(y[1]) + EPS0)

    def one(key):
        path = diffrax.UnsafeBrownianPath(shape=jax.ShapeDtypeStruct((dimension,), jnp.float64), key=key)
        terms = diffrax.MultiTerm(diffrax.ODETerm(drift), OnlyTheta(diffusion, path))
        start = (jnp.full(dimension, 1.2), jnp.ones(dimension))
        settings = {"adjoint": diffrax.DirectAdjoint(), "max_steps": STEPS + 1}
        end = diffrax.diffeqsolve(terms, diffrax.Euler(), 0.0, STEPS * ETA2, ETA2, start, **settings)
        return end.ys[0].sum()

    compiled = jax.jit(jax.vmap(one))
    keys = jax.random.split(jax.random.PRNGKey(0), max(1, 1024 // dimension))
    return lambda: compiled(keys).block_until_ready(), len(keys) * STEPS * dimension
