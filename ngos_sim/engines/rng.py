"""Counter-based random numbers: Philox4x32-10 and normals by arithmetic only.

Draw n of a trajectory is word n % 4 of Philox at counter (n // 4, stream, trajectory low, trajectory
high): a function of its place alone, whatever the engine, the threads or the order. What 32 bits of n // 4
do not hold stands above the stream (`second_word`): 2^64 draws before one repeats.
"""

import hashlib
import math

import numpy as np

from ngos_sim.arithmetic import bits, fma, from_bits, polynomial, product32

# Streams: W's increments, a noise law's second Gaussian (SVAG), the samples of minibatches, B's increments.
BROWNIAN, EXTRA, SAMPLES, SECOND_BROWNIAN = 0, 1, 2, 3

_WORD = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_STREAM_BITS = np.uint64(2)
_MULTIPLIER0, _MULTIPLIER1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL0, _WEYL1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)


def philox4x32(c0, c1, c2, c3, k0, k1):
    """Return the four words of Philox4x32-10 at counter (c0, c1, c2, c3), key (k0, k1).

    Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011). Words are
    uint64 that hold 32 bits.
    """
    for _ in range(10):
        p0 = product32(_MULTIPLIER0, c0)
        p1 = product32(_MULTIPLIER1, c2)
        c0 = (p1 >> _HALF) ^ (c1 & _WORD) ^ k0
        c2 = (p0 >> _HALF) ^ (c3 & _WORD) ^ k1
        c1 = p1
        c3 = p0
        k0 = (k0 + _WEYL0) & _WORD
        k1 = (k1 + _WEYL1) & _WORD
    return c0, c1 & _WORD, c2, c3 & _WORD


def significant(value):
    """Return a float rounded to 12 significant digits: what tells points of a study apart."""
    return float(f"{value:.12g}")


def second_word(block, stream):
    """Return the second word of the counter of a stream's Philox block: what 32 bits of its number do not hold too.

    Of a block below 2^32 it is the stream itself, on which `engines.cuda.steps.fetcher` and benchmarks/battery.py rely.
    """
    return stream | ((block >> _HALF) << _STREAM_BITS)


def point_key(seed, eta2, ell, kappa, role=""):
    """Return the key of a point of a study: the first 64 bits of SHA-256 of its name, which holds `significant` digits.

    So a step size that another machine's libm or NumPy rounds otherwise (0.1**2, np.geomspace) has the same numbers.
    """
    name = f"{seed} {significant(eta2)!r} {significant(ell)!r} {kappa!r}{role}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


# Chebyshev fits made with mpmath.chebyfit: log(1 + f) / f on [sqrt(1/2) - 1, sqrt 2 - 1], and
# sin(pi sqrt y) / sqrt y, cos(pi sqrt y) on [0, 1/4].
_EXPONENT52, _TWO52 = np.uint64(0x4330000000000000), 2.0**52
_ONE, _ROOT = np.uint64(0x3FF0000000000000), np.uint64(0x3FE6A09E667F3BCD)  # bits of 1 and of sqrt(1/2)
_TO_ONE, _S52, _SCALED = _ONE - _ROOT, np.uint64(52), 1023.0 + 32.0
_MANTISSA, _SIGN = np.uint64(0x000FFFFFFFFFFFFF), np.uint64(0x8000000000000000)
_TWO_LN2 = 2.0 * math.log(2.0)
_TWO_LOG = tuple(  # twice the fit: the radius needs no doubling
    2.0 * c
    for c in (
        *(1.000000000000217187, -0.4999999999851255881, 0.333333333114172519, -0.2500000043312814889),
        *(0.200000038055127538, -0.1666663223379429593, 0.1428545826094488067, -0.1250107539950175642),
        *(0.1111941305278998133, -0.09987366169121653327, 0.08954162789286712403, -0.08317435210903283494),
        *(0.08750405232693213649, -0.08467876411458123892, 0.04272800730435181599),
    )
)


def _radius(a):
    """Return sqrt(-2 log u), u = (a + 1/2) / 2^32 = 2^-n (1 + f), 2^-n the power of two nearest in ratio."""
    moved = bits(from_bits(a | _EXPONENT52) - (_TWO52 - 0.5)) + _TO_ONE  # of 2^32 u; its exponent is -n's now
    f = from_bits((moved & _MANTISSA) + _ROOT) - 1.0
    n = (_TWO52 + _SCALED) - from_bits((moved >> _S52) | _EXPONENT52)
    return math.sqrt(fma(n, _TWO_LN2, -(f * polynomial(f, _TWO_LOG))))


def _of_integers(coefficients, scale):
    """Return what makes a polynomial in y one in 2^62 y, times `scale`: powers of two, no bit of a result changes."""
    return tuple(c * scale * 2.0 ** (-62 * i) for i, c in enumerate(coefficients))


