"""Points of a study: its step sizes, and which of them one order is fitted to.

`studies.study` makes them, and everything that runs or reads a study asks them for h and eta.
"""

from dataclasses import dataclass

from ngos_sim.processes.optimizer import check_admissible
from ngos_sim.processes.rule import learning_rate
from ngos_sim.studies.batches import squared_rates
from ngos_sim.validation import coordinate_values, described, is_number

TOLERANCE = 1e-9  # relative: times and step sizes closer than this are one


@dataclass(frozen=True)
class Point:
    """One step size of a study, with ell under SVAG and kappa under the scaling rule.

    size : eta2 or eta, whichever the optimizer's clock takes, without ell and kappa
    clock : "eta2" or "eta"
    batch_size : B, without kappa and, under SVAG, of one of two minibatches; None where it is not known
    """

    size: float
    ell: float = 1.0
    kappa: int = 1
    clock: str = "eta2"
    batch_size: int | None = None

    @property
    def h(self):
        """The time of one optimizer step, the effective step of Definition 2.4: the size, under SVAG less of it."""
        return self.size / self.amplification

    @property
    def amplification(self):
        """By how much SVAG takes more steps, of a noise of as much more variance: ell^2, by the clock "eta" ell."""
        return self.ell * self.ell if self.clock == "eta2" else self.ell

    @property
    def eta(self):
        """The learning rate, without ell and kappa."""
        return learning_rate(self.clock, self.size)

    @property
    def eta2(self):
        """The square of the learning rate, without ell and kappa."""
        return self.size if self.clock == "eta2" else self.size * self.size

    @property
    def spacing(self):
        """The time between two matched steps."""
        return self.kappa * self.h

    def __str__(self):
        extra = [f"ell={self.ell:g}"] * (self.ell != 1.0) + [f"kappa={self.kappa}"] * (self.kappa != 1)
        return ", ".join([f"{self.clock}={self.size:g}", *extra])


def step_sizes(rule, eta2, eta, steps, batch_size):
    """Return eta2 or eta, whichever an optimizer's clock takes, also where it is given as batch sizes; None for steps.

    Raises
    ------
    ValueError
        The other one is given, or batch sizes and something else.
    """
    if batch_size is not None:
        for name, other in (("eta2", eta2), ("eta", eta), ("steps", steps)):
            if other is not None:
                raise ValueError(
                    f"{name}={described(other)} and batch_size={described(batch_size)}: one of them is allowed"
                )
        return squared_rates(rule, batch_size)
    given, other, words = {
        "eta2": (eta2, eta, "t = k eta^2; give eta2=, the square of the learning rate, or steps="),
        "eta": (eta, eta2, "t = k eta; give eta=, the learning rate, or steps="),
    }[rule.clock]
    if other is not None:
        wrong = "eta" if rule.clock == "eta2" else "eta2"
        raise ValueError(
            f"{wrong}={described(other)}: optimizer {rule.name!r} has the clock {rule.clock!r}, time {words}"
        )
    return given


def made_points(sizes, steps, horizon, ell, kappa, constants, clock="eta2", batch_size=None):
    """Return the points of a study: every step size with every ell and kappa.

    Parameters
    ----------
    sizes, steps : float or sequence of float, None
        One of them: eta2 or eta, by the clock; or the numbers of steps up to the horizon.
    horizon : float
    ell, kappa : sequence of float, of int
    constants : mapping of str to float
        The optimizer's.
    clock : "eta2" or "eta"
    batch_size : int or sequence of int, optional
        What sizes were given as.

    Raises
    ------
    ValueError
        Neither or both of sizes and steps are given, a step size is not admissible, or two are equal to rounding.
    """
    if (sizes is None) == (steps is None):
        allowed = "eta2, batch_size or steps" if clock == "eta2" else "eta or steps"
        raise ValueError(f"give {allowed}, got {clock}={described(sizes)} and steps={described(steps)}")
    if steps is None:
        values = coordinate_values(clock, sizes)
        given = () if batch_size is None else coordinate_values("batch_size", batch_size)
        names = [f"batch_size={n:g}: {clock}" for n in given] or [clock] * len(values)
    else:
        counts = coordinate_values("steps", steps)
        if any(n != int(n) or n < 1 for n in counts):
            raise ValueError(f"steps={described(steps)} must be positive integers")
        check_horizon(horizon, 0.0)
        values = tuple(horizon / n for n in counts)
        names = [f"steps={n:g}: {clock}" for n in counts]
    for name, h in zip(names, values, strict=True):
        for one in kappa:
            check_admissible(
                constants, one * h, name if one == 1 else f"kappa={one} times {clock}={h:g}: kappa*{clock}"
            )
    said = {"steps": steps, "batch_size": batch_size, clock: values}
    sizes_as_given = next(each for each in said.items() if each[1] is not None)
    for (name, listed), each in ((sizes_as_given, values), (("ell", ell), ell)):
        if any(b <= a * (1.0 + TOLERANCE) for a, b in zip(sorted(each), sorted(each)[1:], strict=False)):
            raise ValueError(f"{name}={described(list(listed))} has a value twice")
    return tuple(Point(float(h), float(one), two, clock) for h in values for one in ell for two in kappa)


def series(points):
    """Return the points in groups to each of which one order is fitted: by kappa, under several ell also by size."""
    several = len({point.ell for point in points}) > 1
    groups: dict = {}
    for point in points:
        groups.setdefault((point.kappa, point.size if several else None), []).append(point)
    return list(groups.values())


def check_horizon(horizon, t0):
    if not is_number(horizon) or not horizon > t0 >= 0.0:
        raise ValueError(
            f"horizon={described(horizon)} and t0={described(t0)}: numbers with 0 <= t0 < horizon are allowed"
        )
