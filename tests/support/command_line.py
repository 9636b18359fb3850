"""A small study for the command line, and what is left of a call."""

from ngos_sim.studies import figure
from ngos_sim.studies import result as results
from tests.support.programs import PROBLEM

# RMSprop, one coordinate, Gaussian noise: one program for the whole file
STUDY = f"""{PROBLEM}
[study]
eta2 = [0.25, 0.125, 0.0625]
horizon = 0.5
test_functions = ["theta[0]", "u[0]^2"]
trajectories = 2048
"""
FILES = ["chunks.sqlite", "errors.png", "orders.csv", "report.html", "study.json", "table.csv"]
TABLE = (
    "h eta_e eta2 eta batch_size ell kappa step steps_run time test_function sde optimizer_mean sde_mean error "
    "std_error rounding ci_low ci_high band_low band_high integrator_bias integrator_residual numerical resolved "
    "estimator trajectories nonfinite spacing outside_theory"
)
ORDERS = (
    "sde test_function norm eta2 theorem order std_error ci_low ci_high constant constant_std_error predicted_constant "
    "limit limit_std_error sqrt_term sqrt_term_std_error predicted_sqrt_term chi2 dof p_value points "
    "resolved_points verdict outside_theory"
)


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def one_line(text):
    """Return whether a text is one line of the program's own."""
    return text.startswith("ngos-sim: ") and text.endswith("\n") and text.count("\n") == 1


def broken(error):
    def fail(*arguments, **options):
        raise error

    return fail


def fail(monkeypatch, what, error):
    """Let what makes a file of a result raise."""
    owner, name = {
        "orders.csv": (results.Result, "order"),
        "study.json": (results.Result, "describe"),
        "errors.png": (figure, "png"),
    }[what]
    monkeypatch.setattr(owner, name, broken(error))
