"""Where a label stands beside its marker when many crowd: over no other label or marker, and nearest to its own."""

from collections.abc import Sequence

import numpy as np

RADII = (6.5, 9.0, 12.0, 16.0, 21.0, 27.0, 34.0)  # points from a marker's centre to its label's
DIRECTIONS = np.deg2rad(np.arange(0, 360, 22.5))
PASSES = 6  # over all labels: each stands as well as it can beside where the others stand
OVER, ASTRAY, OUT = 100.0, 20.0, 1000.0  # cost of overlapping, of a nearer marker than its own, of leaving the box


def places(
    markers: Sequence[Sequence[float]],
    sizes: Sequence[Sequence[float]],
    box: tuple[float, float, float, float],
    radius: float,
) -> np.ndarray:
    """Centres of labels (n x 2) beside `markers` (n x 2), all in points.

    `sizes`: width and height of each label; `radius`: of a marker; `box`: left, bottom, right and top of where labels
    may stand. Greedy from the most crowded marker on, then a few passes; equal input gives equal places.
    """
    at, half = np.asarray(markers, float), np.asarray(sizes, float) / 2
    around = np.array([(r * np.cos(a), r * np.sin(a)) for r in RADII for a in DIRECTIONS])
    found = np.full_like(at, np.nan)
    apart = np.linalg.norm(at[:, None] - at[None], axis=2)
    order = np.argsort(-(apart < RADII[-1]).sum(axis=1), kind="stable")
    for _ in range(PASSES):
        before = found.copy()
        for i in order:
            found[i] = np.nan  # its own place is free
            candidates = at[i] + around
            costs = np.repeat(RADII, len(DIRECTIONS)) + _faults(candidates, i, at, half, found, box, radius)
            found[i] = candidates[np.argmin(costs)]
        if np.array_equal(before, found):
            break
    return found


def _faults(candidates, i: int, at, half, found, box, radius: float) -> np.ndarray:
    """What is wrong with each of these centres of label i; 0 where nothing is."""
    others, placed = np.arange(len(at)) != i, ~np.isnan(found[:, 0])
    over_labels = _overlaps(candidates, half[i], found[placed], half[placed])
    over_markers = _overlaps(candidates, half[i], at, np.full_like(at, radius))
    to_markers = np.linalg.norm(candidates[:, None] - at[None], axis=2)
    astray = (to_markers[:, others] < to_markers[:, [i]]).sum(axis=1)
    low, high = candidates - half[i], candidates + half[i]
    out = (low[:, 0] < box[0]) | (low[:, 1] < box[1]) | (high[:, 0] > box[2]) | (high[:, 1] > box[3])
    return OVER * (over_labels + over_markers) + ASTRAY * astray + OUT * out


def _overlaps(centres, half, others, halves) -> np.ndarray:
    """How many of the other boxes each box overlaps."""
    distance = np.abs(centres[:, None] - others[None])
    return (distance < half + halves[None]).all(axis=2).sum(axis=1)
