"""study.json is a study file: what it holds, that it repeats its result, and plug-ins by name and hash."""

import functools
import json
import sys
from pathlib import Path

import numpy as np
import pytest

import ngos_sim as ns
from ngos_sim.studies import folder, study_file
from ngos_sim.studies.description import source_hash
from ngos_sim.studies.plugins import Plugins
from ngos_sim.studies.written import content as content_of
from tests.support.plug_ins import PLUGIN

CASES = {
    "svag": dict(
        oracle=ns.NGOS(ns.quadratic([0.9, 2.0]), 2.0, ns.two_point(low_skewness=0.3)),
        optimizer=ns.svag(ns.rmsprop(sigma0=0.8, eps0=0.1, c2=1.3), [1, 2.0]),
        sde=[ns.rmsprop_sde(), ns.compagnoni_rmsprop_sde()],
        initial=dict(theta=np.array([1.0, 0.5]), u=1),
        eta2=np.array([0.25, 0.125]),
        test_functions=["theta[0]", "2*theta[0]^2 - u[1]"],
    ),
    "scaling rule": dict(
        oracle=ns.NGOS(ns.linear(0.7), noise=ns.uniform()),
        optimizer=ns.adam(0.8, 0.1, c1=2.0, c2=1.3, bias_correction=False),
        reference=ns.scaling_rule([2]),
        initial=dict(theta=1.0, m=0.0, u=1.0, t0=0.25),
        eta2=0.0625,
        times="all",
        test_functions=["theta[0]", "loss"],
    ),
    "orders": dict(
        oracle=ns.NGOS(ns.quadratic(1.5), 2.0),
        optimizer=ns.heavy_ball(sigma=0.5, mu=1.0),
        sde=[ns.heavy_ball_sde(), ns.heavy_ball_sde(order=2)],
        initial=dict(theta=1.0, v=0.0),
        steps=[4, 8],
        horizon=2.0,
        times=[1.0, 2.0],
        test_functions=["theta[0]*v[0]", "norm(grad)"],
    ),
    "curved": dict(
        oracle=ns.NGOS(ns.double_well(1.2, 0.9, 0.8), ns.lorentz_variance(0.9, 0.6)),
        optimizer=ns.rmsprop(sigma0=0.8, eps0=0.1, c2=1.3),
        sde=ns.rmsprop_sde(),
        initial=dict(theta=1.2, u=1.4),
        steps=4,
        horizon=1.0,
        times=[1.0],
        test_functions=["theta[0]"],
    ),
    "matrices": dict(
        oracle=ns.NGOS(ns.quadratic([[1.0, 0.3], [0.3, 2.0]]), [[1.0, 0.5], [0.5, 1.0]]),
        optimizer=ns.signsgd(0.5),
        sde=ns.signsgd_sde(order=1, nu=None),
        initial=dict(theta=1.0),
        eta=[0.25],
        test_functions=["sqnorm(theta)"],
        estimator="independent",
    ),
    "batch sizes": dict(
        oracle=ns.NGOS(ns.coupled_wells(0.5), 0.25),
        optimizer=ns.rmsprop(sigma0=0.25, eps0=0.1, c2=1.3),
        sde=ns.rmsprop_sde(),
        initial=dict(theta=[0.5, 0.2], u=1.0),
        batch_size=[1, 2],
        horizon=0.25,
        test_functions=["loss"],
    ),
}


@functools.cache
def result_of(case):
    precision = "f64" if case == "matrices" else None
    return ns.ConvergenceStudy(**CASES[case]).run(1500, seed=3, max_seconds=600.0, precision=precision)


@pytest.mark.usefixtures("blank_figures")
@pytest.mark.parametrize("case", CASES)
@pytest.mark.filterwarnings("ignore::ngos_sim.StudyWarning")
def test_a_result_is_repeated_from_its_record(case, tmp_path):
    result = result_of(case)
    result.save(tmp_path)
    read = study_file.load(tmp_path / "study.json")
    assert read.study == result.study
    again = read.study.run(read.trajectories, read.seed, precision=read.precision)
    assert folder.csv(again.table) == (tmp_path / "table.csv").read_bytes()
    assert folder.csv(again.order()) == (tmp_path / "orders.csv").read_bytes()
    assert again.describe() | {"record": None} == result.describe() | {"record": None}


