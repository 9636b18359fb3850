"""Learn: Theorems 4.2, 4.5, 5.3 and 6.3 of arXiv 2205.10287 in one figure: weak errors that fall like h.

The paper proves upper bounds and shows deep networks; here are its statements on quadratic losses, P2 and P4 of
docs/theory.md, "Reference problems". Dashed lines are the constants that theory predicts.
"""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import ngos_sim as ns

trajectories = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
rmsprop = ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3)
adam = ns.adam(sigma0=0.8, eps0=0.1, c1=2.0, c2=1.3)
skewed = ns.two_point(skewness=1.5)
start, functions = dict(theta=1.2, u=1.0), {"theta[0]": r"$\theta$", "theta[0]^2": r"$\theta^2$", "u[0]^2": r"$u^2$"}
steps = dict(eta2=[2.0**-k for k in range(4, 10)])
svag = ns.svag(rmsprop, ell=[3, 4, 6, 8, 12, 16])
cases = {
    "4.2: RMSprop": (rmsprop, dict(sde=ns.rmsprop_sde(), initial=start, **steps), ns.gaussian()),
    "4.5: Adam, from $t_0$ = 0.5": (
        adam,
        dict(sde=ns.adam_sde(), initial=dict(theta=1.2, m=-0.4, u=1.4, t0=0.5), horizon=1.5, **steps),
        ns.gaussian(),
    ),
    "5.3: RMSprop, twice the batch": (
        rmsprop,
        dict(reference=ns.scaling_rule(2), initial=start, **steps),
        ns.gaussian(),
    ),
    "6.3: SVAG, skewed noise": (svag, dict(sde=ns.rmsprop_sde(), initial=start, eta2=0.125), skewed),
}
figure, panels = plt.subplots(2, 2, figsize=(6.8, 5.0), layout="constrained")
for axes, (title, (optimizer, given, noise)) in zip(panels.flat, cases.items(), strict=True):
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(0.9), noise=noise), optimizer, test_functions=[*functions], **given
    )
    result = study.run(trajectories, seed=0)
    orders, last = result.order(), result.table.groupby(["test_function", "h"]).last().error.abs()
    print(f"Theorem {title}\n{orders}\n")
    for row, mark in zip(orders[orders.norm == "final"].itertuples(), "osD", strict=True):
        error = last[row.test_function]
        (line,) = axes.loglog(error.index, error, mark, ms=4, label=functions[row.test_function])
        axes.loglog(error.index, abs(row.predicted_constant) * error.index, "--", lw=1, color=line.get_color())
    axes.set_xscale("log", base=2)
    axes.set_title(f"Theorem {title}", fontsize="medium")
    axes.legend(fontsize="small")
figure.supxlabel(r"$h$, the time of one step", fontsize="medium")
figure.supylabel("|weak error|, and the constant that theory predicts times $h$", fontsize="medium")
figure.savefig("theorems.png", dpi=90)
