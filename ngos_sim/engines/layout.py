"""The bundles that the CPU's kernels take, by name: what belongs to a process, a feature, the errors; numbers; rows.

Integers of a process, a feature or its errors are a record of an array: what kernels read as `place.slots`.
`engines.cpu.engine` and `engines.cpu.joint` make the bundles, the kernels beside them take them.
"""

from typing import Any, NamedTuple

import numpy as np

_LINE = 64  # bytes of a cache line


class Place(NamedTuple):
    """Where a process's state and numbers are, and the addresses of its loops; 0 for one that is not called.

    at : its first row of the state
    loss, variance, noise, parameters : where its numbers of each kind begin in `Numbers.constants`
    table, columns, rows : where its table begins in `Numbers.table`, its columns, and its rows a step: one for all
        coordinates, or one a coordinate
    channels : how many Brownian motions drive it
    step_loop, law_loop, nodes_loop, slope_loop : of `engines.cpu.lanes` for its step, its noise law, its step at
        nodes, and its gradient where H grad f is needed
    gradient_loop, variance_loop, mixed_loop : of `engines.cpu.joint_field` for the functions of its field
    """

    at: int
    slots: int
    stride: int
    loss: int
    variance: int
    noise: int
    parameters: int
    table: int
    columns: int
    rows: int
    channels: int
    step_loop: int
    law_loop: int
    nodes_loop: int
    slope_loop: int
    gradient_loop: int
    variance_loop: int
    mixed_loop: int


class Scope(NamedTuple):
    """A feature: the address of its loop, the first and last + 1 coordinate to sum, whether the root is taken.

    whole : whether it is a function of all of theta
    sample_loop : of a function of a sample, whose mean over data is added; 0 where there is none
    """

    loop: int
    first: int
    end: int
    root: int
    whole: int
    sample_loop: int


class DataPlace(NamedTuple):
    """What a process of data takes before a step.

    slope_loop : the address of its phi'
    batch, minibatches, weights : samples of a minibatch, 0 where all are taken, minibatches a step, and where their
        weights begin in `Data.weights`
    lanes, samples : how many are worked at together
    order : where its samples' orders begin in `Data.orders`; -1 where they are drawn with replacement
    spread : whether its step reads the diagonal of Sigma
    """

    slope_loop: int
    batch: int
    minibatches: int
    weights: int
    lanes: int
    samples: int
    order: int
    spread: int


class ErrorsPlace(NamedTuple):
    """A process's errors of products: their first row of the state, sizes, and where its arrays begin in one of all.

    linear : how many slots are; centred : the place of the slot that is not, or how many slots there are where none is;
    blocks : how many centres there are, one a coordinate or none; nodes, orders : how many;
    nodes_at, weights, powers, flow, centre : where the arrays of `program.Errors` begin
    """

    row: int
    linear: int
    centred: int
    blocks: int
    nodes: int
    orders: int
    nodes_at: int
    weights: int
    powers: int
    flow: int
    centre: int


class Numbers(NamedTuple):
    """Numbers of all processes: constants, tables, and H and Sigma^(1/2), row by row, where they are matrices."""

    constants: Any
    table: Any
    hessian: Any
    root: Any


class Terms(NamedTuple):
    """Terms of the test functions: see `program.Inputs`."""

    owner: Any
    coefficient: Any
    exponents: Any


class Given(NamedTuple):
    """What a program's Inputs are to the kernels: places and scopes are records, starts a number a row of the state."""

    places: Any
    scopes: Any
    numbers: Numbers
    starts: Any
    records: Any
    terms: Terms
    combinations: Any


class Source(NamedTuple):
    """Where normals come from, two Tags: of words, and of what makes two normals of two words."""

    words: Any
    transform: Any


