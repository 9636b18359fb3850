"""Built-in losses of quartic growth, on which optimizers are shown: a bent valley, a product, coupled wells, a saddle.

Their gradients are not Lipschitz, so that they lie outside Definition 2.5 of arXiv 2205.10287
(`ConvergenceStudy.outside_theory` says so), and a step from too far out leads farther out still
(docs/theory.md, "Losses and covariances"). All but the saddle are joint; each is made by the same `Loss` that a user
has.
"""

from numpy.typing import ArrayLike

from ngos_sim.identity import built_in
from ngos_sim.oracles.losses import Loss
from ngos_sim.validation import greater, number


def _rosenbrock_gradient(theta, p):
    x, y = theta
    gap = y - x * x
    return -2.0 * p.scale * (p.a - x + 2.0 * p.b * x * gap), 2.0 * p.scale * p.b * gap


def _rosenbrock_value(theta, p):
    x, y = theta
    gap = y - x * x
    return p.scale * ((p.a - x) * (p.a - x) + p.b * gap * gap)


@built_in
def rosenbrock(a: float = 1.0, b: float = 100.0, scale: float = 1.0) -> Loss:
    """Rosenbrock's valley, f = s ((a - x)^2 + b (y - x^2)^2), d = 2 (The Computer Journal 3 (1960) 175-184).

    theta = (x, y). The one minimum is (a, a^2), at the end of a bent valley y = x^2. There the Hessian of f has the
    trace s (2 + 2 b + 8 a^2 b), 1002 s with the usual a = 1, b = 100: a step of RMSprop that is stable there has
    h 1002 s < 2 (sigma0 sqrt(u) + eps0), hence the scale s. Of quartic growth: its gradient is not Lipschitz, which
    Definition 2.5 of arXiv 2205.10287 asks for.

    Parameters
    ----------
    a, b, scale : float
        b and scale are positive.

    Raises
    ------
    ValueError
        One is not finite, b or scale is not positive.

    Examples
    --------
    >>> rosenbrock().gradient_at([0.0, 1.0]).tolist()
    [-2.0, 200.0]
    """
    numbers = dict(a=number("a", a, "a finite number"), b=_positive("b", b), scale=_positive("scale", scale))
    return Loss("rosenbrock", _rosenbrock_gradient, _rosenbrock_value, joint=True, dimension=2, **numbers)


def _factorisation_gradient(theta, p):
    x, y = theta
    off = x * y - p.target
    return off * y, off * x


def _factorisation_value(theta, p):
    off = theta[0] * theta[1] - p.target
    return 0.5 * off * off


@built_in
def factorisation(target: float) -> Loss:
    """Factorise a number, f = (theta_0 theta_1 - target)^2 / 2, d = 2 (arXiv 2110.03677, with 1 x 1 matrices).

    The minima are the hyperbola theta_0 theta_1 = target; there the largest curvature is |theta|^2, least at
    |theta_0| = |theta_1|, the balanced ones. The origin is a saddle, of curvatures +-target. Gradient flow keeps
    theta_0^2 - theta_1^2. Of quartic growth: its gradient is not Lipschitz, which Definition 2.5 of arXiv 2205.10287
    asks for.

    Parameters
    ----------
    target : float

    Raises
    ------
    ValueError
        It is not finite.

    Examples
    --------
    >>> factorisation(target=2.0).gradient_at([1.0, 3.0]).tolist()
    [3.0, 1.0]
    """
    numbers = dict(target=number("target", target, "a finite number"))
    return Loss("factorisation", _factorisation_gradient, _factorisation_value, joint=True, dimension=2, **numbers)


def _coupled_gradient(theta, p):
    x, y = theta
    force = p.coupling * (x - y)
    return x * (x * x - 1.0) + force, y * (y * y - 1.0) - force


def _coupled_value(theta, p):
    x, y = theta
    left, right, gap = x * x - 1.0, y * y - 1.0, x - y
    return 0.25 * (left * left + right * right) + 0.5 * p.coupling * gap * gap


@built_in
def coupled_wells(coupling: float) -> Loss:
    """Two double wells and a spring, d = 2 (Berglund, Fernandez and Gentz, Nonlinearity 20 (2007) 2551, N = 2).

    f = ((x^2 - 1)^2 + (y^2 - 1)^2) / 4 + c (x - y)^2 / 2, theta = (x, y), theirs and 1/2. The minima are (1, 1) and
    (-1, -1), of curvatures 2 and 2 + 2 c; for c < 1/3 also +-(r, -r), r^2 = 1 - 2 c. For c > 1/2 the origin is the only
    saddle, and the two go over together. Of quartic growth: its gradient is not Lipschitz, which Definition 2.5 of
    arXiv 2205.10287 asks for; `double_well` has a well of quadratic growth.

    Parameters
    ----------
    coupling : float
        c, not negative.

    Raises
    ------
    ValueError
        It is negative, or not finite.

    Examples
    --------
    >>> coupled_wells(coupling=0.5).value_at([0.0, 0.0])
    0.5
    """
    numbers = dict(coupling=number("coupling", coupling, "a number of at least 0", least=0.0))
    return Loss("coupled-wells", _coupled_gradient, _coupled_value, joint=True, dimension=2, **numbers)


def _saddle_gradient(theta, p):
    return theta * (p.hessian + p.quartic * theta * theta)


def _saddle_value(theta, p):
    square = theta * theta
    return 0.5 * square * (p.hessian + 0.5 * p.quartic * square)


def _saddle_curvature(theta, p):
    return p.hessian + 3.0 * p.quartic * theta * theta


@built_in
def saddle(hessian: ArrayLike, quartic: ArrayLike) -> Loss:
    """Saddle between wells, sum_i (H_i theta_i^2 / 2 + q_i theta_i^4 / 4) (docs/theory.md, "Losses and covariances").

    A saddle at 0 where H has numbers of either sign. Where H_i < 0 the minima are at theta_i^2 = -H_i / q_i, of
    curvature -2 H_i, and lie H_i^2 / (4 q_i) below it; where H_i >= 0 theta_i = 0. Its gradient is not Lipschitz, which
    Definition 2.5 of arXiv 2205.10287 asks for.

    Parameters
    ----------
    hessian, quartic : float or sequence of float, shape (d,)
        H and q; q is positive.

    Raises
    ------
    ValueError
        `quartic` is not positive, one is not finite, or two lengths differ.

    Examples
    --------
    >>> saddle(hessian=[-1.0, 2.0], quartic=1.0).value_at([1.0, 0.0])
    -0.25
    """
    numbers = dict(hessian=hessian, quartic=greater("quartic", quartic, 0.0))
    return Loss("saddle", _saddle_gradient, _saddle_value, _saddle_curvature, **numbers)


def _positive(name, value):
    return number(name, value, "a positive number", above=0.0)
