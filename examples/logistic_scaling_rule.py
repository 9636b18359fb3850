"""Learn: what a batch kappa times as large does to training on real data, under the square-root rule and two others.

Breast cancer, 569 samples of 30 standardised features, logistic regression. The rule of Theorem 5.3 of arXiv
2205.10287 leaves (kappa - 1) C h, C h the error of the small batch against its SDE; what leaves lr or beta alone not.
"""

import sys
import warnings

import matplotlib
import numpy as np
from sklearn.datasets import load_breast_cancer

import ngos_sim as ns

matplotlib.use("Agg")
import matplotlib.pyplot as plt

warnings.simplefilter("ignore", ns.StudyWarning)  # batches are scaled on purpose
LR, BETA, EPS, B, KAPPA = 0.07, 0.995, 0.7, 2, (2, 4, 8)
FEWER = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
raw = load_breast_cancer()
ORACLE = ns.finite_data((raw.data - raw.data.mean(axis=0)) / raw.data.std(axis=0), raw.target, l2=0.01)
U0 = np.diag(ORACLE.covariance_at(np.zeros(30)))


def study(lr, beta, eps, batch, samples, functions=("loss",), **opponent):
    """Return a study from theta = 0 over so many samples, whatever the batch."""
    rule, eta2 = ns.from_hyperparameters("rmsprop", lr=lr, betas=beta, eps=eps, batch_size=batch)
    end, initial = samples // batch * eta2, {"theta": 0.0, "u": U0}
    given = dict(initial=initial, batch_size=[batch], horizon=end, test_functions=functions, **opponent)
    return ns.ConvergenceStudy(ORACLE, rule, **given)


def loss_over_samples(lr, beta, eps, batch):
    """Return samples seen, and mean and standard deviation of the loss."""
    made = study(lr, beta, eps, batch, 256, ["loss", "loss^2"], reference=ns.scaling_rule(2))
    table = made.run(int(16_384 * FEWER)).table
    mean, square = (table[table["test_function"] == g]["optimizer_mean"].to_numpy() for g in ("loss", "loss^2"))
    steps = table[table["test_function"] == "loss"]["step"].to_numpy()
    return steps * batch, mean, np.sqrt(np.maximum(square - mean**2, 0.0))


if __name__ == "__main__":
    root = 4**0.5
    for name, rule in {
        f"B = {B}": (LR, BETA, EPS, B),
        f"B = {4 * B}, lr x 2, 1 - beta x 4, eps / 2": (LR * root, 1 - 4 * (1 - BETA), EPS / root, 4 * B),
        f"B = {4 * B}, lr x 2, beta as it was": (LR * root, BETA, EPS / root, 4 * B),
        f"B = {4 * B}, lr x 4 (linear rule)": (LR * 4, BETA, EPS, 4 * B),
    }.items():
        samples, mean, spread = loss_over_samples(*rule)
        plt.plot(samples, mean, label=name)
        plt.fill_between(samples, mean - spread, mean + spread, alpha=0.2)
        print(f"{name:44} loss {mean[-1]:.4f}, standard deviation {spread[-1]:.4f}")
    early = (LR, BETA, EPS, B, 64)
    sde = study(*early, sde=ns.rmsprop_sde()).run(int(8192 * FEWER)).table.iloc[-1]
    rows = study(*early, reference=ns.scaling_rule(KAPPA)).run(int(16_384 * FEWER)).table.groupby("kappa").last()
    own = f"{sde['error']:.6f} +- {sde['std_error']:.6f}"
    print(f"After 64 samples C h = {own}: E loss of the optimizer less that of its SDE")
    for kappa, row in rows.iterrows():
        expected, known = (1 - kappa) * sde["error"], (kappa - 1) * sde["std_error"]
        found = f"{row['error']:.6f} +- {row['std_error']:.6f}"
        print(f"kappa = {kappa}: {found}, -(kappa - 1) C h = {expected:.6f} +- {known:.6f}")
    plt.xlabel("samples seen")
    plt.ylabel("loss, mean and standard deviation")
    plt.legend()
    plt.savefig("logistic_scaling_rule.png", dpi=150)
