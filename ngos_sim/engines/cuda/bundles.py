"""The bundles of a GPU kernel, by name: sizes that it is made with, and what its functions hand to each other.

`engines.cuda.engine` makes the sizes, `engines.cuda.kernel` the rest; `steps`, `joint` and `thread` take them.
"""

from typing import Any, NamedTuple


class Shape(NamedTuple):
    """What a kernel is made of besides functions: sizes, a Scope a feature, a Place a process.

    dense_loss, dense_noise : whether the Hessian and the covariance are matrices
    whole : whether each record is at the end of a step of every process
    of_data : whether its processes are: then none reads Gaussians of W but through `engines.cuda.data`
    """

    precision: str
    d: int
    substeps: int
    gaussians: int
    scopes: tuple["Scope", ...]
    places: tuple["Place", ...]
    dense_loss: bool
    dense_noise: bool
    whole: bool
    of_data: bool

    @property
    def channels(self):
        """The largest number of Brownian motions that drive a process."""
        return max(place.channels for place in self.places)

    @property
    def together(self):
        """How many coordinates a thread advances at once, from one record to the next: all where steps read others'.

        Else four, which share a Philox block, so that the state that moves is in registers however many there are.
        """
        coupled = self.dense_loss or self.dense_noise or any(place.coupled for place in self.places)
        apart = self.whole and not (coupled or self.error_rows)
        return 4 if apart and self.d % 4 == 0 else self.d

    @property
    def groups(self):
        """How many such groups the coordinates are."""
        return self.d // self.together

    @property
    def rows(self):
        """How many rows a process's state has: its slots, coordinate by coordinate, the features, the errors."""
        return self.places[0].slots * self.d + len(self.scopes) + self.error_rows

    @property
    def error_rows(self):
        """How many of them are errors: see `program.Errors`."""
        place = self.places[0]
        linear, blocks = place.roles(self.d)
        return (blocks + 1) * (linear * self.d + 1) if place.nodes else 0

    @property
    def strides(self):
        """The strides above 1, ascending: each has a row of running sums a coordinate."""
        return tuple(sorted({place.stride for place in self.places if place.stride > 1}))


class Place(NamedTuple):
    """Sizes of one process.

    rows, columns : of its table a step; matrix : how many of the columns, the last ones, are a matrix
    loss, variance, noise, parameters : how many numbers each kind has
    state_at, constants_at : where its state and its constants begin
    nodes, orders : of its Errors, 0 where it has none
    centred : the place of the slot that is centred there, or how many slots there are where none is
    bent : whether its step reads H grad f
    channels : how many Brownian motions drive it
    coupled : whether it has a field: rows that all of theta makes
    spread : whether its step reads Sigma_ii, which its field makes
    minibatches : a step's, of data; 0 where all samples are taken, or none
    weights_at : where their weights begin
    """

    slots: int
    stride: int
    rows: int
    columns: int
    matrix: int
    loss: int
    variance: int
    noise: int
    parameters: int
    state_at: int
    constants_at: int
    nodes: int
    orders: int
    centred: int
    bent: bool
    channels: int
    coupled: bool
    spread: bool
    minibatches: int
    weights_at: int

    def roles(self, d):
        """Return how many slots are linear in its Errors, and how many centres there are: one a coordinate or none."""
        return Roles(self.slots - 1, d) if self.centred < self.slots else Roles(self.slots, 0)


class Roles(NamedTuple):
    """Of the slots in Errors of products: linear ones of a coordinate, and centres of all coordinates."""

    linear: int
    blocks: int


class Scope(NamedTuple):
    """A feature's coordinates, the first and the last + 1, and whether the root of the sum over them is taken.

    whole : whether it is a function of all of theta instead; pull, spread : whether it reads these rows of data
    """

    first: int
    end: int
    root: bool
    whole: bool
    pull: bool
    spread: bool


class Functions(NamedTuple):
    """The bound scalar functions of one process: its move and its noise law; the others may be None.

    slope : grad f where H grad f is read
    gradient, mixed, variance : of a JointField; sample : the slope of a DataField
    """

    move: Any
    law: Any
    slope: Any
    gradient: Any
    mixed: Any
    variance: Any
    sample: Any


class Observed(NamedTuple):
    """The bound functions of one feature: of a coordinate or all of theta, and of a sample or None."""

    function: Any
    sample: Any


class Source(NamedTuple):
    """The bound functions of random numbers: the four words of a Philox block, and its four normals."""

    words: Any
    normals: Any


class Numbers(NamedTuple):
    """What all threads read: constants and tables of all processes, where each one's table begins, then its errors.

    group : which `Shape.together` coordinates are advanced
    """

    constants: Any
    table: Any
    begins: Any
    group: Any


class Draws(NamedTuple):
    """A thread's normals: of W and of B, at the head those of this step, their running sums; a second Gaussian's.

    counter : the thread's Counter
    """

    xi: Any
    xi_sums: Any
    chi: Any
    chi_sums: Any
    extra: Any
    counter: Any


class Counter(NamedTuple):
    """A thread's part of the counter of its random numbers, its trajectory's number, and the key: two words each."""

    low: Any
    high: Any
    k0: Any
    k1: Any


class Rows(NamedTuple):
    """What a thread works with beside its state.

    pull, slopes, bend : rows for H theta, grad f and H grad f
    zeta, mixed : rows for the noise law's draws, and for Sigma^(1/2) times these
    hessian, root : H and Sigma^(1/2), where they are matrices
    errors, work : numbers of all Errors, and rows to work in (see `engines.cuda.joint`)
    spread : a row for the diagonal of Sigma where a field makes it
    data : Data
    """

    pull: Any
    slopes: Any
    bend: Any
    zeta: Any
    mixed: Any
    hessian: Any
    root: Any
    errors: Any
    work: Any
    spread: Any
    data: Any


class Data(NamedTuple):
    """Data, and what a thread works with at them.

    features, targets, factors, counts : as `engines.cuda.data.arguments` returns them
    sums, noise, squares : rows for sums over samples; parts : of a margin; normals : of a tile of samples
    """

    features: Any
    targets: Any
    factors: Any
    counts: Any
    sums: Any
    noise: Any
    squares: Any
    parts: Any
    normals: Any
