"""Known answers of Philox4x32-10."""

import numpy as np

KNOWN = [  # Random123, examples/kat_vectors: philox4x32 10, counter, key, answer
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def words(texts):
    """Return the words of hexadecimal texts."""
    return [np.uint64(int(word, 16)) for text in texts for word in text.split()]
