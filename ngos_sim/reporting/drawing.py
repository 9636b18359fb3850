"""A figure as an element <svg> of a page that has many: small, and its letters are text.

`studies.reported` calls it; `templates/style.css` names the font that letters have in a page.
"""

import re
from functools import partial

import numpy as np

from ngos_sim.reporting import figures

_FONT = re.compile(r"font-family: 'DejaVu Sans'[^;\"]*;? ?")  # matplotlib's own, which style.css names once
_NUMBER = re.compile(r"-?\d+\.\d+")
_LINE = re.compile(r' d="M ?([-\d. L]+)"')
_PATH = re.compile(r' d="([^"]*)"')
_LETTERS = re.compile(r'<tspan x="([^"]*)"([^>]*)>[^<]*</tspan>(?:<tspan x="[^"]*"\2>[^<]*</tspan>)+')
_MARKS = re.compile(r'<use ([^>]*) style="([^"]*)"/>(?:<use [^>]* style="\2"/>)+')
_LINES = re.compile(r'<path d="([^"]*)"( [^>]*fill: none[^>]*)/>(?:<path d="[^"]*"\2/>)+')
_DASH = re.compile(r'<path id="([^"]*)" d="M(\S+) ([^"L]+)L(\S+) ([^"LCz]+)" style="([^"]*)"/>')
_GRID = re.compile(r'(<path d="[^"]*") clip-path="[^"]*"( style="[^"]*stroke-width:0\.3);stroke-linecap:square')
_STRAIGHT = 0.06  # points: a line's vertex that lies so near the chord of its neighbours is not seen


def element(draw):
    """Return the element <svg> of what a function draws on Axes."""
    content = figures.svg(draw, letters="none").decode("utf-8")
    content = re.sub(r"<style.*?</style>", "", content, flags=re.DOTALL)  # it would hold for the page
    opened: list[str] = []
    # what stands between tags is not touched
    content = re.sub(r"<[^>]*>", lambda tag: _without_groups(_short(tag[0]), opened), content)
    for name, style in re.findall(r'<path id="([^"]+)"[^>]* style="([^"]+)"', content):  # which its uses have anyway
        content = re.sub(rf'(<use href="#{name}"[^>]*) style="{re.escape(style)}"', r"\1", content)
    content = _joined(re.sub(r">\s+<(?!/tspan)", "><", content))
    content = re.sub(r'style="[^"]*"', lambda style: re.sub("([:;]) ", r"\1", style[0]), content)
    return _GRID.sub(r"\1\2", content)


def _joined(content):
    """Return an SVG in which neighbours that differ in their places alone are one: letters, marks, lines."""
    content = _LETTERS.sub(_word, content)
    for name, *line, style in _DASH.findall(content):
        content = re.sub(rf'<use href="#{name}" x="([^"]*)" y="([^"]*)"[^>]*/>', partial(_dash, line, style), content)
    content = _MARKS.sub(lambda found: f'<g style="{found[2]}">{found[0].replace(_style(found[2]), "")}</g>', content)
    return _LINES.sub(lambda found: f'<path d="{"".join(_PATH.findall(found[0]))}"{found[2]}/>', content)


def _word(found):
    places, letters = zip(*re.findall(r'<tspan x="([^"]*)"[^>]*>([^<]*)', found[0]), strict=True)
    return f'<tspan x="{" ".join(places)}"{found[2]}>{"".join(letters)}</tspan>'


def _dash(line, style, found):
    """Return a tick or the end of an interval, a line that is used at a place, as a path at that place."""
    (x, y), (left, top, right, bottom) = map(float, found.groups()), map(float, line)
    start, along = (x + left, y + top), (right - left, bottom - top)
    return f'<path d="M{" ".join(map(_rounded, start))}l{" ".join(map(_rounded, along))}" style="fill: none; {style}"/>'


def _style(words):
    return f' style="{words}"'


def _short(tag):
    """Return a tag with coordinates to a tenth of a point, and without what changes nothing."""
    tag = _FONT.sub("", " ".join(tag.split())).replace("xlink:href", "href").replace('; "', '"')
    if "scale" not in tag:
        tag = _LINE.sub(lambda found: f' d="M{"L".join(_thinned(found[1]))}"', tag)
        tag = _NUMBER.sub(lambda found: _rounded(float(found[0])), tag)
    tag = re.sub(r' transform="rotate\(-?0[^"]*"| xmlns:xlink="[^"]*"| style=""', "", tag)
    return re.sub(r" (?=[LMCQzZ])|(?<=[LMCQ]) ", "", tag) if " d=" in tag else tag


def _thinned(path):
    """Yield the vertices of a line, "x y L x y ..", without those between neighbours that lie on one chord."""
    texts = [each.strip() for each in path.split("L")]
    points = np.array([each.split() for each in texts], dtype=np.float64)
    kept = 0
    yield texts[0]
    for end in range(2, len(points)):
        chord = points[end] - points[kept]
        between = points[kept + 1 : end] - points[kept]
        length = max(float(np.hypot(*chord)), 1e-9)
        if (np.abs(between @ [chord[1], -chord[0]]) > _STRAIGHT * length).any() or (between @ chord < 0.0).any():
            kept = end - 1
            yield texts[kept]
    if len(texts) > 1:
        yield texts[-1]


def _without_groups(tag, opened):
    """Return a tag, "" of a group that says nothing; opened : the tags <g> that are open."""
    if tag == "</g>":
        return tag if opened.pop() != "<g>" else ""
    if tag.startswith("<g"):
        opened.append(tag)
    return "" if tag == "<g>" else tag


def _rounded(number):
    return f"{number:.{1 if abs(number) > 10.0 else 2}f}".rstrip("0").rstrip(".")
