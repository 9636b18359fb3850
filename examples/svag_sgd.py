"""Learn: SVAG for SGD with skewed noise: as ell grows SGD tends to its SDE like 1 / ell (after arXiv 2102.12470).

SGD's noise is of the size of its step, so that its SDE is near it where eta is small. SVAG at ell takes ell times as
many steps of eta / ell with sigma sqrt(ell): the SDE of SGD at eta = 1/4 is its limit, whatever the law of the noise.
"""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import ngos_sim as ns

trajectories = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
figure, axes = plt.subplots(figsize=(6.8, 3.6), layout="constrained")
for noise, color in ((ns.gaussian(), "#0072B2"), (ns.two_point(skewness=2.0), "#D55E00")):
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(1.0), noise=noise),
        ns.svag(ns.sgd(sigma=1.0), ell=[1, 2, 4, 8, 16, 32]),
        sde=ns.sgd_sde(order=1),
        initial=dict(theta=1.0),
        eta=0.25,
        horizon=1.0,
        times=[1.0],
        test_functions=["theta[0]^2", "theta[0]^3"],
    )
    result = study.run(trajectories, seed=0)
    print(f"{noise.name}\n{result.order()}\n")
    for name, rows in result.table.groupby("test_function"):
        style = "o-" if name == "theta[0]^2" else "s--"
        axes.loglog(rows.ell, rows.error.abs(), style, ms=4, color=color, label=f"{noise.name} noise, E {name}")
axes.set_xscale("log", base=2)
axes.set(xlabel=r"$\ell$", ylabel="|weak error| at t = 1", title=r"SGD under SVAG at $\eta$ = 1/4, against its SDE")
axes.legend(fontsize="small")
figure.savefig("svag_sgd.png", dpi=100)
