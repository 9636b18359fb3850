"""On which oracles one of this package's processes is what it says: what its formulas assume and a study can see.

Constructors say it (`within`). A study refuses an oracle on which a process is computed wrongly, and test functions of
slots that an SDE does not model; where an SDE is a worse model than its order says, it warns (`studies.notes`). A
user's process assumes nothing that is checked.
"""

from dataclasses import dataclass

from ngos_sim.oracles.losses import affine_gradient
from ngos_sim.oracles.noises import Noise
from ngos_sim.validation import keep

_SAME = 1e-6  # relative: moments closer than this are one, as quadratures of laws have an error


@dataclass(frozen=True)
class Domain:
    """What a process assumes of an oracle.

    Parameters
    ----------
    noise : Noise, optional
        The law of zeta; any if None.
    moments : tuple of float, optional
        E zeta^3 and E zeta^4, where only these matter.
    independent : bool
        Coordinates have independent noise: Sigma is diagonal.
    constant : bool
        Sigma does not depend on the state.
    separable_quadratic : bool
        The gradient elsewhere than at theta is f' + f'' times the way there: exact for a loss that is linear, or
        quadratic with a diagonal Hessian. On any other the process would be another one.
    slots : tuple of str, optional
        The slots that an SDE models; all if None.
    """

    noise: Noise | None = None
    moments: tuple[float, float] | None = None
    independent: bool = False
    constant: bool = False
    separable_quadratic: bool = False
    slots: tuple[str, ...] | None = None

    def refusal(self, oracle):
        """Return why a process is not computed on an NGOS, or an empty string."""
        loss = oracle.loss
        if not self.separable_quadratic:
            return ""
        if loss.joint:
            return f"{loss.coupling}: how a gradient changes with theta is not known"
        if loss.matrix is not None:
            return f"the Hessian of loss {loss.name!r} is a matrix: how a gradient changes with theta is not known"
        if affine_gradient(loss, loss.dimension or 1) is None:
            return f"loss {loss.name!r} is neither linear nor quadratic: how a gradient changes with theta is not known"
        return ""

    def doubts(self, oracle, sigma):
        """Return what an NGOS at a noise scale has not of what an SDE is derived for, each in a few words."""
        found, law, other = [], self.noise, oracle.noise
        if law is not None and (other.name, other.parameters) != (law.name, law.parameters):
            of_others = ", of other parameters" if other.name == law.name else ""
            found.append(f"{law.name} noise, not {other.name}{of_others}")
        if self.moments is not None and oracle.data is not None:
            found.append("E zeta^3 and E zeta^4 that are the same everywhere, not those of minibatches")
        elif self.moments is not None:
            *_, third, excess = other.cumulants(sigma)
            for name, wanted, has in zip(("zeta^3", "zeta^4"), self.moments, (third, 3.0 + excess), strict=True):
                if not abs(wanted - has) <= _SAME * (1.0 + abs(wanted)):
                    found.append(f"E {name} = {wanted:.9g}, which is {has:.9g} of noise {other.name!r}")
        if self.independent and (oracle.root is not None or oracle.variance is None):
            found.append("a diagonal covariance")
        if self.constant and oracle.is_state_dependent:
            found.append("a covariance that does not depend on the state")
        return found


EVERYWHERE = Domain()


def within(domain, process):
    """Return a process that was just made, with its Domain."""
    keep(process, domain=domain)
    return process
