"""The public interface as a user's tools see it: types for mypy --strict, and docstrings that say what they must."""

import ast
import functools
import inspect
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import ngos_sim as ns

ROOT = Path(ns.__file__).parents[1]
FACTORIES = {"Optimizer", "SDE", "Loss", "Noise", "Variance", "NGOS"}  # whose first line says what is made

TYPED = """
from typing import Any

import numpy as np

import ngos_sim as ns

State = tuple[float, ...]


def drift(x: State, o: Any, c: State, p: Any) -> State:
    theta, u = x
    return -o.gradient * ns.preconditioner(u, p.sigma0, p.eps0) * ns.sign(theta), p.c2 * (o.variance - u)


def diffusion(x: State, o: Any, c: State, p: Any) -> State:
    return -p.scale * p.sigma0 * ns.preconditioner(x[1], p.sigma0, p.eps0), 0.0


mine = ns.SDE("mine", drift, diffusion, slots=("theta", "u"), scale=1.0)
study = ns.ConvergenceStudy(
    ns.NGOS(ns.quadratic([0.9, 2.0]), covariance=[1.0, 0.5], noise=ns.two_point(skewness=1.5)),
    optimizer=ns.rmsprop(sigma0=0.8, eps0=0.0, c2=1.3),
    sde=[ns.rmsprop_sde(), mine],
    initial=dict(theta=np.ones(2), u=1.0),
    eta2=[2**-k for k in range(4, 10)],
    horizon=1.0,
    test_functions=["theta[0]", ns.TestFunction("square", lambda x: x[0] * x[0])],
)
result = study.run(trajectories=100_000, seed=0, max_seconds=2)
more = result.extend(200_000)
print(result.table.error, study.plan().seconds, result.order(theorem=1).verdict, result.ranking(), study.why)
result.plot("errors.png").set_title("mine")
result.save("folder")
trajectories: int = ns.merge(ns.load("folder"), more).trajectories
made, eta2 = ns.from_hyperparameters("adam", lr=1e-3, betas=(0.9, 0.999), eps=1e-8, batch_size=256)
rate: float = ns.scale_batch(made.at(eta2), 4).lr
ns.ConvergenceStudy(ns.finite_data([[1.0], [2.0]], [0, 1]), ns.svag(ns.sgd(1.0), [1, 2]), reference=ns.scaling_rule(2))
reveal_type((study, result, mine, rate, ns.rosenbrock(), ns.student_t(5.0), result.plot()))
"""


@pytest.mark.slow
def test_a_strict_script_of_a_user_s_has_no_error(tmp_path):
    """As installed: errors of the package itself are not a user's (follow_imports=silent is what site-packages has).

    Slow where mypy has read NumPy for the first time; .ci/run has it among the linters.
    """
    (tmp_path / "user.py").write_text(TYPED, encoding="utf-8")
    where = os.environ | {"MYPYPATH": str(ROOT), "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache" / "user")}
    options = ["--strict", "--follow-imports=silent", "--config-file=", "--ignore-missing-imports", "user.py"]
    command = [sys.executable, "-m", "mypy", *options]
    done = subprocess.run(command, cwd=tmp_path, env=where, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (said,) = re.findall(r'Revealed type is "(.*)"', done.stdout)
    kinds = re.findall(r"\.(\w+)[,\]]", said)
    assert kinds == ["ConvergenceStudy", "Result", "SDE", "Loss", "Noise", "Axes"], said


def public():
    """Yield the name and the function, class or property of everything public, exceptions left out."""
    for name in ns.__all__:
        one = getattr(ns, name)
        if inspect.isclass(one) and issubclass(one, BaseException):
            continue
        yield name, one
        if inspect.isclass(one):
            for method, held in vars(one).items():
                of = held.__func__ if isinstance(held, staticmethod) else held
                of = of.func if isinstance(of, functools.cached_property) else of
                of = of.fget if isinstance(of, property) else of
                if not method.startswith("_") and inspect.isfunction(of) and of.__qualname__.startswith(name):
                    yield f"{name}.{method}", of if of is held or isinstance(held, staticmethod) else property(of)


PUBLIC = dict(public())


def signature(one):
    """Return the parameters of something public without self, and its return annotation."""
    of = inspect.signature(one.fget if isinstance(one, property) else one)
    return [each for each in of.parameters.values() if each.name != "self"], of.return_annotation


@pytest.mark.parametrize("name", PUBLIC)
def test_every_signature_is_annotated(name):
    one = PUBLIC[name]
    parameters, returned = signature(one)
    assert not [each.name for each in parameters if each.annotation is each.empty]
    assert inspect.isclass(one) or returned is not inspect.Signature.empty


def sections(text):
    """Return the sections of a numpydoc docstring by name."""
    parts = re.split(r"^(\w+)\n-{3,}\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def raises(one):
    """Return whether the code of a function, or of a class's constructor, raises."""
    of = inspect.unwrap(one) if not inspect.isclass(one) else vars(one).get("__init__", None)
    if inspect.isclass(one):
        of = vars(one).get("__post_init__", of)
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(of)))
    except (OSError, TypeError):  # the constructor that dataclass writes
        return False
    return any(isinstance(node, ast.Raise) for node in ast.walk(tree))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_docstring_says_what_is_given_returned_and_raised(name):
    one = PUBLIC[name]
    text = inspect.getdoc(one)
    assert text, "no docstring"
    if isinstance(one, property):
        return
    parameters, returned = signature(one)
    described = sections(text).get("Parameters", text) + sections(text).get("Attributes", "")
    assert not [each.name for each in parameters if not re.search(rf"\b{each.name}\b", described)]
    if not inspect.isclass(one) and returned is not None and getattr(returned, "__name__", "") not in FACTORIES:
        assert "Returns" in sections(text) or re.match("(Return|Measure|The|Compare|Fit|Draw) ?", text)
    if raises(one):
        assert "Raises" in sections(text) or re.search(r"\braises?\b", text)


GIVEN = [name for name, one in PUBLIC.items() if inspect.isfunction(one) and "." not in name and signature(one)[0]]


@pytest.mark.parametrize("name", GIVEN)
def test_every_public_function_that_takes_something_has_an_example(name):
    """Doctests, which pytest runs where they stand."""
    assert ">>> " in inspect.getdoc(PUBLIC[name]) or name in {"load", "merge"}  # of files


def test_help_reaches_the_grammar_and_the_contract():
    """help() of what a user has in hand says what strings and functions it takes."""
    assert "sqnorm(theta)" in inspect.getdoc(ns.ConvergenceStudy)
    assert 'term    = factor {"*" factor}' in inspect.getdoc(ns.TestFunction)
    for word in ("o.gradient", "o.variance", "o.curvature", "o.hessian_gradient", "p.h", "schedule(k, h, p)"):
        assert word in inspect.getdoc(ns.Optimizer)
    assert "help(ns.Optimizer)" in inspect.getdoc(ns.SDE)
