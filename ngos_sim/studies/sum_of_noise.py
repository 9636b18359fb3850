"""Whether an optimizer can take minibatches: their gradient is f' + sigma z as one number, and z is 0.

A step that reads o.gradient and z in their sum alone is the same then. `studies.first_step` asks when a study is made.
"""

from types import SimpleNamespace

from ngos_sim.engines.observation import reads_attribute
from ngos_sim.processes.rule import learning_rate, oracle_of, parameters

_POINTS = ((0.37, 0.83), (-1.13, 0.29), (0.71, -1.57), (-0.059, -0.41))  # of f' and z
_SAME = 1e-9  # relative


def check(rule, h, c, states):
    """Raise ValueError unless a rule's step reads gradient and noise only as f' + sigma z, and no o.variance.

    Parameters
    ----------
    rule : Optimizer
    h : float
        The time of its step.
    c : tuple of float
        The row of its table.
    states : sequence of tuple
        States of one coordinate at which it is tried.

    Raises
    ------
    ValueError
        It reads them otherwise.
    """
    if "variance" not in rule.parameters and reads_attribute(rule.step, "variance"):
        raise ValueError(
            f"optimizer {rule.name!r} reads o.variance, which no minibatch of data says; o.gradient is allowed"
        )
    sigma, p = rule.noise_scale(learning_rate(rule.clock, h)), SimpleNamespace(**parameters(rule, h))
    told = oracle_of("gradient", "variance")
    for x in states:
        for gradient, z in _POINTS:
            apart = rule.step(x, told(gradient, 1.0), z, c, p)
            together = rule.step(x, told(gradient + sigma * z, 1.0), 0.0, c, p)
            if not all(abs(a - b) <= _SAME * max(abs(a), abs(b)) for a, b in zip(apart, together, strict=True)):
                raise ValueError(
                    f"optimizer {rule.name!r} reads o.gradient and z otherwise than as o.gradient + sigma z, sigma = "
                    f"{sigma:.6g}: minibatches of data give that sum alone"
                )
