"""The oracle of finite data: minibatches of a data set."""

from numpy.typing import ArrayLike

from ngos_sim.oracles import data_checks
from ngos_sim.oracles.empirical_risk import EmpiricalRisk, SampleCovariance
from ngos_sim.oracles.margins import MODELS
from ngos_sim.oracles.minibatches import Minibatches
from ngos_sim.oracles.ngos import NGOS
from ngos_sim.validation import choice, known_keywords, number, switch


@known_keywords()
def finite_data(
    features: ArrayLike,
    targets: ArrayLike | None = None,
    model: str = "logistic",
    l2: float = 0.0,
    replacement: bool = True,
) -> NGOS:
    """Minibatches of data (arXiv 2205.10287, equation (1); docs/theory.md, "Minibatches of data").

    The loss is f(theta) = (1/n) sum_i phi(x_i . theta, y_i) + l2/2 |theta|^2, a query at batch size B the mean of B
    gradients of samples drawn with replacement, plus l2 theta: sigma = 1 / sqrt(B), and Sigma(theta) is the
    covariance of the gradient of one sample.

    Nothing is done to the data: features are not standardised, and there is no intercept but a column of ones that
    is among them (which l2 then shrinks like any other).

    Parameters
    ----------
    features : array or DataFrame, shape (n, d); or what scikit-learn's load_* returns, without targets
        x_i, one row a sample: n from 2 to 10,000, d from 1 to 100.
    targets : array or Series, shape (n,)
        y_i: of logistic regression labels of two values, numbers or strings, in sorted order -1 and +1; of least
        squares numbers.
    model : "logistic" or "least_squares"
        phi = log(1 + exp(-y x . theta)), which is within Definition 2.5 of arXiv 2205.10287; or
        1/2 (x . theta - y)^2, which is outside: the root of Sigma grows with theta.
    l2 : float
        At least 0.
    replacement : bool
        False: random reshuffling, as practitioners do it. Each trajectory takes the samples of an epoch in an order of
        its own, and minibatches are consecutive pieces; one that reaches the end of an epoch goes on in the next. The
        theorems do not hold there, and `outside_theory` says so (docs/theory.md, "The order of samples").

    Returns
    -------
    NGOS
        Its loss is an EmpiricalRisk: `oracle.loss.minimiser`, and what data sets are described by.

    Raises
    ------
    ValueError, TypeError
        What is given is not as described: the message says what, where and what is allowed.

    Examples
    --------
    Standardised, with an intercept:

    >>> import numpy as np, ngos_sim as ns
    >>> raw = np.array([[1.0, 20.0], [2.0, 50.0], [3.0, 10.0], [4.0, 40.0]])
    >>> scaled = (raw - raw.mean(axis=0)) / raw.std(axis=0)
    >>> oracle = ns.finite_data(np.column_stack([np.ones(4), scaled]), ["no", "no", "yes", "no"], l2=0.1)
    >>> oracle.dimension, oracle.loss.classes
    (3, ('no', 'yes'))
    """
    chosen = MODELS[choice("model", model, MODELS)]
    l2 = number("l2", l2, "a number of at least 0", least=0.0)
    features, targets = data_checks.pair(features, targets)
    matrix, columns = data_checks.matrix(features)
    replacement = switch("replacement", replacement)
    values, classes = data_checks.vector(targets, len(matrix), chosen.classes)
    risk = EmpiricalRisk(chosen, matrix, values, l2, columns, classes)
    return NGOS(risk, SampleCovariance(risk), Minibatches(replacement=replacement))
