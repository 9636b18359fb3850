"""What a report shows of one study, before it is a page: plain values, which travel between processes.

`studies.reported` makes a Document of a Result or of its folder; `reporting.html` makes the page.
"""

from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd


class Source(NamedTuple):
    """A user's function: what it is in the study, and its text."""

    name: str
    text: str


class Process(NamedTuple):
    """What moves in a study, as it is defined; role : "Optimizer", "SDE"; told : of a built-in, see `equations.told`.

    equations : in ASCII, see `mathml`; constants : (name, value) in its scaled variables
    """

    role: str
    name: str
    summary: str
    equations: tuple[str, ...]
    paragraphs: tuple[str, ...]
    sources: tuple[Source, ...]
    constants: tuple[tuple[str, str], ...]


class Figure(NamedTuple):
    """A figure : its caption, and the element <svg>, or why there is none."""

    caption: str
    svg: str
    failed: str = ""


@dataclass(frozen=True)
class Study:
    """What only the study itself says, and the tables of a run do not.

    run : (what, in words) of start, times and test functions; units : a table of hyperparameters, a row a point
    """

    processes: tuple[Process, ...]
    run: tuple[tuple[str, str], ...]
    units: pd.DataFrame
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Document:
    """One study and what was found.

    title : what was compared, in a line; extent : at how many step sizes, until when, of how many trajectories
    theorem : the order that the errors are held to
    table, orders : of a Result, orders None where they cannot be fitted; unfitted : then why
    compared : the table of its ranking, None where it has one SDE
    headlines : of the ranking
    study : None where a folder alone does not say it; missing : then why
    why : (series, why they were measured by their estimator)
    outside : why the study lies outside the theory
    file : the study file that repeats it; command : how, lines of a shell; unrepeated : why they do not, or ""
    record : (what, value) of how it was run: seed, versions, processor, hashes, timings
    """

    title: str
    extent: str
    theorem: float
    table: pd.DataFrame
    orders: pd.DataFrame | None
    compared: pd.DataFrame | None
    headlines: tuple[str, ...]
    figures: tuple[Figure, ...]
    study: Study | None
    missing: str
    unfitted: str
    why: tuple[tuple[str, str], ...]
    outside: tuple[str, ...]
    file: str
    command: tuple[str, ...]
    unrepeated: str
    record: tuple[tuple[str, str], ...]
