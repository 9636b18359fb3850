"""Draw the gallery again: run every example and keep its figure in examples/gallery/, below 60 kB.

    python examples/gallery.py [name ...]

All of them take a few minutes on two cores; names, such as theorem_6_3, take those alone. The README's picture,
examples/theorem_6_3.png, is a copy.
"""

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
WITHOUT = {"gallery", "cluster", "own_estimator"}  # these have no figure
NAMES = sorted(file.stem for file in HERE.glob("*.py") if file.stem not in WITHOUT)
MOST = 60_000  # bytes
WIDTH = 760  # pixels


def drawn(name):
    """Return the figure that an example leaves behind."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, HERE / f"{name}.py"], cwd=folder, check=True)
        return Image.open(Path(folder) / f"{name}.png").convert("RGB")


def small(image):
    """Return an image as bytes of PNG: scaled to the gallery's width, of as many colours as fit."""
    image.thumbnail((WIDTH, 2 * WIDTH))
    for colours in (128, 64, 32, 16):
        content = io.BytesIO()
        image.quantize(colours).save(content, "png", optimize=True)
        if content.tell() < MOST:
            break
    return content.getvalue()


if __name__ == "__main__":
    (HERE / "gallery").mkdir(exist_ok=True)
    for name in sys.argv[1:] or NAMES:
        print(f"== {name}", flush=True)
        (HERE / "gallery" / f"{name}.png").write_bytes(small(drawn(name)))
    shutil.copy(HERE / "gallery" / "theorem_6_3.png", HERE / "theorem_6_3.png")
