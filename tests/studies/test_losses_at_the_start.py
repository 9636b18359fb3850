"""A loss whose functions are no derivatives of each other where a study starts, though they are on most scales."""

import pytest

import ngos_sim as ns


def bent(slope):
    """Return a parabola that goes on as a line beyond 50, with this slope for its gradient there."""
    return ns.Loss(
        "bent",
        gradient=lambda theta, p: theta if abs(theta) < 50.0 else slope * (1.0 if theta > 0.0 else -1.0),
        value=lambda theta, p: 0.5 * theta * theta if abs(theta) < 50.0 else 50.0 * abs(theta) - 1250.0,
    )


def study(loss, theta):
    return ns.ConvergenceStudy(
        ns.NGOS(loss),
        ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3),
        sde=ns.rmsprop_sde(),
        initial=dict(theta=theta, u=1.0),
        eta2=[2.0**-4],
        test_functions=["theta[0]"],
        estimator="coupled",
    )


@pytest.mark.parametrize("theta", [60.0, [1.0, 200.0], [-60.0, 1.0], 49.0])
def test_a_gradient_that_is_wrong_where_the_study_starts(theta):
    reason = r"loss 'bent': gradient is -?40 at theta=-?[0-9.]+, but the derivative of value is -?50 there"
    with pytest.raises(ValueError, match=reason):
        study(bent(40.0), theta)


@pytest.mark.parametrize("theta", [60.0, [1.0, -200.0], 0.0])
def test_a_right_loss_with_a_bend_is_taken(theta):
    study(bent(50.0), theta)
