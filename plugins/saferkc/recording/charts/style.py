"""Every colour, size and sign of the charts, in this one place.

Colours are told apart by people who see no red or no green, and each has a sign besides (dash, hatch, hollow, number),
so a chart can be read in black and white. Text has a contrast of at least 4.5 to its ground, lines at least 3 (WCAG
2.2, AA); a test holds them to it.
"""

from __future__ import annotations

GROUND = "#ffffff"
TEXT = "#1a1a1a"
FAINT_TEXT = "#555555"
RECORDED = "#1a1a1a"
COMPARABLE = "#005a94"
# the range in which a comparable figure lies, and the time to which a note applies
BAND = "#c4dcec"
SPAN = "#f5efdf"
SPAN_HATCH = "#d6c9a2"
GAP = "#6b6b6b"
GRID = "#dddddd"
SIMULATED_GROUND, SIMULATED_TEXT = "#1a1a1a", "#ffffff"

# the number of a mark: its text and its ground
MARKS: dict[str, tuple[str, str]] = {
    "break": ("#ffffff", "#1a1a1a"),
    "bridge": ("#1a1a1a", "#ffffff"),
    "note": ("#1a1a1a", SPAN),
    "suspected": ("#ffffff", "#a33b00"),
    "registered": ("#ffffff", "#005a94"),
    "confirmed": ("#ffffff", "#005a94"),
    "rejected": ("#555555", "#ffffff"),
}
# how a mark is called, in the list under the chart
CALLED: dict[str, str] = {
    "break": "counted differently",
    "bridge": "counted differently, and comparable",
    "note": "note",
    "suspected": "suspected, not yet decided",
    "registered": "known change, seen in the figures",
    "confirmed": "confirmed by the team",
    "rejected": "rejected by the team: no change in counting",
}

FONTS = ["DejaVu Sans", "sans-serif"]
TITLE_SIZE, TEXT_SIZE, SMALL_SIZE = 14.0, 10.0, 8.5
# inches; a mail and a page of A4 in landscape show it whole
WIDTH, PLOT_HEIGHT, LINE_HEIGHT = 10.0, 3.3, 0.19
DOTS_PER_INCH = 150
# how much room a gap takes, in months of the axis, as a share of all months shown
GAP_SHARE = 0.022
