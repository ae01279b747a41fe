"""The plots of docs/scale.md, as SVG files that are the same for the same figures."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from bench.simulate.costs import measured_costs
from bench.simulate.grid import NIGHTS, grid
from bench.simulate.limits import Limits
from bench.simulate.night import BAD
from bench.simulate.page import most_a_second

IMAGES = Path(__file__).parents[2] / "docs" / "images"
COLOURS = ("#0b5fa5", "#c4570a", "#2f7d32", "#7a3e9d", "#555555", "#a8182d")
MARKS = ("o", "s", "^", "D")
STYLE = {"svg.hashsalt": "scale", "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10, "axes.spines.top": False,
         "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True, "grid.color": "#dddddd", "figure.facecolor": "white"}  # fmt: skip


def draw() -> None:
    """All of them."""
    with mpl.rc_context(STYLE):
        for name, make in (("scale-bounds", bounds), ("scale-late", late), ("scale-items", items)):
            figure = Figure(figsize=(8, 4), layout="constrained")
            make(figure.subplots())
            figure.savefig(IMAGES / f"{name}.svg", metadata={"Date": None})


def plain(axis: Axis) -> None:
    """1,000 instead of a power of ten."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


def bounds(axes: Axes) -> None:
    """How many alerts a second each bound lets pass."""
    rows = sorted(most_a_second(measured_costs(), Limits(), 40), key=lambda row: -row[1])
    names = [row[0] for row in rows]
    places = range(len(rows))
    axes.barh([place + 0.2 for place in places], [row[1] for row in rows], 0.38, color=COLOURS[0], label="told alone")
    axes.barh([place - 0.2 for place in places], [row[2] for row in rows], 0.38, color=COLOURS[1], label="members of a storm")
    for place, row in enumerate(rows):
        axes.text(row[1] * 1.1, place + 0.2, f"{row[1]:.1f}", va="center", fontsize=8)
        axes.text((row[2] or 1.05) * 1.1, place - 0.2, f"{row[2]:.0f}" if row[2] else "no part of it", va="center", fontsize=8)
    axes.set(
        yticks=list(places),
        yticklabels=names,
        xscale="log",
        xlabel="alerts a second that the bound lets pass (log)",
        xlim=(1, 6000),
    )
    plain(axes.xaxis)
    axes.legend(loc="upper right")


def late(axes: Axes) -> None:
    """The bad night of a million items: how many VMs are told after how long, by instances."""
    points = [point for point in grid() if (point.night, point.items, point.subscriptions) == (BAD.name, 1_000_000, 20)]
    for point, colour in zip(points, COLOURS, strict=False):
        shares = [100 * part / (len(point.late) - 1) for part in range(len(point.late))]
        axes.plot([max(0.1, seconds) for seconds in point.late], shares, color=colour,
                  label=f"at most {point.instances} instance{'s' * (point.instances > 1)}")  # fmt: skip
    axes.set(xscale="log", xlabel="seconds from the alert to its ticket (log; 0.1 and less at 0.1)", ylim=(0, 101),
             ylabel=f"% of {points[0].failures:,} failures told")  # fmt: skip
    plain(axes.xaxis)
    axes.legend(loc="center left", bbox_to_anchor=(0.03, 0.5))


def items(axes: Axes) -> None:
    """The longest time to a ticket by the size of the estate, on each night; 20 subscriptions, 40 instances."""
    for night, colour, mark in zip(NIGHTS, COLOURS, MARKS, strict=False):
        points = [point for point in grid() if (point.night, point.subscriptions, point.instances) == (night.name, 20, 40)]
        axes.plot([point.items for point in points], [point.told for point in points], mark + "-", color=colour,
                  label=f"{night.name}: {night.share:.0%} in {night.minutes:.0f} min")  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="protected items (log)", ylabel="seconds to the last ticket, at most (log)")
    plain(axes.xaxis)
    plain(axes.yaxis)
    axes.legend(loc="upper left")
