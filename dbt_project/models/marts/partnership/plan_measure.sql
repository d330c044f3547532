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
        null as caveat,
        is_simulated
    from {{ ref('offences_by_type_financial_year') }}
    where {{ is_home_borough() }}
    union all
    select
        'crime_ward_share_' || {{ code_of_name('ward_name') }} as figure_id,
        financial_year,
        share_of_borough_offences as measured_value,
        null as caveat,
        is_simulated
    from {{ ref('ward_profile') }}
    where {{ is_home_borough() }}
    union all
    {{ figures_of('population_and_deprivation', {
        'population': 'population',
        'lsoa_count': 'lsoa_count',
        'lsoa_most_deprived': 'most_deprived_tenth_lsoa_count',
    }) }}
    union all
    {{ figures_of('funding', {
        'mopac_grant_2013_17': 'allocation_gbp',
        'mopac_grant_2018_19': 'allocation_gbp',
        'mopac_grant_smoothed': 'even_share_gbp',
        'mopac_reduction_total': 'allocation_reduction_share',
        'mopac_reduction_smoothed': 'even_share_reduction_share',
    }, where="fund_name = 'MOPAC London Crime Prevention Fund'", is_simulated='false') }}
    union all
    {{ figures_of('vawg_financial_year', {
        'vawg_da_change_5y': 'domestic_abuse_change_over_five_years',
        'vawg_so_change_5y': 'sexual_offences_change_over_five_years',
        'vawg_da_share_violence': 'domestic_abuse_violence_share',
        'vawg_da_share_sexual': 'domestic_abuse_sexual_share',
        'vawg_da_share_property': 'domestic_abuse_property_share',
        'vawg_da_share_criminal_damage': 'domestic_abuse_criminal_damage_share',
        'vawg_da_serious_violence': 'domestic_abuse_violence_with_injury_share',
        'vawg_so_detection': 'sexual_offences_sanction_detection_rate_by_offence_date',
        'vawg_rape_detection': 'rape_sanction_detection_rate_by_offence_date',
        'vawg_da_detection': 'domestic_abuse_sanction_detection_rate_by_offence_date',
        'vawg_da_accused_partner': 'domestic_abuse_accused_partner_share',
        'vawg_da_accused_family': 'domestic_abuse_accused_family_share',
        'vawg_da_repeat_victims': 'domestic_abuse_repeat_victim_share_in_march',
        'police_trafficking': 'trafficking_offence_count',
        'police_trafficking_previous': 'trafficking_offence_count',
        'police_hbv': 'honour_based_offence_count',
        'police_fgm': 'female_genital_mutilation_offence_count',
    }) }}
    union all
    {{ figures_of('vawg_service_financial_year', {
        'angelou_referrals': 'angelou_referrals',
        'angelou_repeat_referrals': 'angelou_repeat_referrals',
        'angelou_repeat_share': 'angelou_repeat_share',
        'angelou_sexual_violence': 'angelou_sexual_violence',
        'angelou_stalking_harassment': 'angelou_stalking_harassment',
        'angelou_harmful_practices': 'angelou_harmful_practices',
        'angelou_child_sexual_exploitation': 'angelou_child_sexual_exploitation',
        'angelou_trafficking_prostitution': 'angelou_trafficking_prostitution',
        'angelou_sexual_exploitation': 'angelou_sexual_exploitation',
        'angelou_male_victims': 'angelou_male_victims',
        'angelou_exploitation_supported': 'angelou_exploitation_supported',
        'rahab_clients': 'rahab_clients',
    }) }}
    union all
    {{ figures_of('burglary_police_financial_year', {
        'burglary_change_5y': 'burglary_change_over_five_years',
        'burglary_change_1y': 'burglary_change_on_year_before',
        'burglary_dwelling_share': 'dwelling_share_old_definition',
        'burglary_dwelling_walk_in': 'dwelling_walk_in_share_old_definition',
        'burglary_other_walk_in': 'other_building_walk_in_share_old_definition',
        'burglary_detection': 'sanction_detection_rate_by_offence_date',
        'burglary_accused_male': 'accused_male_share',
        'burglary_accused_mean_age': 'accused_mean_age',
        'burglary_accused_white_european': 'accused_white_european_share',
        'burglary_accused_african_caribbean': 'accused_african_caribbean_share',
        'burglary_accused_local': 'accused_living_here_or_in_hammersmith_and_fulham_share',
        'burglary_accused_boroughs': 'accused_borough_count',
    }) }}
    union all
    {{ figures_of('serious_youth_violence_financial_year', {
        'syv_stabbing_victims': 'stabbing_victim_count',
        'syv_stabbing_murders': 'stabbing_murdered_victim_count',
        'syv_stabbing_serious': 'stabbing_seriously_injured_victim_count',
        'syv_stabbing_male': 'stabbing_victim_male_share',
        'syv_stabbing_boroughs': 'stabbing_victim_borough_count',
        'syv_stabbing_carnival': 'stabbing_victim_count_at_carnival',
        'syv_knife_threat_victims': 'knife_threat_victim_count',
        'syv_knife_threat_female': 'knife_threat_female_victim_count',
        'syv_knife_injury_detections': 'knife_injury_sanction_detections_by_outcome_date',
        'syv_knife_injury_detection_rate': 'knife_injury_sanction_detection_rate_by_outcome_date',
        'syv_victims_11_25_male': 'victim_11_to_25_male_share',
        'syv_victims_male_african_caribbean': 'victim_11_to_25_male_african_caribbean_share',
        'syv_victims_male_white_european': 'victim_11_to_25_male_white_european_share',
        'syv_victims_male_arabic': 'victim_11_to_25_male_arabic_share',
        'syv_victims_boroughs': 'serious_violence_victim_borough_count',
        'syv_victims_kc': 'serious_violence_victim_living_here_share',
        'syv_victims_hf': 'serious_violence_victim_living_in_hammersmith_and_fulham_share',
        'syv_victims_westminster': 'serious_violence_victim_living_in_westminster_share',
        'syv_accused_boroughs': 'serious_violence_accused_borough_count',
        'syv_accused_kc': 'serious_violence_accused_living_here_share',
        'syv_firearm': 'firearm_offence_count',
        'syv_firearm_shots': 'shots_fired_offence_count',
        'syv_robbery_knife_injury': 'robbery_with_knife_injury_count',
        'syv_robbery_gun': 'gun_robbery_count',
        'syv_robbery_phone': 'mobile_phone_robbery_count',
    }) }}
    union all
    {{ figures_of('asb_financial_year', {
        'asb_reports': 'asb_reports',
        'asb_change_1y': 'asb_change_1y',
        'asb_repeat_callers': 'asb_repeat_callers',
        'asb_repeat_callers_change': 'asb_repeat_callers_change',
    }) }}
    union all
    {{ figures_of('hate_crime_financial_year', {
        'hate_change_1y': 'hate_crime_change_on_year_before',
        'hate_violence_share': 'violence_share',
        'hate_harassment_share': 'harassment_share',
        'hate_serious_injury_share': 'violence_with_injury_share',
        'hate_criminal_damage_share': 'criminal_damage_share',
        'hate_charged': 'different_accused_count',
        'hate_known_share': 'accused_known_to_victim_share',
        'hate_known_neighbours': 'accused_neighbour_count',
        'hate_known_friends': 'accused_acquaintance_or_friend_count',
        'hate_accused_male': 'accused_male_share',
        'hate_accused_mean_age': 'accused_mean_age',
        'hate_accused_kc': 'accused_living_here_share',
        'hate_victims_kc': 'victim_living_here_share',
        'hate_victims_mean_age': 'victim_mean_age',
        'hate_victims_male': 'victim_male_share',
    }) }}
    union all
    {{ figures_of('violence_with_injury_financial_year', {
        'vwi_non_domestic_share': 'non_domestic_share',
        'vwi_august': 'august_offence_count',
        'vwi_august_share_fy': 'august_share_of_financial_year',
        'vwi_august_share_cy': 'august_share_of_calendar_year',
        'vwi_august_change': 'august_change_on_year_before',
        'vwi_top_three_wards': 'northern_wards_share',
        'vwi_brompton_rank': 'brompton_and_hans_town_rank',
        'vwi_st_charles': 'st_charles_hospital_count',
        'vwi_chelsea_westminster': 'chelsea_and_westminster_hospital_count',
        'vwi_public_place': 'public_place_share',
        'vwi_private_residence': 'private_residence_share',
        'vwi_licensed': 'licensed_premises_share',
        'vwi_retail': 'retail_share',
        'vwi_public_transport': 'public_transport_share',
        'vwi_victims_25_and_under': 'victim_25_and_under_share',
        'vwi_victims_kc': 'victim_living_here_share',
        'vwi_victims_kc_neighbours': 'victim_living_here_or_next_door_share',
        'vwi_hate': 'hate_crime_count',
        'vwi_hate_share': 'hate_crime_share',
    }) }}
    union all
    {{ figures_of('theft_from_motor_vehicle_financial_year', {
        'tfmv_offences': 'offence_count',
        'tfmv_change_1y': 'change_on_year_before',
        'tfmv_detection': 'sanction_detection_rate_by_offence_date',
        'tfmv_accused': 'accused_count',
        'tfmv_accused_male': 'accused_male_share',
        'tfmv_accused_mean_age': 'accused_mean_age',
        'tfmv_accused_kc': 'accused_living_here_count',
        'tfmv_accused_kc_share': 'accused_living_here_share',
        'tfmv_accused_neighbours': 'accused_living_next_door_count',
        'tfmv_accused_neighbours_share': 'accused_living_next_door_share',
        'tfmv_five_southern_wards': 'southern_wards_share',
        'tfmv_brompton': 'brompton_and_hans_town_count',
        'tfmv_brompton_share': 'brompton_and_hans_town_share',
        'tfmv_vehicle_saloon': 'saloon_share',
        'tfmv_vehicle_estate': 'estate_share',
        'tfmv_vehicle_hatchback': 'hatchback_share',
        'tfmv_vehicle_van_lorry': 'van_or_lorry_share',
        'tfmv_vehicle_motorbike_scooter': 'motorcycle_or_scooter_share',
        'tfmv_location_street': 'street_share',
        'tfmv_location_car_park': 'car_park_share',
        'tfmv_location_driveway': 'driveway_share',
    }) }}
    union all
    {{ figures_of('london_comparator_financial_year', {
        'tfmv_rate_rank': 'rank_by_rate_comparable',
    }, where="offence_class = 'theft_from_motor_vehicle'", caveat='caveat') }}
    union all
    {{ figures_of('london_comparator_financial_year', {
        'vwi_non_domestic_share_london': 'london_non_domestic_share_comparable',
    }, where="offence_class = 'violence_with_injury'", caveat='caveat') }}
)

select
    measures.figure_id,
    measures.financial_year,
    -- shares and changes are parts of 1 in the marts and printed as per cent
    case
        when figures.unit in ('percent', 'percent_change') then 100 * measures.measured_value
        else measures.measured_value
    end as computed_value,
    measures.caveat,
    measures.is_simulated,
    {{ build_id() }} as build_id
from measures
inner join {{ ref('plan_figures') }} as figures on measures.figure_id = figures.figure_id
