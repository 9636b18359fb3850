"""Sums of observables, and of their squared deviations from the mean: how those of two sets of trajectories join.

A sum of squares less n mean^2 has no digit left where a mean is 1e8 standard deviations away from zero. Pairs of equal
size are joined inside a block (its tree: `engines.cpu.kernels`, `engines.cuda.kernel`, `engines.python`), where this is

    spread = spread + spread' + (total - total')^2 / 2 n.
"""


def merged(total, spread, n, other, its, m):
    """Return sum and sum of squared deviations of n and m trajectories together: numbers or arrays.

    Chan, Golub and LeVeque, "Algorithms for computing the sample variance" (1983), equation 2.1.
    """
    gap = other / m - total / n
    return total + other, spread + its + gap * gap * (n * m / (n + m))
