"""Are the constants that theory predicts the ones that are measured, within 3 standard errors?

    python benchmarks/constants.py [--trajectories 600000]

listed: found by hand (docs/theory.md, "Reference problems"); predicted: by `known.constants`; measured: C of the local
estimator's errors at eta^2 = 2^-5 .. 2^-10, with its standard error. theta starts at 0 in P1 and P3.
"""

import argparse
from dataclasses import dataclass, field

import pandas as pd

import ngos_sim as ns

NAMES = {
    "P1": ["theta[0]", "theta[0]^2", "u[0]", "u[0]^2", "theta[0]*u[0]"],
    "P2": ["theta[0]", "theta[0]^2", "u[0]", "u[0]^2", "theta[0]*u[0]", "theta[0]^4"],
    "P3": ["theta[0]"],
    "P4": ["theta[0]", "theta[0]^2"],
}
CONSTANTS = {"sigma0": 0.8, "eps0": 0.0, "c2": 1.3}


@dataclass(frozen=True)
class Row:
    """A reference problem with changes, and the listed constants in the order of NAMES."""

    problem: str
    listed: tuple[float, ...]
    u0: float
    noise: ns.Noise = field(default_factory=ns.gaussian)
    covariance: float = 1.0
    constants: dict = field(default_factory=dict)

    @property
    def label(self):
        """What tells the row from the problem's others."""
        changed = {"u0": self.u0, "Sigma": self.covariance, **self.constants}
        return f"{self.problem} {self.noise.name} " + " ".join(f"{name}={value}" for name, value in changed.items())

    def study(self):
        """Return the study of the row."""
        momentum = self.problem in ("P3", "P4")
        constants = CONSTANTS | ({"c1": 2.0} if momentum else {}) | self.constants
        loss = {"P1": ns.linear(0.7), "P2": ns.quadratic(0.9), "P3": ns.linear(0.6), "P4": ns.quadratic(0.9)}
        start = {"theta": 0.0 if self.problem in ("P1", "P3") else 1.2, "u": self.u0}
        return ns.ConvergenceStudy(
            ns.NGOS(loss[self.problem], self.covariance, self.noise),
            (ns.adam if momentum else ns.rmsprop)(**constants),
            ns.adam_sde() if momentum else ns.rmsprop_sde(),
            initial=start | ({"m": -0.4, "t0": 0.5} if momentum else {}),
            eta2=[2.0**-k for k in range(5, 11)],
            horizon=1.5 if momentum else 1.0,
            times=[1.5 if momentum else 1.0],
            test_functions=NAMES[self.problem][: len(self.listed)],
            estimator="local",
        )


ROWS = [
    Row("P1", (-0.127166, 0.138788, 0.556968, 2.317380, -1.656053), 1.0),
    Row("P1", (-0.003202, -0.214814, 0.372736, 2.111449, -1.210364), 1.8),
    Row("P1", (-0.206140, 0.533170, 0.718170, 3.182555, -1.680269), 0.5, covariance=1.2, constants={"eps0": 0.3}),
    Row("P1", (0.063765, -0.630760, 0.464852, 1.512432, -1.390646), 1.4, ns.uniform()),
    Row("P1", (0.132382, -0.909648, 0.441823, 1.004057, -1.336096), 1.5, ns.rademacher()),
    Row("P1", (1.010334,), 1.0, constants={"second_moment": "updated"}),
    Row("P1", (0.368208,), 1.8, constants={"second_moment": "updated", "eps0": 0.2}),
    Row("P2", (-0.4027, 0.0721, 0.6974, 2.5982, -0.4341, 0.6964), 1.0),
    Row("P2", (-0.2935, -0.0259, 0.5712, 2.5327, -0.4384, 0.3999), 1.6),
    Row("P2", (-0.3376, -0.1922, 0.6974, 1.8761, -0.4386, -0.2982), 1.0, ns.uniform()),
    Row("P2", (-0.2533, -0.3185, 0.6334, 1.3704, -0.4438, -0.7830), 1.3, ns.rademacher()),
    Row("P3", (-0.530152,), 1.4),
    Row("P3", (-0.439413,), 1.4, covariance=1.2, constants={"eps0": 0.3}),
    Row("P3", (-0.450546,), 1.0, ns.rademacher()),
    Row("P4", (-0.34126, -0.77760), 1.4, constants={"eps0": 0.1}),
]


def main():
    """Print one line a constant, and how many lie within 3 standard errors."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--trajectories", type=int, default=600_000)
    trajectories = parser.parse_args().trajectories
    lines = []
    for row in ROWS:
        orders = row.study().run(trajectories).order()
        final = orders[orders.norm == "final"].set_index("test_function")
        for name, listed in zip(NAMES[row.problem], row.listed, strict=False):
            one = final.loc[name]
            off, scale = one.constant - one.predicted_constant, max(abs(one.predicted_constant), 0.1)
            lines.append(
                {
                    "problem": row.label,
                    "test function": name,
                    "listed": listed,
                    "predicted": round(one.predicted_constant, 6),
                    "measured": round(one.constant, 5),
                    "SE": round(one.constant_std_error, 5),
                    "SE %": round(100.0 * one.constant_std_error / scale, 2),
                    "off in SE": round(off / one.constant_std_error, 1),
                }
            )
    table = pd.DataFrame(lines)
    print(table.to_string(index=False))
    within = (table["off in SE"].abs() <= 3.0).sum()
    print(f"{within} of {len(table)} within 3 SE; the largest SE is {table['SE %'].max():.2f} % of max(|C|, 0.1)")


if __name__ == "__main__":
    main()
