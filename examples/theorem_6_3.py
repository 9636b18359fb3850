"""Learn: skewed noise breaks the SDE of RMSprop to half order, and SVAG restores it (Theorem 6.3 of arXiv 2205.10287).

The picture of the README: as steps shrink, errors under Gaussian noise fall like h, under skewed noise of a fixed
law like sqrt(h). SVAG splits every step of one RMSprop at eta^2 = 1/8 into ell^2 of its own kind: slope 1 again.
"""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import ngos_sim as ns

trajectories = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
rmsprop = ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3)
gaussian = ns.NGOS(ns.quadratic(0.9))
skewed = ns.NGOS(ns.quadratic(0.9), noise=ns.two_point(skewness=1.5))  # E zeta^3 = 1.5 however large sigma is
small = [2.0**-k for k in range(4, 13)]
cases = {
    "Gaussian noise": (gaussian, rmsprop, dict(eta2=small)),
    "skewed noise": (skewed, rmsprop, dict(eta2=small)),
    "with SVAG": (skewed, ns.svag(rmsprop, ell=[3, 4, 6, 8, 12, 16]), dict(eta2=0.125)),
}
figure, axes = plt.subplots(figsize=(6.8, 3.6), layout="constrained")
for color, (name, (oracle, optimizer, steps)) in zip(("#0072B2", "#D55E00", "#009E73"), cases.items(), strict=True):
    study = ns.ConvergenceStudy(
        oracle, optimizer, sde=ns.rmsprop_sde(), initial=dict(theta=1.2, u=1.0), test_functions=["theta[0]^2"], **steps
    )
    result = study.run(trajectories, seed=0)
    (row,) = result.order().query("norm == 'final'").itertuples()
    print(f"{name}: {row.verdict}; order {row.order:.4f} [{row.ci_low:.4f}, {row.ci_high:.4f}]")
    last = result.table[result.table.time == 1.0].sort_values("h")
    axes.loglog(last.h, last.error.abs(), "o-", ms=4, color=color)
    at, said = last.iloc[0], f"{name}: order {row.order:.2f}"
    axes.annotate(said, (at.h, abs(at.error)), (8, -13), textcoords="offset points", color=color)
axes.set(ylim=(6e-6, 0.2), xlabel=r"$h$, the time of one step", ylabel=r"weak error of $\theta^2$ at $t = 1$")
axes.set_title("RMSprop and its SDE: skewed noise breaks order 1, SVAG restores it")
figure.savefig("theorem_6_3.png", dpi=120)
