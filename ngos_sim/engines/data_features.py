"""Features of data: what test functions say of all samples at a state, and how far it is from the minimiser.

`estimators.assembly` puts them into a Program of an oracle of data. The loss's numbers, which they get as a, are then
l2 and a coordinate of the minimiser: `numbers`.
"""

from ngos_sim.engines.features import Feature
from ngos_sim.engines.observation import DATA_NUMBERS

DISTANCE = "minimiser"  # of Feature.reads


def numbers(risk, features):
    """Return the loss's numbers on data by name, a number or one a coordinate; the minimiser is 0 unless it is read."""
    known = any(DISTANCE in feature.reads for feature in features)
    return dict(zip(DATA_NUMBERS, (risk.l2, tuple(risk.minimiser.tolist()) if known else 0.0), strict=True))


def _ridge(x, pull, spread, a, s):
    return 0.5 * a[0] * x[0] * x[0]


def _nothing(x, pull, spread, a, s):
    return 0.0


def _right(margin, y):
    return 1.0 if margin * y > 0.0 else 0.0


def _variance(x, pull, spread, a, s):
    return spread


def _squared_gradient(x, pull, spread, a, s):
    return pull * pull


def _squared_distance(x, pull, spread, a, s):
    return (x[0] - a[1]) * (x[0] - a[1])


def data_feature(word, risk):
    """Return the Feature of a test function's word.

    loss : f; accuracy : the share of samples of positive margin y x . theta; trace(Sigma); norm(grad) : |grad f|;
    distance : |theta - its minimiser|
    """
    return {
        "loss": Feature(_ridge, -1, False, sample=risk.model.phi),
        "accuracy": Feature(_nothing, -1, False, sample=_right),
        "trace(Sigma)": Feature(_variance, -1, False, reads=("spread",)),
        "norm(grad)": Feature(_squared_gradient, -1, True, reads=("pull",)),
        "distance": Feature(_squared_distance, -1, True, reads=(DISTANCE,)),
    }[word]
