"""The matrix product over lanes: against NumPy for every shape of tile, and vectorised."""

import platform
import re

import numpy as np
import pytest
from numba import njit

from ngos_sim.engines import rng
from ngos_sim.engines.compiling.bind import bind
from ngos_sim.engines.cpu.product import product

TAG = bind(rng.normals, "f64")


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("stride", [1, 3])
def test_is_numpys(kind, stride):
    generator = np.random.default_rng(1)
    for d in (1, 2, 3, 4, 5, 8, 9, 12, 13, 17, 64):
        matrix, x = generator.standard_normal((d, d)).astype(kind), generator.standard_normal((2 + d * stride, 128))
        x, out = x.astype(kind), np.full((d + 1, 128), 7.0, dtype=kind)
        where = (np.uint64(2 * 128), np.uint64(stride * 128), np.uint64(d))
        product(TAG, out.ravel(), matrix.ravel(), x.ravel(), *where)
        expected = matrix.astype(float) @ x[2::stride].astype(float)
        np.testing.assert_allclose(out[:d], expected, atol=np.finfo(kind).eps * 8 * d, rtol=0)
        assert (out[d] == 7.0).all()


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="reads x86 assembly")
def test_multiplies_whole_vectors():
    fresh = njit(error_model="numpy")(product.py_func)
    values = np.zeros(128)
    fresh(TAG, values, np.zeros(1), values, np.uint64(0), np.uint64(128), np.uint64(1))
    (text,) = fresh.inspect_asm().values()
    assert len(re.findall(r"\bvfm\w+pd\b", text)) >= 26  # of tiles of 8, 4 and 1 rows, 2 vectors each
    assert not re.search(r"\bvfm\w+sd\b", text)
