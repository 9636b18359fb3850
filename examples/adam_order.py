"""Learn: Adam's weak error from t0 > 0 (Theorem 4.5), in both conventions of the second moment."""

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import ngos_sim as ns

trajectories = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
figure, panels = plt.subplots(1, 2, figsize=(7.6, 4.4), sharey=True, layout="constrained")
for convention, axes in zip(("previous", "updated"), panels, strict=True):
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(0.9)),
        optimizer=ns.adam(sigma0=0.8, eps0=0.1, c1=2.0, c2=1.3, second_moment=convention),
        sde=ns.adam_sde(),
        initial=dict(theta=1.2, m=-0.4, u=1.4, t0=0.5),
        eta2=[2.0**-k for k in range(3, 9)],
        horizon=1.5,
        test_functions=["theta[0]", "theta[0]^2", "m[0]*u[0]"],
    )
    result = study.run(trajectories, seed=0)
    print(f"second moment: {convention}\n{result.order()}\n")
    result.plot(axes=axes)
    axes.set_title(f"second moment: {convention}")
figure.savefig("adam_order.png", dpi=150)
