"""Charts of monthly series that show where counting changed: never a line across a break.

``read`` gets a ``ChartedSeries`` from the published marts by the names that ``catalogue`` knows; ``picture`` draws it
as SVG or PNG and ``terminal`` as text. ``style`` holds every colour and size. ``picture`` imports matplotlib, so import
it where a picture is drawn and not before.
"""
