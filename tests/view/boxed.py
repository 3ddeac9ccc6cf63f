"""What tests of pictures of graphs ask of boxes, edges and text, in display coordinates."""

from itertools import combinations, pairwise

import numpy as np


def artists(ax, kind):
    """Patches by what follows the kind in their gid."""
    ax.get_figure().draw_without_rendering()
    return {p.get_gid().removeprefix(kind): p for p in ax.patches if (p.get_gid() or "").startswith(kind)}


def polyline(patch, ax, step=1.0):
    """Points along a patch, at most a step apart."""
    points = []
    for polygon in ax.transData.transform_path(patch.get_path()).to_polygons(closed_only=False):
        for a, b in pairwise(polygon):
            n = max(2, int(np.hypot(*(b - a)) / step))
            points += list(a + (b - a) * np.linspace(0, 1, n)[:, None])
    return np.array(points)


def assert_apart(boxes):
    """No two boxes overlap."""
    for (a, one), (b, other) in combinations(boxes.items(), 2):
        assert not one.overlaps(other), (a, b)


def assert_avoids(name, patch, ax, boxes, own):
    """An edge runs through no box but its own."""
    points = polyline(patch, ax)
    for box_name, box in boxes.items():
        if box_name not in own:
            across = (points[:, 0] > box.x0) & (points[:, 0] < box.x1)
            inside = across & (points[:, 1] > box.y0) & (points[:, 1] < box.y1)
            assert not inside.any(), f"edge {name} runs through {box_name}"


def assert_inside_one(text, boxes):
    """A text lies whole in one box."""
    where = text.get_window_extent()
    holds = [b for b in boxes.values() if b.x0 < where.x0 < where.x1 < b.x1 and b.y0 < where.y0 < where.y1 < b.y1]
    assert len(holds) == 1, f"{text.get_text()!r} is not inside one box"


def assert_framed(ax, extents):
    """All lie inside the axes."""
    frame = ax.get_window_extent().padded(1)
    assert all(frame.x0 <= b.x0 and b.x1 <= frame.x1 and frame.y0 <= b.y0 and b.y1 <= frame.y1 for b in extents)
