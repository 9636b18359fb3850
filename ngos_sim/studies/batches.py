"""Batch sizes: step sizes that are given as such, and those of a study's points, sigma = 1 / sqrt(B).

On data a minibatch has a whole number of samples (docs/theory.md, "Minibatches of data"). `studies.study` asks.
"""

from dataclasses import replace

from ngos_sim.validation import coordinate_values

_WHOLE = 1e-9  # relative: a batch size closer to an integer is one


def squared_rates(rule, batch_size):
    """Return eta2 = sigma0^2 B of batch sizes, a tuple; raise ValueError for an optimizer that has no sigma0."""
    counts = coordinate_values("batch_size", batch_size)
    if any(count != int(count) or count < 1 for count in counts):
        raise ValueError(f"batch_size={batch_size!r} must be positive integers")
    if rule.clock != "eta2" or "sigma0" not in rule.parameters:
        says = "sigma = 1 / sqrt(B) says it" if "sigma" in rule.parameters else "it has no parameter sigma0"
        clock = f"of the clock {rule.clock!r}"
        raise ValueError(f"batch_size={batch_size!r}: optimizer {rule.name!r} {clock} takes none: {says}")
    return tuple(rule.parameters["sigma0"] * rule.parameters["sigma0"] * count for count in counts)


def of_points(points, oracle, rule, batch_size):
    """Return points with their batch sizes, where these are given or gradients come from data.

    Raises
    ------
    ValueError
        On data, one is no positive integer, or without replacement there are more samples in it than there are.
    """
    if oracle.data is None and batch_size is None:
        return points
    made = tuple(replace(point, batch_size=_batch_size(point, rule)) for point in points)
    if oracle.data is not None and not oracle.noise.replacement:
        largest = max(made, key=lambda point: point.kappa * point.batch_size)
        if largest.kappa * largest.batch_size > oracle.data.samples:
            times = f"kappa={largest.kappa} times " * (largest.kappa > 1)
            most = f"at most {oracle.data.samples} samples can be drawn without replacement"
            raise ValueError(f"{times}batch_size={largest.batch_size}: {most}")
    return made


def _batch_size(point, rule):
    """Return B = 1 / sigma^2 at a point as an int."""
    name = "sigma0" if rule.clock == "eta2" else "sigma"
    if not rule.parameters.get(name, 0.0) > 0.0:
        raise ValueError(f"optimizer {rule.name!r}: on data a positive parameter {name} says the batch size")
    size = rule.noise_scale(point.eta) ** -2.0
    if not (size > 0.5 and abs(size - round(size)) <= _WHOLE * size):
        given = f"{point.clock}={point.size:g}, sigma0=" if rule.clock == "eta2" else "sigma="
        formula, hint = ("eta2 / sigma0^2", "batch_size= says it") if rule.clock == "eta2" else ("1 / sigma^2", "")
        allowed = "; ".join(filter(None, ["on data a positive integer is allowed", hint]))
        raise ValueError(f"{given}{rule.parameters[name]:g}: the batch size {formula} is {size:.10g}; {allowed}")
    return round(size)
