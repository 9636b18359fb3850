"""Learn: how far from a minimum an optimizer stays: SGD's variance is of size sigma^2, SignSGD's and Adam's of sigma.

After section 3 of arXiv 2411.15958: f = theta^2 / 2, runs past their transient beside the SDEs' stationary laws.
"""

import math
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

import ngos_sim as ns

SIGMAS, ETA, PAST = (0.5, 1.0, 2.0, 4.0), 0.02, 3.0  # as many times the time 1 / rate of the transient
trajectories = int(sys.argv[1]) if len(sys.argv) > 1 else 4096
adam = dict(eps0=0.0, c1=0.1 / ETA**2, c2=0.01 / ETA**2, bias_correction=False)  # betas .9 and .99 at this eta


def cases(sigma):
    """Yield optimizer, SDE, step, the rest of the start, rate of the transient and stationary variance."""
    rate, unit = math.sqrt(2.0 / math.pi) / sigma, dict(m=0.0, u=1.0)
    yield ns.sgd(sigma), ns.sgd_sde(), dict(eta=ETA), {}, 1.0, ETA * sigma**2 / 2.0  # Lemma 3.8
    yield ns.signsgd(sigma), ns.signsgd_sde(), dict(eta=ETA), {}, rate, ETA / (2.0 * rate + ETA * rate**2)  # Lemma 3.7
    scaled = ns.adam(sigma * ETA, **adam)  # its time is k eta^2
    yield scaled, ns.adam_sde(), dict(eta2=ETA**2), unit, 1.0 / (sigma * ETA), ETA * sigma / 2.0  # Lemma C.52


def variance(optimizer, sde, step, rest, rate):
    """Return E theta^2 past the transient, from theta = 0."""
    (h,) = step.values()
    horizon = h * round(PAST / (rate * h))
    settings = dict(sde=sde, initial=dict(theta=0.0, **rest), horizon=horizon, times=[horizon], estimator="coupled")
    study = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(1.0)), optimizer, test_functions=["theta[0]^2"], **settings, **step
    )
    return study.run(trajectories, seed=1).table.optimizer_mean[0]


figure, axes = plt.subplots(layout="constrained")
for color, of_one in enumerate(zip(*map(cases, SIGMAS), strict=True)):
    found, known = [variance(*case[:-1]) for case in of_one], [case[-1] for case in of_one]
    for sigma, value, expected in zip(SIGMAS, found, known, strict=True):
        print(
            f"{of_one[0][0].name:8} sigma={sigma:<4} E theta^2 = {value:.5f}, stationary law of the SDE {expected:.5f}"
        )
    axes.loglog(SIGMAS, known, color=f"C{color}", label=of_one[0][0].name)
    axes.loglog(SIGMAS, found, "o", color=f"C{color}")
axes.set(
    xlabel=r"$\sigma$", ylabel=r"stationary $E\,\theta^2$", title=rf"$f = \theta^2/2$, $\eta = {ETA}$; lines: SDEs"
)
axes.legend()
figure.savefig("signsgd_stationary.png", dpi=150)
