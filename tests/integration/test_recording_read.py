"""The detector's series from the warehouse: what the fact holds, by label as published, and holes as holes."""

from __future__ import annotations

from datetime import date

import numpy as np
from recording_helpers import CORE_TABLES
from saferkc.recording.read import recorded_crime
from saferkc.settings import Settings
from saferkc.warehouse.connection import connect

_ROWS = """
insert into core.dim_borough values (1, 'E09000020', false), (2, 'E09000013', false), (3, 'heathrow', true);
insert into core.dim_offence values
    (1, 'Burglary', 'Burglary in a Dwelling'), (2, 'Burglary', 'Burglary - Residential'), (3, 'Drugs', 'Other Drugs');
insert into core.fct_recorded_crime_monthly values
    ('borough', 1, 1, '2016-11-01', 50), ('borough', 1, 2, '2017-01-01', 53), ('borough', 1, 3, '2017-01-01', 0),
    ('borough', 2, 1, '2016-11-01', 40), ('borough', 2, 2, '2017-01-01', 41),
    ('borough', 3, 1, '2016-11-01', 7), ('ward', 1, 1, '2016-11-01', 9);
"""


def test_series_of_boroughs_are_read_by_label_and_a_month_without_rows_is_not_known(settings: Settings) -> None:
    with connect(settings) as connection:
        connection.execute((CORE_TABLES + _ROWS).encode())
        burglary, drugs = recorded_crime(connection)
    assert burglary.areas == ("E09000013", "E09000020"), "pseudo-boroughs are no peers"
    assert burglary.months == (date(2016, 11, 1), date(2016, 12, 1), date(2017, 1, 1))
    assert burglary.children == ("Burglary - Residential", "Burglary in a Dwelling")
    assert (burglary.series, drugs.series) == ("burglary", "drug_offences")
    home = burglary.counts[1]
    np.testing.assert_array_equal(home[:, [0, 2]], [[0, 53], [50, 0]])
    assert np.isnan(burglary.counts[:, :, 1]).all(), "no file covers December"
    assert drugs.counts[1, 0, 2] == 0


def test_a_warehouse_without_recorded_crime_has_no_series(settings: Settings) -> None:
    with connect(settings) as connection:
        connection.execute(CORE_TABLES.encode())
        assert recorded_crime(connection) == ()
