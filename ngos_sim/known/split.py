"""Which slots of an SDE are autonomous: the fewest that make drift and diffusion affine in the others.

`known.probing` asks. Both are found by calling the SDE's functions at states that it visits. (docs/theory.md,
"Probing".)
"""

import numpy as np

ZERO = 1e-11  # of the largest value in a slot: less is no dependence and no curvature. A bend d biases by about d T
_TRIES = 32  # pairs of visited states at which the functions are compared
_JITTER = 0.1  # of a visited state: so that equal slots differ
_MOVED = 0.01  # of `reach`: nearer states are moved apart


class NoMoments(ValueError):
    """The moments of an SDE are not known; the words say why."""


def autonomous_slots(probe):
    """Return the autonomous slots, as few as make the others affine.

    Slots in which some entry is bent, alone or with another, need an autonomous one among them: one whose closure
    under dependence has no noise. The smallest closure joins A.
    """
    depends, noisy, bent = _structure(probe)

    def closure(found):
        grown = found.union(*(np.flatnonzero(depends[j]).tolist() for j in found))
        return found if grown == found else closure(grown)

    chosen: set = set()
    for pair in sorted(bent, key=lambda pair: len({*pair})):
        if not bent[pair].any() or chosen & {*pair}:
            continue
        closures = {i: closure({i}) for i in sorted({*pair})}
        free = [each for each in closures.values() if not noisy[list(each)].any()]
        if not free:
            raise NoMoments(_why(probe.sde, bent[pair], closures, noisy))
        chosen |= min(free, key=len)
    return tuple(sorted(chosen))


def _structure(probe):
    """Return on which slots each depends, which have noise, and in which pairs of slots which entries are bent."""
    n, random = len(probe.start), np.random.default_rng(1)
    depends, noisy = np.zeros((n, n), dtype=bool), np.zeros(n, dtype=bool)
    bent: dict = {}
    for _ in range(_TRIES):
        t = probe.time(random.random())
        x, other = probe.seen[random.integers(len(probe.seen), size=2)]
        x, other = (each * (1.0 + _JITTER * random.random(n)) for each in (x, other))
        far = np.abs(other - x) > _MOVED * probe.reach
        other = np.where(far, other, x + probe.reach * random.random(n))

        def at(moved, x=x, other=other, t=t):
            states = np.array([np.where(np.isin(range(n), each), other, x) for each in moved])
            return probe.finite(np.full(len(states), t), states)

        here, *single = at([(), *((i,) for i in range(n))])
        single = np.array(single)
        size = np.abs([here, *single]).max(axis=0)
        least = ZERO * (size + size.max(axis=0))
        depends |= (np.abs(single - here) > least).any(axis=1).T
        noisy |= size[1:].any(axis=0)
        for i, share in enumerate(random.random(n)):
            (part,) = at([(i,)], other=x + share * (other - x))
            chord = part - here - share * (single[i] - here)
            pairs = at([(i, k) for k in range(i)]) if i else ()
            mixed = {(i, k): pair - single[i] - single[k] + here for k, pair in enumerate(pairs)}
            for pair, bend in {(i, i): chord, **mixed}.items():
                bent[pair] = bent.get(pair, False) | (np.abs(bend) > least)
    return depends, noisy, bent


def _why(sde, bend, closures, noisy):
    """Return why a bent entry cannot be served, in words."""
    names = sde.slots
    row, slot = np.argwhere(bend)[0]
    what = f"the {'diffusion' if row else 'drift'} of {names[slot]}"
    among = " and ".join(names[i] for i in closures)
    needs = "; ".join(
        f"{names[i]} is not autonomous (it needs {', '.join(names[k] for k in sorted(each))}, "
        f"and {', '.join(names[k] for k in sorted(each) if noisy[k])} has noise)"
        for i, each in closures.items()
    )
    return f"{what} of sde {sde.name!r} is not affine in {among}: {needs}"
