"""exp, log, tanh, erf, sin and cos by arithmetic only: what `compiling.bind` puts in the place of math's.

Without branches and calls, so that loops over lanes vectorise, and the same bits on every engine. NaN gives NaN and
nothing raises. The errors stated are the largest seen, rounded up, of sin and cos absolute; tests/engines holds them.
Names that end in 32 are of precision "f32".

Coefficients: Chebyshev fits made with mpmath.chebyfit, lowest degree first: (exp(r) - 1 - r) / r^2 on |r| <= log(2)/2,
(log(1 + f) - f) / f^2 on [sqrt(1/2) - 1, sqrt 2 - 1], (sin(sqrt s) - sqrt s) / s^(3/2) on [0, (1.001 pi/2)^2] and, in
v = x / (x + 4) ("f32": x / (x + 3)), -log(erfc(x)) / x - x on [0, 6] ("f32": [0, 4]), beyond which erf(x) rounds to 1.
"""

import math

import numpy as np

from ngos_sim.arithmetic import bits, fma, from_bits, polynomial

NAMES = ("exp", "log", "tanh", "erf", "sin", "cos")

_INF, _NAN = math.inf, math.nan
_S1, _S52, _S63 = np.uint64(1), np.uint64(52), np.uint64(63)
_SIGN, _MAGNITUDE = np.uint64(0x8000000000000000), np.uint64(0x7FFFFFFFFFFFFFFF)
_ONE, _ROOT_HALF = np.uint64(0x3FF0000000000000), np.uint64(0x3FE6A09E667F3BCD)  # bits of 1 and sqrt(1/2)
_TO_ONE, _EXPONENT52 = _ONE - _ROOT_HALF, np.uint64(0x4330000000000000)
_TWO52 = 2.0**52  # x + 2^52 is rounded to an integer, which its low bits hold
_INTEGER = 1.5 * _TWO52  # the same for numbers of both signs
_LOG2E, _LN2_HIGH, _LN2_LOW = 1.4426950408889634, 0.6931471805598903, 5.497923018708371e-14  # high: 42 bits
_TO_TURNS, _PI_HIGH, _PI_LOW = 0.3183098861837907, math.pi, 1.2246467991473532e-16
_EXP = (
    0.5000000000000001022,
    0.1666666666666666745,
    0.04166666666662412787,
    0.008333333333330061833,
    0.00138888889172137169,
    0.0001984126986305361688,
    0.00002480152129595437513,
    2.755726845999706477e-6,
    2.762008844540974816e-7,
    2.510038549551031908e-8,
)
_LOG = (
    -0.5000000000000000424,
    0.3333333333333326016,
    -0.2499999999999291483,
    0.2000000000003204934,
    -0.1666666666862975552,
    0.1428571428268798888,
    -0.1249999978954667938,
    0.111111111076476321,
    -0.1000001127764997444,
    0.0909092132867285509,
    -0.0833299913609136961,
    0.07691654646526799599,
    -0.07148420480023412492,
    0.06682375886233116515,
    -0.06202560010726177843,
    0.05686585537339873185,
    -0.05669643772565926764,
    0.06444421108963664677,
    -0.05943771258765680363,
    0.02625986439505944524,
)
_LOG_EVEN, _LOG_ODD = _LOG[::2], _LOG[1::2]  # two chains, half as long
_SINE = (
    -0.1666666666666666663,
    0.008333333333333315624,
    -0.0001984126984125479507,
    2.755731921911501115e-6,
    -2.505210761086115833e-8,
    1.605897691509500713e-10,
    -7.643957622560617035e-13,
    2.731286891309230647e-15,
)
_ERF = (
    *(1.128379167095512529, -1.45352091052960864, 0.1908407422851848017, 0.6109817881340761588),
    *(-0.246651687602158494, -0.6986957827032105868, 0.2579178665211641493, 0.9537956932159296846),
    *(-0.3081208970725578973, -1.386866053710401861, -0.2093383254087983165, 4.832812485784303634),
    *(-10.03089088847572413, 26.5387800458207783, -72.80111514931031288, 138.7763854365134024),
    *(-176.3797559146994931, 150.7280989550682444, -84.63369866351095146, 28.60924209404917096),
    *(-4.471048079150273622,),
)


def _float64(x):
    return 1.0 * float(x)


def _reduced(x, shift):
    """Return t and p, exp(x) = 2^k (1 + p): t = k + shift, of which the low bits are those of an integer."""
    t = fma(x, _LOG2E, shift)
    k = t - shift
    r = fma(k, -_LN2_LOW, fma(k, -_LN2_HIGH, x))
    return t, fma(r * r, polynomial(r, _EXP), r)


