"""Learn: skewed noise breaks order 1, SVAG restores it (Theorem 6.3 of arXiv 2205.10287)."""

import matplotlib.pyplot as plt

import ngos_sim as ns

optimizer = ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3)
common = dict(
    sde=ns.rmsprop_sde(),
    initial=dict(theta=1.2, u=1.0),
    horizon=1.0,
    test_functions=["theta[0]^2", "theta[0]*u[0]"],
)
skewed = ns.NGOS(ns.quadratic(0.9), noise=ns.two_point(skewness=1.5))  # E zeta^3 = 1.5 however large sigma is
studies = {
    "RMSprop, skewed noise: half order": ns.ConvergenceStudy(
        skewed, optimizer, eta2=[2.0**-k for k in range(5, 13)], **common
    ),
    "SVAG on it at eta^2 = 1/8: order 1": ns.ConvergenceStudy(
        skewed, ns.svag(optimizer, ell=[3, 4, 6, 8, 12, 16]), eta2=0.125, **common
    ),
}

figure, panels = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
for (title, study), axes in zip(studies.items(), panels, strict=True):
    result = study.run(trajectories=50_000, seed=0)
    orders = result.order()
    columns = ["test_function", "order", "ci_low", "ci_high", "sqrt_term", "sqrt_term_std_error", "verdict"]
    print(title, orders[orders.norm == "max"][columns].to_string(index=False), sep="\n")
    result.plot(axes=axes)
    axes.set_title(title)
    axes.legend(fontsize="small", loc="upper left")
figure.savefig("theorem_6_3.png", dpi=150)
