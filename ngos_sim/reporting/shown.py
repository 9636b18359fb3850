"""What studies, results, orders and plans are at a prompt and in a notebook: a few lines, and the same as HTML.

Classes of `studies` call `text` and `html` for their `__repr__` and `_repr_html_`. None of this raises: what is shown
while something else fails must not fail too. Names that a user gave are escaped.
"""

from html import escape

import pandas as pd

from ngos_sim.reporting import report

_MOST = 8  # names in a line


class _Frame(pd.DataFrame):
    """A DataFrame that is printed in words of its own; what is made of it, such as a selection, is a plain one."""

    @property
    def _constructor(self):
        return pd.DataFrame

    @classmethod
    def of(cls, frame):
        """Return a DataFrame as one of these."""
        made = cls(frame)
        made.attrs = frame.attrs
        return made

    def _words(self):
        raise NotImplementedError

    def _marked(self):
        return f"<pre>{escape(self._words())}</pre>"

    def __repr__(self):
        try:
            return self._words()
        except Exception:  # columns were taken away or changed
            return super().__repr__()

    def _repr_html_(self):
        try:
            return self._marked()
        except Exception:
            return super()._repr_html_()


class Orders(_Frame):
    """What `Result.order` returns: its rows of norm = max are shown, in a few columns."""

    def _around(self):
        """Return the lines above and below the table."""
        below = f"[{len(self)} rows x {len(self.columns)} columns, among them norm = final: at the last time]"
        return report.orders_caption(self.theorem.iloc[0]), below

    def _words(self):
        above, below = self._around()
        return f"{above}\n{report.orders_table(self)}\n{below}"

    def _marked(self):
        above, below = self._around()
        table = report.orders_rows(self).to_html(index=False, border=0)
        return f"<p>{escape(above)}</p>{table}<p>{escape(below)}</p>"


class Foreseen(_Frame):
    """What `ConvergenceStudy.plan` returns: what `ngos-sim plan` prints."""

    def _words(self):
        return report.plan_table(self)


def text(thing, lines):
    """Return a repr: the title, words and table that `lines(thing)` returns; where that fails the type alone."""
    try:
        title, rows, table = lines(thing)
        width = max(map(len, rows))
        said = [f"  {label:<{width}}  {what}" for label, what in rows.items()]
        return "\n".join([title, *said, *([] if table is None else [table.to_string(index=False)])])
    except Exception:
        return f"<{type(thing).__name__}: not complete>"


def html(thing, lines):
    """Return the same as HTML; None, so that a notebook takes the repr, where that fails."""
    try:
        title, rows, table = lines(thing)
        cells = "".join(f"<tr><th>{escape(label)}</th><td>{escape(what)}</td></tr>" for label, what in rows.items())
        shown = "" if table is None else table.to_html(index=False, border=0)
        return f"<b>{escape(title)}</b><table>{cells}</table>{shown}"
    except Exception:
        return None


def study(one):
    """Return what stands in a study: a title and {label: words}."""
    names, served = [getattr(each, "name", each) for each in one.test_functions], {}
    for quantity, choice in one.served.items():
        served.setdefault(choice.estimator.name, []).append(names[quantity.function])
    rows = {"oracle": _oracle(one), "h": _steps(one), "test functions": _few(names)}
    rows["estimator"] = "; ".join(f"{name}: {_few(dict.fromkeys(of))}" for name, of in served.items())
    if len(served) == 1:
        rows["estimator"] = f"{next(iter(served))}, for all"
    if one.notes:
        rows["notes"] = " ".join(one.notes)
    return f"ConvergenceStudy: {_compared(one)}", rows, None


def result(one):
    """Return what stands in a result: a title, {label: words} and its errors at the least h; orders take a second."""
    table = one.table
    points = table[["h", "kappa"]].drop_duplicates()
    rows = {"run": f"{one.trajectories} trajectories at each of {len(points)} step sizes; ended by: {one.stopped}"}
    rows["on"] = f"{one.device}, {one.precision}, seed {one.seed}"
    if (lost := table.nonfinite.max()) > 0:
        rows["not finite"] = f"{lost:g} trajectories at a step size, at most"
    last = table[(table.h == table.h.min()) & (table.time == table[table.h == table.h.min()].time.max())]
    rows["below"] = (
        f"errors at the least step, h = {last.h.iloc[0]:.4g}, at t = {last.time.iloc[0]:.4g}; .table has all"
    )
    over_h = [report.measured(row.error / row.h, row.std_error / row.h) for row in last.itertuples()]
    shown = {
        "sde": last.sde,
        "test function": last.test_function,
        "error / h (SE)": over_h,
        "estimator": last.estimator,
    }
    return f"Result: {_compared(one.study)}", rows, pd.DataFrame(shown)


def _compared(one):
    """Return what a study compares with what."""
    ell = getattr(one.optimizer, "ell", ())
    svag = f" under SVAG, ell = {_few(f'{each:g}' for each in ell)}" if ell else ""
    if one.reference is None:
        return f"{one.rule.name}{svag} against {_few(sde.name for sde in one.sdes)}"
    return f"{one.rule.name}{svag} against itself at {_few(map(str, one.reference.kappa))} times the batch size"


def _oracle(one):
    size = "1 coordinate" if one.dimension == 1 else f"{one.dimension} coordinates"
    return f"{one.oracle.loss.name} loss, {one.oracle.noise.name} noise, {size}"


def _steps(one):
    """Return the step sizes of a study, and from when to when it runs."""
    sizes = sorted({point.h for point in one.points}, reverse=True)
    between = f"{sizes[0]:.4g}" if len(sizes) == 1 else f"{sizes[0]:.4g} .. {sizes[-1]:.4g}, {len(sizes)} step sizes"
    of = "eta^2" if one.rule.clock == "eta2" else "eta"
    return f"{between} (time of one step, {of}); from t = {one.t0:g} to {one.horizon:g}"


def _few(names):
    """Return names in a row, after the eighth how many more."""
    names = list(names)
    more = [f"and {len(names) - _MOST} more"] if len(names) > _MOST else []
    return ", ".join([*names[:_MOST], *more])
