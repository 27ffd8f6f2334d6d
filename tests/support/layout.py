"""Where the texts of a drawn figure stand: outside of it, or over one another."""

import itertools
from unittest import mock

from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox

SLACK = 1.0  # pixels at 300 per inch by which boxes may touch: a box is a little larger than its glyphs


def boxes(fig) -> list[tuple[Text, Bbox]]:
    """Every text that is drawn, with its box in pixels; a tick's beyond the limits of its axis is not drawn."""
    drawn: dict[int, Text] = {}
    at_work: list[Text] = []  # a renderer is told the text of a single line alone
    draw = Text.draw

    def drawing(text, renderer):
        at_work.append(text)
        draw(text, renderer)
        at_work.pop()

    def seen(*args, **kwargs):
        if at_work[-1].get_text().strip():
            drawn[id(at_work[-1])] = at_work[-1]

    with mock.patch.object(Text, "draw", drawing), mock.patch.object(RendererAgg, "draw_text", seen):
        FigureCanvasAgg(fig).draw()
    return [(text, text.get_window_extent()) for text in drawn.values()]


def outside(fig, drawn: list[tuple[Text, Bbox]]) -> list[str]:
    """The texts of `boxes` that leave the figure."""
    whole = fig.bbox
    return [
        text.get_text()
        for text, box in drawn
        if box.x0 < -SLACK or box.y0 < -SLACK or box.x1 > whole.x1 + SLACK or box.y1 > whole.y1 + SLACK
    ]


def overlapping(drawn: list[tuple[Text, Bbox]]) -> list[tuple[str, str]]:
    """The pairs of texts of `boxes` that lie over one another; the numbers above two markers may."""
    found = []
    for (a, first), (b, second) in itertools.combinations(drawn, 2):
        if isinstance(a, Annotation) and isinstance(b, Annotation):
            continue
        width = min(first.x1, second.x1) - max(first.x0, second.x0)
        height = min(first.y1, second.y1) - max(first.y0, second.y0)
        if width > SLACK and height > SLACK:
            found.append((a.get_text(), b.get_text()))
    return found
