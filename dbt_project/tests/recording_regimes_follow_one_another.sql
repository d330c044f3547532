{{
    config(
        meta={
            'meaning': 'Two rules of one series hold on the same day, or none does: a month would be counted twice or be lost.',
            'next_step': 'Mend valid_from and valid_to in seeds/recording_regimes.csv, then run the nightly again.',
        },
    )
}}

with regimes as (
    select
        regime_code,
        series,
        valid_from,
        lag(regime_code) over one_series as code_before,
        lag(valid_to) over one_series as valid_to_before,
        lead(regime_code) over one_series as code_after,
        valid_to
    from {{ ref('dim_recording_regime') }}
    where regime_key <> {{ unknown_key() }}
    window one_series as (partition by series order by valid_from)
)

select
    regime_code,
    code_before
from regimes
where
    (code_before is null and valid_from <> '1900-01-01')
    or (code_before is not null and valid_to_before + 1 is distinct from valid_from)
    or (code_after is null) <> (valid_to is null)
