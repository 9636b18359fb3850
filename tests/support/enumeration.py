"""All paths of an optimizer under noise of a few atoms, one after the other: plain NumPy, nothing of the library's."""

import numpy as np

SIGMA0, EPS0, C1, C2 = 0.8, 0.1, 2.0, 1.3


def paths(step, start, atoms, weights, count):
    """Return the states, shape (slots, atoms^count), and their probabilities, after `count` steps.

    step : function (k, slots as a tuple of arrays, z) -> such a tuple
    """
    states, chance = tuple(np.array([x]) for x in start), np.ones(1)
    for k in range(count):
        moved = [step(k, states, z) for z in atoms]
        states = tuple(np.concatenate(each) for each in zip(*moved, strict=True))
        chance = np.concatenate([w * chance for w in weights])
    return np.stack(states), chance


def rmsprop(h, slope):
    """Return a step of RMSprop by Definition 2.1 of arXiv 2205.10287: v_k divides, u = v / sigma^2."""
    eta, sigma = np.sqrt(h), SIGMA0 / np.sqrt(h)

    def step(k, x, z):
        theta, u = x
        gradient, v = slope(theta) + sigma * z, sigma**2 * u
        moved = theta - eta * gradient / (np.sqrt(v) + EPS0 / eta)
        return moved, ((1.0 - C2 * h) * v + C2 * h * gradient**2) / sigma**2

    return step


def adam(h, slope, first):
    """Return a step of Adam by Definition 2.2, `first` steps after time 0."""
    eta, sigma, beta1, beta2 = np.sqrt(h), SIGMA0 / np.sqrt(h), 1.0 - C1 * h, 1.0 - C2 * h

    def step(k, x, z):
        theta, m, u = x
        k, gradient, v = k + first, slope(theta) + sigma * z, sigma**2 * u
        m = beta1 * m + (1.0 - beta1) * gradient
        u = (beta2 * v + (1.0 - beta2) * gradient**2) / sigma**2
        divided = np.sqrt(v / (1.0 - beta2**k)) + EPS0 / eta
        return theta - eta * m / (1.0 - beta1 ** (k + 1)) / divided, m, u

    return step
