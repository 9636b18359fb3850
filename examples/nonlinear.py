"""Learn: skewed noise costs RMSprop in a double well half an order of its SDE. Computed, not sampled."""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import ngos_sim as ns

sizes = int(sys.argv[1]) if len(sys.argv) > 1 else 5
laws = {
    "Gaussian": ns.gaussian(),
    "two-point, skewness 0.9": ns.two_point(skewness=0.9),
    "two-point, skewness 0.9 / sigma": ns.two_point(low_skewness=0.9),
}
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for name, law in laws.items():
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.double_well(hessian=9.0, minimum=1.0, width=3.0), noise=law),
        optimizer=ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3),
        sde=ns.rmsprop_sde(),
        initial=dict(theta=1.2, u=1.0),
        steps=[16 * 2**k for k in range(sizes)],
        horizon=1.0,
        test_functions=["theta[0]"],
    )
    result = study.run(trajectories=1)  # as many as you like: none is run
    order = result.order().query("norm == 'final'").iloc[0]
    print(f"{name:32} order {order.order:.2f} [{order.ci_low:.2f}, {order.ci_high:.2f}]: {order.verdict}")
    last = result.table[result.table.time == 1.0]
    left.loglog(last.h, last.error.abs(), "o-", label=name)
    path = study.means().query("h == 0.0625 and process == 'optimizer'")
    right.plot(path.time, path["mean"], "o-", ms=3, label=name)
print(result.why["rmsprop", "theta[0]"])
sde = study.means().query("h == h.min() and process == 'sde'")
right.plot(sde.time, sde["mean"], "k", lw=1, label="SDE")
left.set_xscale("log", base=2)
left.set(xlabel="$h = \\eta^2$", ylabel="$|\\mathbb{E}\\,\\theta_k - \\mathbb{E}\\,\\Theta_t|$ at t = 1")
right.set(xlabel="t", ylabel="$\\mathbb{E}\\,\\theta$, h = 1/16")
right.legend()
figure.savefig("nonlinear.png", dpi=150)