@pytest.mark.usefixtures("blank_figures")
def test_what_it_holds_is_what_was_given(tmp_path):
    result_of("svag").save(tmp_path, theorem=0.5)
    read = json.loads((tmp_path / "study.json").read_text())
    assert read["oracle"] == {
        "loss": {"kind": "quadratic", "hessian": [0.9, 2.0]},
        "covariance": 2.0,
        "noise": {"kind": "two-point", "low_skewness": 0.3},
    }
    assert read["optimizer"] == {"kind": "rmsprop", "sigma0": 0.8, "eps0": 0.1, "c2": 1.3}
    assert read["sde"] == [{"kind": "rmsprop"}, {"kind": "compagnoni-rmsprop"}]
    assert read["initial"] == {"theta": [1.0, 0.5], "u": 1}
    given = dict(eta2=[0.25, 0.125], horizon=1.0, ell=[1.0, 2.0], test_functions=["theta[0]", "2*theta[0]^2 - u[1]"])
    ran = dict(estimator="auto", trajectories=2048, seed=3, precision="mix", expect={"order": 0.5})
    assert read["study"] == given | ran
    record = read["record"]
    assert record["stopped"] == "trajectories"
    assert record["bounds"] == dict(trajectories=1500, rel_error=None, abs_error=None, max_seconds=600.0)
    assert {"versions", "commit", "processor", "device", "why", "resolved"} <= record.keys()
    assert study_file.load(tmp_path / "study.json").expected_order == 0.5


@pytest.fixture
def plugin(tmp_path):
    """Write the plug-in; return its path and its functions by name."""
    path = tmp_path / "my_functions.py"
    path.write_text(PLUGIN)
    return path, vars(Plugins([path])._modules["my_functions"])


def own(my):
    """Return a study in which everything is a user's own."""
    sde = ns.SDE("mine", my["drift"], my["diffusion"], ("theta",))
    equation = ns.modified_equation("eq", *(my[name] for name in ("drift", "drift", "diffusion")), ("theta",), order=1)
    return ns.ConvergenceStudy(
        ns.NGOS(
            ns.Loss("bowl", my["gradient"], my["value"], width=[1.0, 2.0]),
            ns.Variance("waves", my["waves"], slope=0.5),
            ns.Noise("mine", my["sample"], my["quadrature"], {"one": my["one"], "two": 2.0}),
        ),
        ns.Optimizer("o", my["step"], ("theta",), my["schedule"], sigma0=0.5),
        sde=[sde, ns.SDE("near", my["drift"], my["diffusion"], ("theta",), pivot=sde), equation],
        initial=dict(theta=my["start"]),
        eta2=[0.25],
        horizon=0.25,
        test_functions=["theta[0]", ns.TestFunction("cosine", my["cosine"], coordinate=1)],
        estimator="independent",
    )


def written(study, path):
    """Write the study.json of a study that has not run."""
    path.write_text(json.dumps(content_of(study, 1024, 0, "f64")))
    return path


def test_plug_ins_stand_there_by_name_and_hash(plugin, tmp_path):
    path, my = plugin
    file = written(own(my), tmp_path / "study.json")
    read = json.loads(file.read_text())
    drift = {"function": "my_functions:drift", "source": source_hash(my["drift"])}
    assert read["sde"][0] == {
        "kind": "own",
        "name": "mine",
        "drift": drift,
        "diffusion": {"function": "my_functions:diffusion", "source": source_hash(my["diffusion"])},
        "slots": ["theta"],
    }
    assert read["sde"][1]["pivot"] == read["sde"][0]
    assert read["sde"][2]["kind"] == "modified-equation"
    assert read["oracle"]["noise"]["parameters"]["one"]["function"] == "my_functions:one"
    assert read["initial"]["theta"]["function"] == "my_functions:start"
    assert study_file.load(file, [path]).study == own(my)
    plain = ns.ConvergenceStudy(
        ns.NGOS(ns.quadratic(1.0), my["variance"]),
        ns.sgd(0.5),
        sde=ns.sgd_sde(),
        initial=dict(theta=1.0),
        eta=0.25,
        test_functions=["theta[0]"],
    )
    assert study_file.load(written(plain, tmp_path / "plain.json"), [path]).study == plain


def test_a_changed_source_is_refused_with_both_hashes(plugin, tmp_path):
    path, my = plugin
    file = written(own(my), tmp_path / "study.json")
    before = source_hash(my["waves"])
    path.write_text(PLUGIN.replace("1.0 + p.slope", "1.5 + p.slope"))
    now = source_hash(vars(Plugins([path])._modules["my_functions"])["waves"])
    with pytest.raises(ValueError) as caught:
        study_file.load(file, [path])
    assert str(caught.value) == (
        f"{file}: oracle.covariance.function: the source of 'my_functions:waves' has changed: "
        f"{before} in the study file, {now} in my_functions.py"
    )


