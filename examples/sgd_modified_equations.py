"""Learn: which SDE is near SGD, and to which order (Example A of arXiv 1811.01558).

f_g(x) = (x - g)^T (x - g) / 2 - d / 2 with a standard normal g: a quadratic loss whose noise has the covariance I.
Beside the Ito SDE and the modified equation of order 2 stands that of arXiv 2506.00181, whose correction has the other
sign: it is of order 1, with twice the constant of the Ito SDE.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

import ngos_sim as ns

study = ns.ConvergenceStudy(
    ns.NGOS(ns.quadratic(1.0), covariance=1.0, noise=ns.gaussian()),
    optimizer=ns.sgd(sigma=1.0),
    sde=[ns.sgd_sde(order=1), ns.sgd_sde(order=2), ns.flipped_sgd_sde()],
    initial=dict(theta=[5.0, 5.0, 5.0]),
    eta=[2.0**-k for k in range(1, 8)],
    horizon=2.0,
    times="all",
    test_functions=["loss"],
)
table = study.run(trajectories=1024, seed=0).table

largest = table.assign(error=table.error.abs()).groupby(["eta", "sde"]).error.max().unstack().iloc[::-1]
print("max over k of |E f(x_k) - E f(X_{k eta})|\n", largest.to_string(float_format="%.5f"))
print("order between the two finest\n", np.log2(largest.iloc[-2] / largest.iloc[-1]).round(3).to_string())
axes = largest.plot(style="o-", loglog=True, xlabel="eta", ylabel="max over k of |error of E f|", figsize=(6, 4.5))
axes.plot(largest.index, largest.index * 8.0, "k:", lw=0.8)
axes.plot(largest.index, largest.index**2 * 3.0, "k:", lw=0.8)
plt.savefig("sgd_modified_equations.png", dpi=150, bbox_inches="tight")