_SIN = _of_integers(
    (
        *(3.141592653589635062, -5.167712779987959002, 2.550164035906744668, -0.5992644339357286458),
        *(0.08214479467064854921, -0.007364005472115722526, 0.0004474920849077101067),
    ),
    2.0**-31,
)
_COS = _of_integers(
    (
        *(0.9999999999992479627, -4.93480220024984952, 4.058712107537437622, -1.335262315261569953),
        *(0.2353254365877112031, -0.02577631642731585908, 0.001839989437269404164),
    ),
    1.0,
)
_TWO30 = np.uint64(0x41D0000000000000)  # its bits


def box_muller(a, b):
    """Return two standard normals from two 32-bit words, float64, within 6e-12 of libm's.

    Box and Muller (1958); radius from a, angle pi x from the low 31 bits of b, the cosine's sign from bit 31.
    """
    radius = _radius(a)
    centred = from_bits(b | _EXPONENT52) - (_TWO52 + 2.0**31)  # no shift of b, a product: LLVM would multiply again
    below = bits(centred) & _SIGN
    x = centred - from_bits(below | _TWO30)  # 2^31 x
    y = x * x
    sine, cosine = x * polynomial(y, _SIN), polynomial(y, _COS)
    return from_bits(bits(radius) ^ (below ^ _SIGN)) * cosine, radius * sine


_F = np.float32
_ROOT32, _TO_ONE32 = np.uint32(0x3F3504F3), np.uint32(0x3F800000 - 0x3F3504F3)
_S23, _MANTISSA32, _S1, _SIGN32 = np.uint32(23), np.uint32(0x007FFFFF), np.uint32(1), np.uint32(0x80000000)
_SCALED32, _TWO_LN2_32, _TINY = np.float32(127.0 + 31.0), np.float32(_TWO_LN2), np.float32(2.0**-32)
_TWO_LOG32 = tuple(
    np.float32(2.0 * c)
    for c in (
        0.9999999741310670792,
        -0.4999999638212388812,
        0.3333419328613507802,
        -0.250013521854960623,
        0.1995593335838324744,
        -0.1657799289679886257,
        0.149774012801273749,
        -0.1426925820621883219,
        0.08533313082996151933,
    )
)
# Rounding each sine coefficient alone made E z^2 6e-8 too large, as float32(pi) is: each is fitted again, by least
# squares on [0, 1/2], after those before it were rounded.
_SIN32 = tuple(
    np.float32(c)
    for c in (
        3.1415927410125732,
        -5.1677131652832031,
        2.5501074790954590,
        -0.59840786457061768,
        0.077815689146518707,
    )
)
_COS32 = tuple(
    np.float32(c)
    for c in (
        0.9999999997791540319,
        -4.934802136928945637,
        4.058709154763134254,
        -1.335211949390550338,
        0.23493706859508651,
        -0.02439593209755044447,
    )
)


def _radius32(a):
    """Return sqrt(-2 log u) in float32, u = (high 31 bits of a + 1/2) / 2^31: `_radius` in single precision."""
    moved = np.uint32(bits(_F(np.int32(a >> _S1)) + _F(0.5)) + _TO_ONE32)
    f = from_bits(np.uint32(np.uint32(moved & _MANTISSA32) + _ROOT32)) - _F(1.0)
    n = _SCALED32 - _F(np.int32(moved >> _S23))
    return math.sqrt(fma(n, _TWO_LN2_32, -(f * polynomial(f, _TWO_LOG32))))


def box_muller32(a, b):
    """Return two standard normals from two words of 32 bits (uint32), float32: `box_muller` in single precision."""
    radius = _F(_radius32(a))
    x = _F(np.int32(np.uint32(b << _S1))) * _TINY
    y = x * x
    sine, cosine = x * polynomial(y, _SIN32), polynomial(y, _COS32)
    return from_bits(np.uint32(bits(radius) ^ np.uint32(b & _SIGN32))) * cosine, radius * sine


def normals(counter, second, low, high, k0, k1):
    """Return the four normals of one Philox block, float64."""
    a, b, c, d = philox4x32(counter, second, low, high, k0, k1)
    first, second = box_muller(a, b), box_muller(c, d)
    return first[0], first[1], second[0], second[1]


def normals32(counter, second, low, high, k0, k1):
    """Return the four normals of one Philox block, float32."""
    a, b, c, d = philox4x32(counter, second, low, high, k0, k1)
    first, second = box_muller32(np.uint32(a), np.uint32(b)), box_muller32(np.uint32(c), np.uint32(d))
    return first[0], first[1], second[0], second[1]
