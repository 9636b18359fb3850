"""What a step on data costs: minibatches of an optimizer, and all samples of its SDE, beside NumPy and JAX.

Logistic regression on 569 samples of 30 features, RMSprop and its SDE, one thread. Peers do the same work: their own
random numbers, the gradient, and the step; NumPy in float64, JAX in both. Each line is the best of several rounds, in
which all take turns, in ns for each trajectory, step and coordinate. Run with --samples and --features for other sizes.
"""

import argparse
import os
import time

os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import numpy as np

import ngos_sim as ns
from ngos_sim.engines.cpu.engine import Kernel
from ngos_sim.engines.program import BLOCK
from ngos_sim.studies import problems

ETA2, SIGMA0, EPS0, C2, L2 = 2.0**-8, 0.5, 0.1, 1.0, 0.01
ETA, BETA = ETA2**0.5, 1.0 - C2 * ETA2
BATCHES, PAIRS, LANES = (1, 8, 32, 128), 4096, 128


def data(samples, features):
    drawn = np.random.default_rng(0)
    x = drawn.normal(size=(samples, features))
    return x, np.where(x @ drawn.normal(size=features) + drawn.normal(size=samples) > 0.0, 1.0, -1.0)


def of_engine(x, y, batch, precision, sde=False):
    """Return a run of one block, and how many trajectories, steps and coordinates it has."""
    sigma0 = ETA / batch**0.5
    steps = 8 if sde else max(16, 512 // batch)
    study = ns.ConvergenceStudy(
        ns.finite_data(x, y, l2=L2),
        ns.rmsprop(sigma0=sigma0, eps0=EPS0, c2=C2),
        ns.rmsprop_sde(),
        initial={"theta": 0.0, "u": 1.0},
        eta2=[ETA2],
        horizon=steps * ETA2,
        test_functions=["theta[0]"],
    )
    (problem,) = problems.problems(study)
    part = problem.integrated(study.sdes[0]) if sde else problem.optimizer()
    job = problem.job([part], np.eye(1), problem.observables([0]))
    kernel = Kernel(job.program, job.inputs, precision)
    return lambda: kernel.block(0), BLOCK * steps * x.shape[1]


def numpy_optimizer(x, y, batch):
    n, d = x.shape
    rng, lanes, steps = np.random.default_rng(0), max(16, PAIRS // batch), 4

    def run():
        theta, v = np.zeros((lanes, d)), np.full((lanes, d), 1.0 / batch)
        for _ in range(steps):
            index = rng.integers(0, n, (lanes, batch))
            rows, labels = x[index], y[index]
            r = -labels / (1.0 + np.exp(labels * np.einsum("lbd,ld->lb", rows, theta)))
            g = np.einsum("lb,lbd->ld", r, rows) / batch + L2 * theta
            theta = theta - ETA * g / (np.sqrt(v) + EPS0 / ETA)
            v = BETA * v + (1.0 - BETA) * g * g

    return run, lanes * steps * d


def numpy_sde(x, y):
    n, d = x.shape
    rng, squares, steps = np.random.default_rng(0), x * x, 4

    def run():
        theta, u = np.zeros((LANES, d)), np.ones((LANES, d))
        for _ in range(steps):
            increments = rng.standard_normal((LANES, n))
            r = -y / (1.0 + np.exp(y * (theta @ x.T)))
            g = r @ x / n
            xi = ((r * increments) @ x - g * increments.sum(axis=1, keepdims=True)) / n**0.5
            spread = r**2 @ squares / n - g * g
            moved = ETA2 * (g + L2 * theta) + ETA * SIGMA0 * xi
            theta, u = theta - moved / (SIGMA0 * np.sqrt(u) + EPS0), u + C2 * ETA2 * (spread - u)

    return run, LANES * steps * d


def jax_peers(x, y, precision):
    """Return functions (batch) -> (run, size) of an optimizer, and of the SDE; None where JAX is not installed."""
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        return None
    jax.config.update("jax_enable_x64", True)
    kind = jnp.dtype(precision)
    n, d = x.shape
    x, y = jnp.asarray(x, kind), jnp.asarray(y, kind)
    squares = x * x

    def made(step, lanes, steps):
        def whole(key):
            start = jnp.zeros((lanes, d), kind), jnp.ones((lanes, d), kind)
            return jax.lax.scan(step, start, jax.random.split(key, steps))[0][0].sum()

        compiled, key = jax.jit(whole), jax.random.PRNGKey(0)
        return lambda: compiled(key).block_until_ready(), lanes * steps * d

    def optimizer(batch):
        lanes = max(16, PAIRS // batch)

        def step(state, key):
            theta, v = state
            index = jax.random.randint(key, (lanes, batch), 0, n)
            rows, labels = x[index], y[index]
            r = -labels / (1.0 + jnp.exp(labels * jnp.einsum("lbd,ld->lb", rows, theta)))
            g = jnp.einsum("lb,lbd->ld", r, rows) / batch + L2 * theta
            moved = theta - ETA * g / (jnp.sqrt(v) + EPS0 / ETA)
            return (moved.astype(kind), (BETA * v + (1.0 - BETA) * g * g).astype(kind)), None

        return made(step, lanes, 4)

    def sde():
        def step(state, key):
            theta, u = state
            increments = jax.random.normal(key, (LANES, n), kind)
            r = -y / (1.0 + jnp.exp(y * (theta @ x.T)))
            g = r @ x / n
            xi = ((r * increments) @ x - g * increments.sum(axis=1, keepdims=True)) / n**0.5
            spread = r**2 @ squares / n - g * g
            moved = ETA2 * (g + L2 * theta) + ETA * SIGMA0 * xi
            moved = theta - moved / (SIGMA0 * jnp.sqrt(u) + EPS0)
            return (moved.astype(kind), (u + C2 * ETA2 * (spread - u)).astype(kind)), None

        return made(step, LANES, 4)

    return optimizer, sde


def best(contestants, rounds):
    """Return the best ns of each {name: (run, size)}, all taking turns."""
    found = dict.fromkeys(contestants, np.inf)
    for run, _ in contestants.values():
        run()  # compiles
    for _ in range(rounds):
        for name, (run, size) in contestants.items():
            run()  # after another one the caches are cold
            begin = time.perf_counter()
            run()
            found[name] = min(found[name], (time.perf_counter() - begin) / size * 1e9)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("--samples", 569), ("--features", 30), ("--rounds", 30)):
        parser.add_argument(name, type=int, default=default)
    given = parser.parse_args()
    x, y = data(given.samples, given.features)
    peers = {f"JAX {kind}": jax_peers(x, y, kind) for kind in ("float64", "float32")}
    if not all(peers.values()):
        print("JAX is not installed: pip install jax")
        peers = {}
    shape = "n={}, d={}".format(*x.shape)
    print(f"{shape:>18}  ns for each trajectory, step and coordinate (x as long as f64)")
    for batch in (*BATCHES, 0):
        sde = batch == 0
        contestants = {
            name: of_engine(x, y, batch or 1, precision, sde) for name, precision in (("f64", "f64"), ("mix", "mix"))
        }
        contestants["NumPy float64"] = numpy_sde(x, y) if sde else numpy_optimizer(x, y, batch)
        contestants |= {name: each[1]() if sde else each[0](batch) for name, each in peers.items()}
        found = best(contestants, given.rounds)
        said = ", ".join(f"{name} {ns_each:.3g} ({ns_each / found['f64']:.2g})" for name, ns_each in found.items())
        print(f"{'SDE' if sde else f'optimizer, B={batch}':>18}  {said}")


if __name__ == "__main__":
    main()
