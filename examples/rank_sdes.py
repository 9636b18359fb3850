"""Learn: is my SDE better than the published ones, where, and by how much? Every pair is compared on one stream."""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import ngos_sim as ns
from ngos_sim import preconditioner


def drift(x, o, c, p):
    _, u = x
    q = preconditioner(u, p.sigma0, p.eps0)
    step = q * (o.gradient + 0.5 * p.h * q * o.hessian_gradient)  # as in SGD's modified equation
    return -step, p.c2 * (o.variance + p.h * o.gradient**2 / p.sigma0**2 - u)  # u follows E w^2 of a step


def diffusion(x, o, c, p):
    return -p.sigma0 * preconditioner(x[1], p.sigma0, p.eps0), 0.0


mine = ns.SDE("mine", drift, diffusion, ("theta", "u"))
functions = ["theta[0]", "theta[0]^2", "u[0]"]
study = ns.ConvergenceStudy(
    ns.NGOS(ns.quadratic(0.9)),
    optimizer=ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3),
    sde=[ns.rmsprop_sde(), ns.compagnoni_rmsprop_sde(), mine],
    initial=dict(theta=1.2, u=1.0),
    eta2=[2.0**-k for k in range(3, 8)],
    horizon=1.0,
    test_functions=functions,
)
ranking = study.run(int(sys.argv[1]) if len(sys.argv) > 1 else 32_768, seed=0).ranking()
print(ranking)

colors = {"": "0.6"} | {sde.name: f"C{i}" for i, sde in enumerate(study.sdes)}
figure, axes = plt.subplots(1, len(functions), figsize=(13, 4), layout="constrained")
for panel, function in zip(axes, functions, strict=True):
    series = ranking.table[ranking.table.test_function == function].groupby(["sde_a", "sde_b"], sort=False)
    for marker, ((a, b), rows) in zip("osD", series, strict=True):
        panel.plot([], [], marker, color="0.3", mfc="none", label=f"{a} - {b}")
        for row in rows.itertuples():
            half_width = 0.5 * (row.ci_high - row.ci_low) / row.h
            panel.errorbar(row.h, row.difference / row.h, half_width, fmt=marker, capsize=3, color=colors[row.closer])
    panel.axhline(0.0, color="0.5", lw=0.5)
    panel.set(xscale="log", xlabel="h", ylabel="difference of errors / h", title=function)
for name, color in colors.items():
    axes[0].plot([], [], lw=5, color=color, label=f"{name} is closer" if name else "not resolved")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper")
figure.savefig("rank_sdes.png")
