"""Where an SDE of this package's is a model of its optimizer: what its derivation assumes and a study can see.

Constructors of SDEs say it (`within`); a study refuses test functions of slots that are not modelled and warns of the
rest (`studies.notes`). A user's SDE has none.
"""

from dataclasses import dataclass, field

from ngos_sim.oracles.noises import Noise, gaussian


@dataclass(frozen=True)
class Domain:
    """What the derivation of an SDE assumes.

    Parameters
    ----------
    noise : Noise
        The law of zeta.
    independent : bool
        Coordinates have independent noise: Sigma is diagonal.
    constant : bool
        Sigma does not depend on the state.
    slots : tuple of str, optional
        The slots that the SDE models; all if None.
    """

    noise: Noise = field(default_factory=gaussian)
    independent: bool = False
    constant: bool = False
    slots: tuple[str, ...] | None = None

    def doubts(self, oracle):
        """Return what an NGOS has that the derivation does not, each in a few words."""
        law, found = self.noise, []
        if (oracle.noise.name, oracle.noise.parameters) != (law.name, law.parameters):
            other = ", of other parameters" if oracle.noise.name == law.name else ""
            found.append(f"{law.name} noise, not {oracle.noise.name}{other}")
        if self.independent and oracle.root is not None:
            found.append("a diagonal covariance")
        if self.constant and callable(oracle.covariance):
            found.append("a covariance that does not depend on the state")
        return found


def within(domain, sde):
    """Return an SDE that was just made, with its Domain."""
    object.__setattr__(sde, "domain", domain)
    return sde
