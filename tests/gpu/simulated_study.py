"""A whole study, a user's SDE in it, on device="cuda" in Numba's simulator and on the CPU: the tables are equal.

Run with NUMBA_ENABLE_CUDASIM=1, which Numba reads when it is imported.
"""

import pandas as pd
import pytest

import ngos_sim as ns
from tests.gpu import patience  # noqa: F401
from tests.support import sdes


def study():
    """Return RMSprop against a user's SDE: a local and a coupled run."""
    return ns.ConvergenceStudy(
        ns.NGOS(ns.linear(0.7)),
        optimizer=ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3),
        sde=sdes.squared_gradient_sde(None),
        initial=dict(theta=0.0, u=1.0),
        steps=[2],
        horizon=0.5,
        test_functions=["theta[0]", ns.TestFunction("jump", lambda x: 1.0 if x[0] > 0.1 else 0.0)],
    )


def main():
    """Compare, and print what a test looks for."""
    one = study()
    tables = [one.run(1024, seed=3, device=device, precision="f64").table for device in ("cuda", "cpu")]
    pd.testing.assert_frame_equal(*tables, check_exact=True)
    with pytest.raises(ValueError, match="precision='f32' is 3 % wrong in the local estimator"):
        one.run(1024, device="cuda", precision="f32")
    print("equal:", sorted(tables[0].estimator.unique()), len(tables[0]), "rows")


if __name__ == "__main__":
    main()