def exp(x):
    """Return e^x; within 1.1 ulp, in denormals too; inf above 709.78."""
    x = _float64(x)
    t, p = _reduced(-746.0 if x < -746.0 else 710.0 if x > 710.0 else x, _TWO52 + 2046.0)
    half = bits(t) >> _S1  # 2^k in two factors: it may be a denormal, and 2^1024
    return (1.0 + p) * from_bits(half << _S52) * from_bits((bits(t) - half) << _S52)


def log(x):
    """Return the natural logarithm; within 1.2 ulp, of denormals too; -inf at 0, NaN below."""
    x = _float64(x)
    denormal = x < 2.0**-1022
    pattern = bits(x * 2.0**54 if denormal else x) & _MAGNITUDE
    exponent = (pattern + _TO_ONE) >> _S52  # of the power of two nearest in ratio, biased
    f = from_bits(pattern + _ONE - (exponent << _S52)) - 1.0
    e = from_bits(exponent | _EXPONENT52) - (_TWO52 + 1077.0 if denormal else _TWO52 + 1023.0)
    s = f * f
    q = fma(f, polynomial(s, _LOG_ODD), polynomial(s, _LOG_EVEN))
    y = fma(e, _LN2_HIGH, f + fma(s, q, e * _LN2_LOW))
    y = y if x < _INF else x
    return y if x > 0.0 else -_INF if x == 0.0 else _NAN


def _expm1(x):
    """Return e^x - 1 for -40 <= x <= 0, without cancellation."""
    t, p = _reduced(x, _TWO52 + 1023.0)
    scale = from_bits(bits(t) << _S52)
    return fma(p, scale, scale - 1.0)


def tanh(x):
    """Return the hyperbolic tangent, -e / (2 + e) with e = exp(-2 |x|) - 1, without cancellation; within 2.6 ulp."""
    x = _float64(x)
    a = abs(x)
    e = _expm1(-2.0 * (20.0 if a > 20.0 else a))
    return from_bits(bits((0.0 - e) / (2.0 + e)) | (bits(x) & _SIGN))


def erf(x):
    """Return the error function, 1 - exp(-q) with q = -log(erfc(|x|)), without cancellation; within 2.8 ulp."""
    x = _float64(x)
    a = abs(x)
    a = 6.0 if a > 6.0 else a
    e = _expm1(-a * (a + polynomial(a / (a + 4.0), _ERF)))
    return from_bits(bits(0.0 - e) | (bits(x) & _SIGN))


def _sine(r, t):
    """Return sin(r), or -sin(r) where t holds an odd integer; |r| <= pi/2."""
    r = from_bits(bits(r) ^ (bits(t) << _S63))
    s = r * r
    y = fma(s * r, polynomial(s, _SINE), r)
    return -1.0 if y < -1.0 else 1.0 if y > 1.0 else y


def sin(x):
    """Return the sine; within 2.3e-16 where |x| <= 2^40 (1e12), beyond it NaN."""
    x = _float64(x)
    t = fma(x, _TO_TURNS, _INTEGER)
    k = t - _INTEGER
    r = fma(k, -_PI_LOW, fma(k, -_PI_HIGH, x))
    return _sine(r if abs(x) <= 2.0**40 else _NAN, t)


def cos(x):
    """Return the cosine, sin(x + pi/2); within 2.3e-16 where |x| <= 2^40 (1e12), beyond it NaN."""
    x = _float64(x)
    t = fma(x, _TO_TURNS, 0.5) + _INTEGER
    k = t - _INTEGER - 0.5
    r = fma(k, -_PI_LOW, fma(k, -_PI_HIGH, x))
    return _sine(r if abs(x) <= 2.0**40 else _NAN, t)


_F = np.float32
_S1_32, _S23, _S31 = np.uint32(1), np.uint32(23), np.uint32(31)
_SIGN32, _MAGNITUDE32 = np.uint32(0x80000000), np.uint32(0x7FFFFFFF)
_ONE32, _TO_ONE32 = np.uint32(0x3F800000), np.uint32(0x3F800000 - 0x3F3504F3)
_EXPONENT23, _TWO23, _INTEGER32 = np.uint32(0x4B000000), _F(2.0**23), _F(1.5 * 2.0**23)
_LOG2E_32, _LN2_HIGH32, _LN2_LOW32 = _F(1.4426950408889634), _F(0.693145751953125), _F(1.428606765330187e-06)
_TO_TURNS32, _PI_HIGH32, _PI_LOW32 = _F(0.3183098861837907), _F(math.pi), _F(-8.742277657347586e-08)
_EXP32 = tuple(
    _F(c)
    for c in (0.5, 0.1666657666611992831, 0.04166655421298415031, 0.008363232883682618204, 0.001392625083149761172)
)
_LOG32 = tuple(
    _F(c)
    for c in (
        -0.4999999764977097945,
        0.333333300283547969,
        -0.250007812398126962,
        0.2000123446109345521,
        -0.1662664562912746281,
        0.1420485595257101388,
        -0.1312755565128765158,
        0.1272267278801096151,
        -0.07673641501674025721,
    )
)
_SINE32 = tuple(
    _F(c) for c in (-0.1666666595822351805, 0.008333241592248763225, -0.0001982266631335637189, 2.634519562850782339e-6)
)
_ERF32 = tuple(
    _F(c)
    for c in (
        1.128379167,
        -1.090140556,
        -0.1651943465,
        0.243447482,
        0.1168482441,
        -0.1365974938,
        -0.1899277832,
        0.03941485109,
        0.2537691499,
        -0.1806470985,
    )
)


