"""Learn: Adam at a noise that does not shrink, on a quadratic loss that couples coordinates (after arXiv 2509.21614).

A = [[1, 1/2], [1/2, 1]], noise 0.25 N(0, I), from (10, 5) to t = 10. The ODE (order 0) and the SDE (order 1) of the
ballistic regime are equally near, to order eta: so little noise on so large a path is not what separates them.
"""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import ngos_sim as ns

trajectories = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
study = ns.ConvergenceStudy(
    ns.NGOS(ns.quadratic([[1.0, 0.5], [0.5, 1.0]])),
    ns.ballistic_adam(sigma=0.25, eps=1e-6, c1=1.0, c2=0.5),
    sde=[ns.ballistic_adam_sde(order=0), ns.ballistic_adam_sde(order=1)],
    initial=dict(theta=[10.0, 5.0], m=0.0, v=1.0, t0=1.0),
    eta=[2.0**-k for k in range(3, 8)],
    horizon=10.0,
    times=[2.0, 4.0, 6.0, 8.0, 10.0],
    test_functions=["sqnorm(theta)"],
)
result = study.run(trajectories, seed=0)
print(result.order())
figure, axes = plt.subplots(figsize=(6.8, 3.4), layout="constrained")
for sde, style in zip(study.sdes, (dict(marker="o", ms=9, mfc="none"), dict(marker="s", ms=4)), strict=True):
    rows = result.table.query("sde == @sde.name and test_function == 'sqnorm(theta)'")
    largest = rows.assign(error=rows.error.abs()).groupby("h").error.max()
    axes.loglog(largest.index, largest, label=sde.name, **style)
axes.set_xscale("log", base=2)
axes.set(
    xlabel=r"$\eta$",
    ylabel=r"weak error of $|\theta|^2$, largest over time",
    title="Ballistic Adam on a coupled quadratic",
)
axes.legend()
figure.savefig("correlated_quadratic.png", dpi=100)
