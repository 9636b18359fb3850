"""A figure as an element <svg> of a page that has many: a fifth of what matplotlib writes, its letters as text.

`reporting.html` calls it; `templates/style.css` names the font that letters have here.
"""

import hashlib
import re

from ngos_sim.reporting import figures

_FONT = re.compile(r"font-family: 'DejaVu Sans'[^;\"]*;? ?")  # matplotlib's own, which style.css names once
_NUMBER = re.compile(r"-?\d+\.\d+")
_ID, _REFERENCE = re.compile(r' id="([^"]*)"'), re.compile(r'(?:xlink:)?href="#([^"]*)"|url\(#([^)]*)\)')


def element(draw):
    """Return the element <svg> of what a function draws on Axes; its ids are its own."""
    content = figures.svg(draw, letters="none").decode("utf-8")
    content = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", "", content, flags=re.DOTALL)
    used = {one or other for one, other in _REFERENCE.findall(content)}
    own = hashlib.sha256(content.encode()).hexdigest()[:6]
    names = {name: f"{own}{at:x}" for at, name in enumerate(sorted(used))}
    content = re.sub(r"<[^>]*>", lambda tag: _short(tag[0], names), content)  # what stands between tags is not touched
    return re.sub(r"<(g|defs)></\1>", "", re.sub(r">\s+<", "><", content))


def _short(tag, names):
    """Return a tag with the ids that are used, short ones, and coordinates to a tenth of a point."""
    tag = _ID.sub(lambda found: f' id="{names[found[1]]}"' if found[1] in names else "", tag)
    tag = _REFERENCE.sub(lambda found: _called(found, names), tag)
    tag = _FONT.sub("", " ".join(tag.split()))
    if "scale" not in tag:
        tag = _NUMBER.sub(lambda found: _rounded(float(found[0])), tag)
    tag = re.sub(r' transform="rotate\(-?0[^"]*"', "", tag)
    return re.sub(r" (?=[LMCQzZ])|(?<=[LMCQ]) ", "", tag) if " d=" in tag else tag


def _rounded(number):
    return f"{number:.{1 if abs(number) > 10.0 else 2}f}".rstrip("0").rstrip(".")


def _called(found, names):
    return f'href="#{names[found[1]]}"' if found[1] else f"url(#{names[found[2]]})"