def _reduced32(x, shift):
    t = fma(x, _LOG2E_32, shift)
    k = t - shift
    r = fma(k, -_LN2_LOW32, fma(k, -_LN2_HIGH32, x))
    return t, fma(r * r, polynomial(r, _EXP32), r)


def exp32(x):
    """Return e^x in float32; within 1.1 ulp, in denormals too; inf above 88.72."""
    x = _F(x)
    t, p = _reduced32(_F(-104.0 if x < -104.0 else 89.0 if x > 89.0 else x), _TWO23 + 254.0)
    half = np.uint32(bits(t) >> _S1_32)
    rest = np.uint32(bits(t) - half)
    return (1.0 + p) * from_bits(np.uint32(half << _S23)) * from_bits(np.uint32(rest << _S23))


def log32(x):
    """Return the natural logarithm in float32; within 1.1 ulp, of denormals too; -inf at 0, NaN below."""
    x = _F(x)
    denormal = x < 2.0**-126
    pattern = np.uint32(bits(_F(x * 2.0**24 if denormal else x)) & _MAGNITUDE32)
    exponent = np.uint32(np.uint32(pattern + _TO_ONE32) >> _S23)
    f = from_bits(np.uint32(np.uint32(pattern + _ONE32) - np.uint32(exponent << _S23))) - 1.0
    e = from_bits(np.uint32(exponent | _EXPONENT23)) - (_TWO23 + (151.0 if denormal else 127.0))
    y = fma(e, _LN2_HIGH32, f + fma(f * f, polynomial(f, _LOG32), e * _LN2_LOW32))
    y = y if x < _INF else x
    return y if x > 0.0 else _F(-_INF if x == 0.0 else _NAN)


def _expm1_32(x):
    t, p = _reduced32(x, _TWO23 + 127.0)
    scale = from_bits(np.uint32(bits(t) << _S23))
    return fma(p, scale, scale - 1.0)


def tanh32(x):
    """Return the hyperbolic tangent in float32; within 2.6 ulp."""
    x = _F(x)
    a = abs(x)
    e = _expm1_32(_F(-2.0 * (10.0 if a > 10.0 else a)))
    return from_bits(np.uint32(bits((0.0 - e) / (2.0 + e)) | np.uint32(bits(x) & _SIGN32)))


def erf32(x):
    """Return the error function in float32; within 3.4 ulp."""
    x = _F(x)
    a = abs(x)
    a = _F(4.0 if a > 4.0 else a)
    e = _expm1_32(-a * (a + polynomial(a / (a + _F(3.0)), _ERF32)))
    return from_bits(np.uint32(bits(0.0 - e) | np.uint32(bits(x) & _SIGN32)))


def _sine32(r, t):
    r = from_bits(np.uint32(bits(r) ^ np.uint32(bits(t) << _S31)))
    s = r * r
    y = fma(s * r, polynomial(s, _SINE32), r)
    return _F(-1.0 if y < -1.0 else 1.0 if y > 1.0 else y)


def sin32(x):
    """Return the sine in float32; within 1.4e-7 where |x| <= 2^17 (1e5), beyond it NaN."""
    x = _F(x)
    t = fma(x, _TO_TURNS32, _INTEGER32)
    k = t - _INTEGER32
    r = fma(k, -_PI_LOW32, fma(k, -_PI_HIGH32, x))
    return _sine32(_F(r if abs(x) <= 2.0**17 else _NAN), t)


def cos32(x):
    """Return the cosine in float32; within 1.4e-7 where |x| <= 2^17 (1e5), beyond it NaN."""
    x = _F(x)
    t = fma(x, _TO_TURNS32, _F(0.5)) + _INTEGER32
    k = t - _INTEGER32 - 0.5
    r = fma(k, -_PI_LOW32, fma(k, -_PI_HIGH32, x))
    return _sine32(_F(r if abs(x) <= 2.0**17 else _NAN), t)