class Sizes(NamedTuple):
    """Coordinates, fine steps a macro step, most Gaussians of a noise law, and most Brownian motions of a process.

    draws : Gaussians of W a fine step: d, or one a sample where an SDE is of data
    """

    d: int
    draws: int
    substeps: int
    gaussians: int
    channels: int


class Noise(NamedTuple):
    """Rows of noise.

    xi, chi : normals of fine steps, for W and for B (xi again where no process has a second Brownian motion)
    extra : of macro steps, a noise law's second Gaussian
    xi_sums, chi_sums : normalised sums of a stride
    zeta, mixed : the noise law's draws, and Sigma^(1/2) times these
    words : of a Philox block
    """

    xi: Any
    chi: Any
    extra: Any
    xi_sums: Any
    chi_sums: Any
    zeta: Any
    mixed: Any
    words: Any


class Now(NamedTuple):
    """A step that a process takes: its number, counted from 0; where its rows of noise begin; whose numbers are drawn.

    xi, chi, extra : the first number of its rows of W, of B and of a law's second Gaussian
    key, trajectory : of the random numbers, and of the first lane
    """

    step: Any
    xi: Any
    chi: Any
    extra: Any
    key: Any
    trajectory: Any


class Pulls(NamedTuple):
    """Rows for H theta, for H grad f, for grad f and for the diagonal of Sigma, of the process at work.

    Where the loss is joint or of data, pull is grad f itself. A row that no process reads is another one's.
    coupled : (1,) where a process has functions of all of theta that write rows, else (): a type of its own
    """

    pull: Any
    bend: Any
    slopes: Any
    spread: Any
    coupled: Any


class Errors(NamedTuple):
    """Of processes that carry errors along: records, their arrays as one, and rows to work in."""

    places: Any
    values: Any
    a: Any
    b: Any
    excess: Any
    moved: Any
    coefficients: Any


class Data(NamedTuple):
    """Data, and rows to work at them.

    places : records, one a process
    features : (n, width), padded with zeros; columns, squares : (d, n), of features and of their squares; targets
    weights : of minibatches, over their samples
    n, width : samples, and numbers of a row of features
    l2, one, inverse, inverse_root : l2, 1, 1 / n, 1 / sqrt(n), of the state's type
    surveyed, spread : whether features of states read grad f, and whether the diagonal of Sigma
    theta, gradient : of every lane, one after the other, `width` numbers each
    orders : of processes whose samples are drawn without replacement
    samples, spans, trajectories : of each process what is drawn: its rows of numbers of samples, their span, and
        the first lane's trajectory
    margins, labels, slopes, products : of pairs of a lane and a sample
    sums, noise, squares_sums, total : over all samples, of r x, of r x dW, of (r x)^2 and of dW
    """

    places: Any
    features: Any
    columns: Any
    squares: Any
    targets: Any
    weights: Any
    n: Any
    width: Any
    l2: Any
    one: Any
    inverse: Any
    inverse_root: Any
    surveyed: Any
    spread: Any
    theta: Any
    gradient: Any
    orders: Any
    samples: Any
    spans: Any
    trajectories: Any
    margins: Any
    labels: Any
    slopes: Any
    products: Any
    sums: Any
    noise: Any
    squares_sums: Any
    total: Any


class Work(NamedTuple):
    """One thread's buffers; value and term are rows for a test function.

    errors, data : () where none are carried, and where there are none
    """

    noise: Noise
    state: Any
    pulls: Pulls
    value: Any
    term: Any
    errors: Any
    data: Any


def records(kind, of, integer=np.int64):
    """Return named tuples of integers as an array of records with the same names."""
    return np.array(of, dtype=[(name, integer) for name in kind._fields])


def aligned(length, kind):
    """Return an array of zeros that begins at a cache line: vectors across two lines take twice as long."""
    size = length * np.dtype(kind).itemsize
    room = np.zeros(size + _LINE, np.uint8)
    begin = -room.ctypes.data % _LINE
    return room[begin : begin + size].view(kind)