@functools.cache
def good():
    """Return the text of a good JSON study file."""
    return json.dumps(content_of(ns.ConvergenceStudy(**CASES["orders"]), 1024, 0, "f64"))


def edited(tmp_path, change):
    """Return the message of a good JSON study file that was changed: one line."""
    content = json.loads(good())
    change(content)
    (tmp_path / "study.json").write_text(json.dumps(content))
    with pytest.raises(ValueError) as caught:
        study_file.load(tmp_path / "study.json", [tmp_path / "own.py"])
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{tmp_path / 'study.json'}: ")


@pytest.mark.filterwarnings("ignore::ngos_sim.StudyWarning")
@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("os:system", "initial.theta: 'os:system' is not in a plug-in: give --plugins os.py (given: own)"),
        ("own:missing", "initial.theta: 'own:missing' is not a function at the top of the plug-in own.py"),
        ("own:system", "initial.theta: 'own:system' is not a function at the top of the plug-in own.py"),
        ("own:math.sin", "initial.theta: 'own:math.sin' is not a function at the top of the plug-in own.py"),
        ("own:open", "initial.theta: 'own:open' is not a function at the top of the plug-in own.py"),
        ("system", "initial.theta.function='system' must be \"module:name\""),
        (3, 'initial.theta.function=3 must be "module:name"'),
    ],
)
def test_only_functions_of_the_plug_ins_are_called(tmp_path, function, message):
    (tmp_path / "own.py").write_text("import math\nfrom os.path import join as system\n")
    assert edited(tmp_path, lambda content: content["initial"].update(theta={"function": function})) == message


@pytest.mark.filterwarnings("ignore::ngos_sim.StudyWarning")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content["study"].update(precision="half"), "study.precision='half'; allowed: mix, f64, f32"),
        (
            lambda content: content.update(records={}),
            "records is unknown; allowed: oracle, optimizer, initial, study, sde",
        ),
        (lambda content: content["optimizer"].update(kind="own"), "optimizer.name is missing"),
        (lambda content: content["study"].update(test_functions=[{"name": "g"}]), "test_functions[0].g is missing"),
        (lambda content: content["study"].update(estimator="mine"), "study.estimator='mine'; allowed: auto, local"),
        (lambda content: content["study"].update(seed=None), "seed=None must be an integer"),
    ],
)
def test_what_json_can_say_wrongly(tmp_path, change, message):
    (tmp_path / "own.py").write_text("")
    assert message in edited(tmp_path, change)


@pytest.mark.parametrize("text", ["", "{", "[1]", "3", '{"a": 1', "{'a': 1}"])
def test_what_is_not_json(tmp_path, text):
    file = tmp_path / "study.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"study\.json: (not JSON: |the file=)"):
        study_file.load(file)


def test_what_is_no_plug_in(tmp_path):
    with pytest.raises(ValueError, match=r"--plugins .*none\.py: not a Python file that is there"):
        Plugins([tmp_path / "none.py"])
    (tmp_path / "bad.py").write_text("import not_there")
    with pytest.raises(ValueError, match=r"--plugins .*bad\.py: ModuleNotFoundError: No module named 'not_there'"):
        Plugins([tmp_path / "bad.py"])
    (tmp_path / "good.py").write_text("")
    with pytest.raises(ValueError, match="there are two of the name 'good'"):
        Plugins([tmp_path / "good.py"] * 2)
    before = list(sys.path)
    Plugins([tmp_path / "good.py"])
    assert sys.path == before
    assert "good" not in sys.modules


def test_the_package_reads_no_code_from_files():
    """No eval, exec or unpickling of a file: a study file from a stranger can only compute."""
    words = ("eval(", "exec(", "pickle.load", "marshal", "shelve", "read_pickle", "allow_pickle=True", "__import__")
    package = Path(ns.__file__).parent
    of_cache = package / "engines/compiling/numba_internals.py"  # unpickles Numba's own cache, behind a checksum
    for file in {*package.rglob("*.py")} - {of_cache}:
        text = file.read_text(encoding="utf-8")
        assert not [word for word in words if word in text.replace("re.compile(", "")], file
