"""What of a study lies outside the theory: it is labelled so, and runs.

Theorems 4.2, 4.5, 5.3 and 6.3 of arXiv 2205.10287 hold for oracles of Definitions 2.5 - 2.7 (docs/theory.md, "The
theorems"). `ConvergenceStudy.outside_theory` holds the reasons; tables have them as a bool, reports and study.json in
words. They change no number and no verdict.

Of data both are known: their model says how it grows, and their skewness, which rises as h falls over batch sizes
(docs/theory.md, "Minibatches of data").

Said is what is known: of noise laws their moments and their skewness as sigma -> infinity, of Adam its start, and of
losses and covariances, a user's too, how they grow (`oracles.growth`), those of all of theta on some rays. Not seen is
what does not grow: a kink, a gradient that turns ever faster, a root that is not smooth where a variance touches 0. No
reason is no proof.
"""

import math

import numpy as np

from ngos_sim.oracles.derivatives import coordinates
from ngos_sim.oracles.growth import power, rays
from ngos_sim.processes.rule import has_bias_correction
from ngos_sim.processes.variations import SVAG

_MARGIN = 0.1  # of a power of theta: what grows by less, as a logarithm does, is not said to grow


def reasons(study):
    """Return why a study lies outside the theory, a line each; no line where nothing is known to."""
    oracle = study.oracle
    if oracle.data is not None:
        return tuple(filter(None, [_model(oracle.data), _batch_sizes(study), _start(study)]))
    return tuple(filter(None, [_loss(oracle), _variance(oracle), _moments(study), _low(study), _start(study)]))


def _model(data):
    if data.model.bounded:
        return ""
    return f"loss {data.name!r}: the root of Sigma grows with theta and is not bounded (Definition 2.5)"


def _batch_sizes(study):
    if not study.sdes or _needs_no_low_skewness(study):
        return ""
    rises = "E z^3 = sigma mu3 = sigma0 mu3 / sqrt(h) rises as h falls"
    return f"minibatches of data: over batch sizes {rises} (Definition 2.6: K / sigma), along ell of svag it falls"


def _grows(function, parameters, like):
    """Return whether a function (theta, p) grows faster than |theta|^like, in one coordinate at least."""
    each = coordinates(parameters).values()
    return any(power(lambda theta, p=p: function(theta, p)) > like + _MARGIN for p in each)


def _grows_on_rays(function, dimension, like):
    """Return whether a function of all of theta grows faster than |theta|^like, on some of the rays that are tried."""
    sizes = (lambda size, ray=ray: np.abs(function(size * ray)).max() for ray in rays(dimension))
    return any(power(each) > like + _MARGIN for each in sizes)


def _loss(oracle):
    loss = oracle.loss
    if loss.joint:
        grows = _grows_on_rays(loss.gradient_at, loss.dimension, 1.0)
    else:
        grows = _grows(loss.gradient, loss.parameters, 1.0)
    if not grows:
        return ""
    return f"loss {loss.name!r}: its gradient grows faster than theta, so that it is not Lipschitz (Definition 2.5)"


def _variance(oracle):
    own = oracle.diagonal
    if own is None:
        own = oracle.covariance
        grows = _grows_on_rays(own.covariance_at, own.dimension, 0.0)
    else:
        grows = _grows(own.function, own.parameters, 0.0)
    return f"covariance {own.name!r} grows with theta: its root is not bounded (Definition 2.5)" if grows else ""


def _moments(study):
    noise = study.oracle.noise
    if noise.moments < math.inf:
        return f"noise {noise.name!r} has finite moments up to {noise.moments:g} only (Definition 2.7 asks for all)"
    if noise.moments_seen < math.inf:
        seen = f"no moment beyond {noise.moments_seen:g} looks finite"
        return f"noise {noise.name!r} has a tail like a power's: {seen} (Definition 2.7 asks for all)"
    return ""


def limit_of_skewness(study):
    """Return E zeta^3 as sigma -> infinity in a study; 0 too where its theorem asks for no low skewness.

    Along ell the skewness falls (docs/theory.md, "SVAG"), and with the clock "eta" a third moment enters a step at h^3.
    """
    return (
        0.0
        if study.oracle.data is not None or _needs_no_low_skewness(study)
        else study.oracle.noise.at_large_sigma()[0]
    )


def _needs_no_low_skewness(study):
    along_ell = isinstance(study.optimizer, SVAG) and len(study.optimizer.ell) > 1
    return along_ell or study.rule.clock != "eta2"


def _low(study):
    limit = limit_of_skewness(study)
    if not limit:
        return ""
    return f"noise {study.oracle.noise.name!r} keeps E zeta^3 = {limit:.4g} as sigma grows (Definition 2.6: K / sigma)"


def _start(study):
    if not study.sdes or study.t0 > 0.0 or not has_bias_correction(study.rule.parameters):
        return ""
    return f"optimizer {study.rule.name!r} starts at t0=0 (Theorem 4.5: from t0 > 0 on)"
