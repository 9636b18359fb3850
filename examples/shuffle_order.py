"""Learn: how far the order of the same samples moves where an optimizer arrives, and what momentum does to that."""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import ngos_sim as ns

A, B = np.linspace(0.5, 2.0, 8), np.array([0.3, -1.2, 0.8, 1.9, -0.4, 0.1, -2.0, 1.1])
ORACLE = ns.finite_data(np.sqrt(A)[:, None], np.sqrt(A) * B, model="least_squares")  # 8 quadratics a (x - b)^2 / 2
RATES = 2.0 ** -np.arange(5, 10)


def averaged(x, o, z, c, p):
    theta, m = x
    m = p.beta * m + (1.0 - p.beta) * (o.gradient + p.sigma * z)
    return theta - p.h * m, m


def momentum(beta):
    return ns.Optimizer("momentum", averaged, slots=("theta", "m"), clock="eta", sigma=1.0, beta=beta)


OPTIMIZERS = {
    "SGD": (ns.sgd(sigma=1.0), dict(theta=1.0)),
    "momentum, beta = 0.9": (momentum(0.9), dict(theta=1.0, m=0.0)),
    "momentum, 1 - beta = eta / 2": (lambda eta: momentum(1.0 - 0.5 * eta), dict(theta=1.0, m=0.0)),
}


def measured(trajectories):
    return {
        name: ns.order_effect(ORACLE, optimizer, initial=initial, eta=RATES, trajectories=trajectories)
        for name, (optimizer, initial) in OPTIMIZERS.items()
    }


if __name__ == "__main__":
    figure, axes = plt.subplots()
    for name, found in measured(int(sys.argv[1]) if sys.argv[1:] else 65_536).items():
        print(f"{name}\n{found}\n")
        label = f"{name}: slope {found.slope.value:.2f} ({found.slope.std_error:.2f})"
        axes.loglog(found.table.eta, found.table.variance, "o-", label=label)
    axes.set(xlabel="eta", ylabel="variance of the end point over orders", title="One epoch of the same 8 samples")
    axes.set_xscale("log", base=2)
    axes.set_ylim(bottom=1e-11)  # room for the legend
    axes.legend(loc="lower right")
    figure.savefig("shuffle_order.png", dpi=150)
