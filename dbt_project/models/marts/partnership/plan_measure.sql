{#- Each line: the figure, and the column of the yearly mart that holds its measure. -#}
with measures as (
    {{ figures_of('total_offences_financial_year', {
        'crime_total': 'offence_count',
        'crime_change_10y': 'change_share_over_ten_years_as_recorded',
        'crime_up_three_years': 'years_risen_in_a_row',
    }) }}
    union all
    select
        'crime_direction_' || offence_type as figure_id,
        financial_year,
        direction_as_recorded as measured_value,
        is_simulated
    from {{ ref('offences_by_type_financial_year') }}
    where {{ is_home_borough() }}
    union all
    {{ figures_of('funding', {
        'mopac_grant_2013_17': 'allocation_gbp',
        'mopac_grant_2018_19': 'allocation_gbp',
        'mopac_grant_smoothed': 'even_share_gbp',
        'mopac_reduction_total': 'allocation_reduction_share',
        'mopac_reduction_smoothed': 'even_share_reduction_share',
    }, where="fund_name = 'MOPAC London Crime Prevention Fund'", is_simulated='false') }}
    union all
    {{ figures_of('population_and_deprivation', {
        'population': 'population',
        'lsoa_count': 'lsoa_count',
        'lsoa_most_deprived': 'most_deprived_tenth_lsoa_count',
    }) }}
)

select
    measures.figure_id,
    measures.financial_year,
    -- shares and changes are parts of 1 in the marts and printed as per cent
    case
        when figures.unit in ('percent', 'percent_change') then 100 * measures.measured_value
        else measures.measured_value
    end as computed_value,
    measures.is_simulated,
    {{ build_id() }} as build_id
from measures
inner join {{ ref('plan_figures') }} as figures on measures.figure_id = figures.figure_id
