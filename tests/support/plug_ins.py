"""A module of a user's, whose functions study files name."""

PLUGIN = """
import math
import ngos_sim as ns

SLOPE = 0.5

def gradient(theta, p):
    return p.width * theta

def value(theta, p):
    return 0.5 * p.width * theta * theta

def sample(xi, p):
    return xi * p.one

def quadrature(nodes, p):
    values, weights = ns.gaussian().quadrature(nodes, p)
    return values, weights

def one(sigma):
    return sigma / sigma

def step(x, o, z, c, p):
    return (x[0] - c[0] * o.gradient - c[1] * z,)

def schedule(k, h, p):
    return h, math.sqrt(h) * p.sigma0

def drift(x, o, c, p):
    return (-o.gradient,)

def diffusion(x, o, c, p):
    return (p.sigma0,)

def variance(theta):
    return 1.0 + SLOPE * math.tanh(theta) ** 2

def waves(theta, p):
    return 1.0 + p.slope * math.tanh(theta) ** 2

def start(eta2):
    return [1.0 + eta2, 2.0]

def cosine(x):
    return math.cos(x[0])
"""
