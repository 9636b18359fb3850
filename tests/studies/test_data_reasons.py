"""What `why` says of studies on data, and the example on breast cancer."""

import runpy
import sys
from pathlib import Path

import pytest

import ngos_sim as ns
from tests.support.data import logistic_study as study

RULE = ns.rmsprop(sigma0=0.2, eps0=0.1, c2=1.0)
EXAMPLE = Path(__file__).parents[2] / "examples/logistic_scaling_rule.py"


@pytest.mark.filterwarnings("ignore::ngos_sim.StudyWarning")
def test_why_says_what_is_shared():
    (apart,) = study(RULE, reference=None, sde=ns.rmsprop_sde()).why.values()
    assert apart == (
        "coupled: it serves everything, though samples and the SDE's dW have nothing in common, so that an error has "
        "the standard error of independent runs (plan measures it); not local nor control_variate, as gradients come "
        "from minibatches of data; not transport, as the noise is that of minibatches of data, whose coordinates are "
        "not independent"
    )
    together = {*study(RULE).why.values()}
    assert together == {
        "coupled: it serves everything, the larger minibatch being made of the smaller ones' samples; not local, as "
        "gradients come from minibatches of data; not transport, as the noise is that of minibatches of data, whose "
        "coordinates are not independent; not control_variate, as there is no companion of known moments"
    }


def test_example(monkeypatch, tmp_path, capsys):
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["example", "0.05"])
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    said = capsys.readouterr().out
    assert "kappa = 8" in said
    assert (tmp_path / "logistic_scaling_rule.png").exists()
