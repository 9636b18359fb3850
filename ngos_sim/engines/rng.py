"""Counter-based random numbers: Philox4x32-10 and normals by arithmetic only.

Draw n of a trajectory is word n % 4 of Philox at counter (n // 4, stream, trajectory low, trajectory
high): a function of its place alone, whatever the engine, the threads or the order.
"""

import hashlib
import math

import numpy as np

from ngos_sim.arithmetic import bits, fma, from_bits, product32

BROWNIAN, EXTRA = 0, 1  # streams: the Brownian direction, a second Gaussian (SVAG)

_WORD = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
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


def point_key(seed, eta2, ell, kappa, role=""):
    """Return the key of a point of a study: the first 64 bits of SHA-256 of its name."""
    name = f"{seed} {eta2!r} {ell!r} {kappa!r}{role}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def _horner3(t, d, c, b, a):
    """Return ((d t + c) t + b) t + a."""
    return fma(fma(fma(d, t, c), t, b), t, a)


# Chebyshev fits made with mpmath.chebyfit: log(1 + f) / f on [sqrt(1/2) - 1, sqrt 2 - 1], and
# sin(pi sqrt y) / sqrt y, cos(pi sqrt y) on [0, 1/4].
_EXPONENT52, _TWO52 = np.uint64(0x4330000000000000), 2.0**52
_ONE, _TO_ONE = np.uint64(0x3FF0000000000000), np.uint64(0x3FF0000000000000 - 0x3FE6A09E667F3BCD)
_S52, _BIAS = np.uint64(52), np.uint64(1023)
_S21, _MANTISSA, _SIGN = np.uint64(21), np.uint64(0x000FFFFFFFFFFFFF), np.uint64(0x8000000000000000)
_LN2 = math.log(2.0)


def _radius(a):
    """Return sqrt(-2 log u), u = (a + 1/2) / 2^32."""
    u = (from_bits(a | _EXPONENT52) - (_TWO52 - 0.5)) * 2.0**-32
    exponent = (bits(u) + _TO_ONE) >> _S52  # of the power of two nearest u in ratio, biased
    f = from_bits(bits(u) + ((_BIAS - exponent) << _S52)) - 1.0
    halvings = from_bits(_EXPONENT52 | (_BIAS - exponent)) - _TWO52
    r = fma(fma(0.04272800730435181599, f, -0.08467876411458123892), f, 0.08750405232693213649)
    r = _horner3(f, r, -0.08317435210903283494, 0.08954162789286712403, -0.09987366169121653327)
    r = _horner3(f, r, 0.1111941305278998133, -0.1250107539950175642, 0.1428545826094488067)
    r = _horner3(f, r, -0.1666663223379429593, 0.200000038055127538, -0.2500000043312814889)
    r = _horner3(f, r, 0.333333333114172519, -0.4999999999851255881, 1.000000000000217187)
    return math.sqrt(2.0 * fma(halvings, _LN2, -(f * r)))


def box_muller(a, b):
    """Return two standard normals from two 32-bit words, float64, within 6e-12 of libm's.

    Box and Muller (1958); radius from a, angle pi x from the low 31 bits of b, the cosine's sign from bit 31.
    """
    radius = _radius(a)
    x = from_bits(((b << _S21) & _MANTISSA) | _ONE) - 1.5
    y = x * x
    s = _horner3(y, 0.0004474920849077101067, -0.007364005472115722526, 0.08214479467064854921, -0.5992644339357286458)
    s = _horner3(y, s, 2.550164035906744668, -5.167712779987959002, 3.141592653589635062)
    c = _horner3(y, 0.001839989437269404164, -0.02577631642731585908, 0.2353254365877112031, -1.335262315261569953)
    c = _horner3(y, c, 4.058712107537437622, -4.93480220024984952, 0.9999999999992479627)
    return from_bits(bits(radius) ^ ((b << _HALF) & _SIGN)) * c, radius * (x * s)


_F = np.float32
_ONE32, _TO_ONE32 = np.uint32(0x3F800000), np.uint32(0x3F800000 - 0x3F3504F3)
_S23, _BIAS32, _S1, _SIGN32 = np.uint32(23), np.uint32(127), np.uint32(1), np.uint32(0x80000000)
_TWO_LN2, _TINY = np.float32(2.0 * math.log(2.0)), np.float32(2.0**-32)
_TINY2 = np.float32(2.0**-31)
_TWO_LOG = tuple(  # twice the fit: the radius needs no doubling
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
_SIN = tuple(
    np.float32(c)
    for c in (
        3.1415927410125732,
        -5.1677131652832031,
        2.5501074790954590,
        -0.59840786457061768,
        0.077815689146518707,
    )
)
_COS = tuple(
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
    """Return sqrt(-2 log u) in float32, u = (high 31 bits of a + 1/2) / 2^31."""
    u = fma(_F(np.int32(a >> _S1)), _TINY2, _TINY)
    exponent = np.uint32(np.uint32(bits(u) + _TO_ONE32) >> _S23)
    missing = np.uint32(_BIAS32 - exponent)
    f = from_bits(np.uint32(bits(u) + np.uint32(missing << _S23))) - _F(1.0)
    r = _horner3(f, fma(_TWO_LOG[8], f, _TWO_LOG[7]), _TWO_LOG[6], _TWO_LOG[5], _TWO_LOG[4])
    r = fma(_horner3(f, r, _TWO_LOG[3], _TWO_LOG[2], _TWO_LOG[1]), f, _TWO_LOG[0])
    return math.sqrt(fma(_F(np.int32(missing)), _TWO_LN2, -(f * r)))


def box_muller32(a, b):
    """Return two standard normals from two words of 32 bits (uint32), float32: `box_muller` in single precision."""
    radius = _F(_radius32(a))
    x = _F(np.int32(np.uint32(b << _S1))) * _TINY
    y = x * x
    s = fma(_horner3(y, _SIN[4], _SIN[3], _SIN[2], _SIN[1]), y, _SIN[0])
    c = _horner3(y, fma(_COS[5], y, _COS[4]), _COS[3], _COS[2], _COS[1])
    c = fma(c, y, _COS[0])
    return from_bits(np.uint32(bits(radius) ^ np.uint32(b & _SIGN32))) * c, radius * (x * s)


def normals(counter, stream, low, high, k0, k1):
    """Return the four normals of one Philox block, float64."""
    a, b, c, d = philox4x32(counter, stream, low, high, k0, k1)
    first, second = box_muller(a, b), box_muller(c, d)
    return first[0], first[1], second[0], second[1]


def normals32(counter, stream, low, high, k0, k1):
    """Return the four normals of one Philox block, float32."""
    a, b, c, d = philox4x32(counter, stream, low, high, k0, k1)
    first, second = box_muller32(np.uint32(a), np.uint32(b)), box_muller32(np.uint32(c), np.uint32(d))
    return first[0], first[1], second[0], second[1]
