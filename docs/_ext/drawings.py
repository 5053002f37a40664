"""Puts what Graphviz draws into the page itself, where the style sheet gives it the page's colours.

Furo can be light or dark at a click, which a picture in a file of its own does not hear of. Nodes
name what they are by ``class``: ``theirs``, ``plugin``, ``good``, ``bad``, ``doubt``.
"""

import html
import re
from typing import Any

from docutils import nodes
from sphinx.ext.graphviz import GraphvizError, graphviz, render_dot
from sphinx.util import logging

logger = logging.getLogger(__name__)

COLOURS = {
    "light": {
        "drawing-theirs": "#fdf3d8",
        "drawing-theirs-line": "#9a7b1f",
        "drawing-good": "#e1f3e5",
        "drawing-good-line": "#3f7a4b",
        "drawing-bad": "#fbe4e2",
        "drawing-bad-line": "#b3261e",
        "drawing-doubt": "#efe6fa",
        "drawing-doubt-line": "#6b3fa0",
    },
    "dark": {
        "drawing-theirs": "#3a3116",
        "drawing-theirs-line": "#d3b75e",
        "drawing-good": "#173322",
        "drawing-good-line": "#74d69a",
        "drawing-bad": "#401e1c",
        "drawing-bad-line": "#ff9c94",
        "drawing-doubt": "#2f2345",
        "drawing-doubt-line": "#cdb0ff",
    },
}

SHRINKS_TO = 0.75


def visit(translator: Any, node: graphviz) -> None:
    if "alt" not in node:
        logger.warning("A drawing needs words, as :alt:, for who cannot see it.", location=node)
        raise nodes.SkipNode
    try:
        _, file = render_dot(
            translator, node["code"], node["options"], "svg", filename=node.get("filename")
        )
    except GraphvizError as error:
        logger.warning("%s", error, location=node)
        raise nodes.SkipNode from error
    if file is not None:
        translator.body.append(drawing(file.read_text("utf-8"), node["alt"]))
    raise nodes.SkipNode


def drawing(svg: str, told: str) -> str:
    """Return the drawing as a part of the page, with words for those who cannot see it."""
    picture = svg[svg.index("<svg") :]
    # On a narrow screen it shrinks, but not so far that nobody can read it; then it scrolls.
    [width, *_] = re.findall(r'width="([0-9.]+)pt', picture)
    least = f"{float(width) * SHRINKS_TO:.0f}px"
    # Points are what Graphviz counts in; ids and titles are its own, and shown when hovering.
    picture = re.sub(r'(width|height)="([\d.]+)pt"', r'\1="\2"', picture, count=2)
    picture = re.sub(r"<title>.*?</title>\s*", "", picture, flags=re.S)
    picture = re.sub(r' id="[^"]*"', "", picture)
    picture = re.sub(r' (fill|stroke|font-family)="(?!none|transparent)[^"]*"', "", picture)
    label = html.escape(told, quote=True)
    named = f'<svg role="img" aria-label="{label}" style="min-width: {least}"'
    picture = picture.replace("<svg", named, 1)
    return f'<div class="drawing" tabindex="0">{picture}</div>\n'


def setup(app: Any) -> dict[str, bool]:
    app.setup_extension("sphinx.ext.graphviz")
    app.add_node(graphviz, override=True, html=(visit, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
