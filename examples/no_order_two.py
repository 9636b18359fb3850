"""Learn: why RMSprop has no SDE of order 2: with all corrections of order h, E theta^2 is off by more than without."""

import math
import sys

import ngos_sim as ns

LEAST = 0.05  # u has noise in this SDE, and roots of it are taken


def drift(x, o, c, p):
    """Malladi's, and the first derivatives of E2: docs/theory.md, "Step expansion"."""
    u, B = max(x[1], LEAST), p.c2 * (o.variance - x[1])
    q, f = 1.0 / (p.sigma0 * math.sqrt(u)), o.gradient
    of_theta = -q * f - 0.5 * p.h * q * f * (q * o.curvature + 0.5 * B / u)
    return of_theta, B + p.h * (p.c2 * f * f / p.sigma0**2 + 0.5 * p.c2 * B)


def diffusion(x, o, c, p):
    """Of W and of B, so that the covariance of (theta, u) is Malladi's and the second derivatives of E2."""
    u, B, S = max(x[1], LEAST), p.c2 * (o.variance - x[1]), o.variance
    q = 1.0 / (p.sigma0 * math.sqrt(u))
    root = p.sigma0 * q * math.sqrt(max(1.0 + p.h * (q * o.curvature + 0.5 * B / u), LEAST))
    shared = -2.0 * p.h * p.c2 * q * o.gradient / root
    alone = 2.0 * p.h * (p.c2 * S) ** 2 - S * shared * shared  # Gaussian noise: E z^4 - S^2 = 2 S^2
    return (-root, -shared), (0.0, math.sqrt(max(alone, 0.0)))


def measured(trajectories):
    return ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(0.9)),
        optimizer=ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3),
        sde=[ns.rmsprop_sde(), ns.SDE("corrected", drift, diffusion, slots=("theta", "u"), channels=2)],
        initial=dict(theta=1.2, u=1.0),
        eta2=[1 / 16, 1 / 32, 1 / 64],
        times=[1.0],
        test_functions=["theta[0]", "theta[0]^2", "u[0]", "u[0]^2", "theta[0]*u[0]"],
        estimator="coupled",
    ).run(trajectories, seed=0)


if __name__ == "__main__":
    result = measured(int(sys.argv[1]) if sys.argv[1:] else 1_000_000)
    table = result.table.assign(over_h=lambda rows: rows.error / rows.h, std=lambda rows: rows.std_error / rows.h)
    print("errors over h: what stays as h -> 0 is an error of order 1")
    print(table.pivot(index=["test_function", "h"], columns="sde", values=["over_h", "std"]).round(3).to_string())
    orders = result.order()
    columns = ["sde", "test_function", "constant", "constant_std_error", "predicted_constant"]
    print(orders[orders.norm == "final"][columns].round(3).to_string(index=False))
    result.plot("no_order_two.png")
