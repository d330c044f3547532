"""The columns of the published tables that the detector reads, as dbt builds them."""

CORE_TABLES = """
create schema core;
create table core.dim_borough (borough_key bigint, borough_code text, is_pseudo_borough boolean);
create table core.dim_offence (offence_key bigint, major_name text, minor_name text);
create table core.fct_recorded_crime_monthly (
    geography_level text, borough_key bigint, offence_key bigint, month date, offence_count integer
);
"""
