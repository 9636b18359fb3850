"""Oracles of two coordinates where nothing is linear: every built-in loss of that kind, every moving covariance."""

import ngos_sim as ns

CURVED = {
    "log-cosh": ns.NGOS(ns.log_cosh([1.0, 2.0]), ns.sine_variance(1.0, [0.5, 0.8], 2.0)),
    "double well": ns.NGOS(ns.double_well(1.0, [1.0, 0.5], 0.6), ns.lorentz_variance(0.9, 0.4)),
    "sine-quadratic": ns.NGOS(ns.sine_quadratic(0.9, 0.3, [2.0, 3.0])),
}
