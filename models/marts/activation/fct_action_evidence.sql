{#- Of the normal: half the width of an 80 % and of a 95 % interval, in standard errors. -#}
{%- set errors_of_80 = '1.2815515655446004' -%}
{%- set errors_of_95 = '1.959963984540054' -%}

with

catalogue as (

    select * from {{ ref('action_catalogue') }}

),

experiments as (

    select * from {{ ref('stg_experiments') }}
    where not is_deleted

),

experiment_results as (

    select * from {{ ref('fct_experiment_results') }}

),

effects as (

    select * from {{ ref('fct_effects') }}
    -- The first event of a customer: what an action brings about.
    where ordinal = 1

),

-- What is not charged for delivery where it is free; members do not pay for it anyway.
delivery_charges as (

    select avg(cast(shipping_amount as double)) as mean_charge
    from {{ ref('fct_orders') }}
    where
        is_valid_order
        and not is_member_order
        and ordered_date > {{ add_days(as_of_date(), -365) }}

),

-- Everybody drawn, and what the days before the draw foretold taken off where that was told.
experiment_lifts as (

    select
        treated.experiment_id,
        treated.arm as experiment_arm,
        treated.conclusion,
        treated.mature_units as units,
        experiments.min_window_days as window_days,
        control.mean_value as control_mean,
        case when treated.cuped_lift_low is null then treated.lift else treated.cuped_lift end as lift,
        case
            when treated.cuped_lift_low is null then treated.lift_high - treated.lift_low
            else treated.cuped_lift_high - treated.cuped_lift_low
        end / (2 * {{ errors_of_95 }}) as lift_error,
        -- The variance of a count grows with its mean, so the arms' means and sizes share out the error between them.
        {{ ratio(
            '(control.mean_value / nullif(control.mature_units, 0))',
            '(control.mean_value / nullif(control.mature_units, 0) + treated.mean_value / nullif(treated.mature_units, 0))'
        ) }} as control_share_of_error,
        coalesce(margin.conclusion = 'worse', false) as is_margin_worse
    from experiment_results as treated
    inner join experiments on treated.experiment_id = experiments.experiment_id
    inner join experiment_results as control
        on treated.experiment_id = control.experiment_id
        and treated.control_arm = control.arm
        and control.metric = 'orders'
    left join experiment_results as margin
        on treated.experiment_id = margin.experiment_id
        and treated.arm = margin.arm
        and margin.metric = 'contribution_margin'
    where
        treated.metric = 'orders'
        and not treated.is_control

),

experiment_uplifts as (

    select
        *,
        lift / nullif(control_mean, 0) as measured_uplift,
        lift_error / nullif(control_mean, 0) * sqrt(
            1 - control_share_of_error + power(1 + lift / nullif(control_mean, 0), 2) * control_share_of_error
        ) as uplift_error,
        conclusion in ('better', 'worse', 'no_difference') as is_told
    from experiment_lifts

),

-- Among those who had the event: what they did, less what it changed, is what they would have done.
effect_lifts as (

    select
        orders.event_family,
        orders.event_name,
        orders.is_identified as is_told,
        orders.verdict,
        orders.treated_customers as units,
        orders.horizon_days as window_days,
        orders.adjusted_difference / nullif(orders.treated_mean - orders.adjusted_difference, 0) as measured_uplift,
        (orders.adjusted_high_80 - orders.adjusted_low_80) / (2 * {{ errors_of_80 }})
            / nullif(orders.treated_mean - orders.adjusted_difference, 0) as difference_error,
        orders.treated_mean > orders.adjusted_difference as has_base,
        coalesce(margins.adjusted_high_95 < 0, false) as is_margin_worse
    from effects as orders
    left join effects as margins
        on orders.event_family = margins.event_family
        and orders.event_name = margins.event_name
        and margins.outcome_name = 'margin'
    where orders.outcome_name = 'orders'

),

effect_uplifts as (

    select
        *,
        -- The mean without the event is itself estimated: at most this much wider, whichever of the two means is the noisy one.
        difference_error * greatest(1, 1 + measured_uplift) as uplift_error
    from effect_lifts

),

-- An experiment that may be concluded from goes before an effect, which rests on what was seen of the customers.
measured as (

    select
        catalogue.*,
        case
            when experiment_uplifts.is_told then 'experiment'
            when effect_uplifts.is_told then 'effect'
        end as evidence_kind,
        experiment_uplifts.experiment_id is not null or effect_uplifts.event_name is not null as is_in_the_data,
        experiment_uplifts.conclusion,
        effect_uplifts.verdict as effect_verdict,
        {%- for column in ['measured_uplift', 'uplift_error', 'units', 'window_days', 'is_margin_worse'] %}
        case
            when experiment_uplifts.is_told then experiment_uplifts.{{ column }}
            when effect_uplifts.is_told and effect_uplifts.has_base then effect_uplifts.{{ column }}
        end as {{ column }},
        {%- endfor %}
        -- Who was drawn and did not take it is in the lift already.
        case when experiment_uplifts.is_told then 1 else catalogue.take_up_rate end as known_take_up_rate,
        case
            when catalogue.offer_type = 'delivery_charge' then delivery_charges.mean_charge
            when catalogue.offer_type = 'amount' then catalogue.offer_value
            else 0
        end as offer_per_order,
        case when catalogue.offer_type = 'percent' then catalogue.offer_value else 0 end as offer_share
    from catalogue
    cross join delivery_charges
    left join experiment_uplifts
        on catalogue.experiment_id = experiment_uplifts.experiment_id
        and catalogue.experiment_arm = experiment_uplifts.experiment_arm
    left join effect_uplifts
        on catalogue.event_family = effect_uplifts.event_family
        and catalogue.event_name = effect_uplifts.event_name

),

-- The action that looks best was also the luckiest: each measurement is drawn towards no change, the further the noisier it is
-- (normal prior around zero; the posterior's mean and standard deviation).
shrunk as (

    select
        *,
        power({{ var('action_uplift_deviation') }}, 2)
            / (power({{ var('action_uplift_deviation') }}, 2) + power(uplift_error, 2)) as trust
    from measured

),

bounded as (

    select
        *,
        trust * measured_uplift as uplift,
        trust * measured_uplift - {{ errors_of_80 }} * sqrt(trust) * uplift_error as uplift_low,
        trust * measured_uplift + {{ errors_of_80 }} * sqrt(trust) * uplift_error as uplift_high
    from shrunk

),

judged as (

    select
        *,
        case
            when action = 'none' then 'default'
            when experiment_id is null and event_name is null then 'not_measured'
            when not is_in_the_data then 'not_measured'
            when uplift is null then 'not_identified'
            when known_take_up_rate is null then 'take_up_unknown'
            when offer_type = 'delivery_charge' and offer_per_order is null then 'cost_unknown'
            when uplift_high < 0 then 'fewer_orders'
            when uplift_low <= 0 then 'uncertain'
            when is_margin_worse then 'margin_falls'
            else 'works'
        end as verdict
    from bounded

),

final as (

    select
        -- keys
        action,

        -- attributes
        label,
        channel,
        purpose,
        eligible_customers,
        eligible_in_words,
        offer_type,
        evidence_kind,
        case
            when evidence_kind = 'experiment'
                then concat('experiment ', experiment_id, ', arm ', experiment_arm)
            when evidence_kind = 'effect'
                then concat('effect ', event_name, ' of family ', event_family)
        end as evidence,
        verdict,
        case verdict
            when 'default' then 'What is done where nothing else is known to bring more.'
            when 'not_measured' then 'Nobody has measured what it changes in this shop.'
            when 'not_identified'
                then concat('It was tried, and what it changes cannot be told: ', coalesce(conclusion, replace(effect_verdict, 'not identified: ', ''), 'nobody ordered'), '.')
            when 'take_up_unknown' then 'Its event was measured; how often the action brings the event about was not.'
            when 'cost_unknown' then 'What it gives away on an order is not known.'
            when 'fewer_orders' then 'It was measured, and brought fewer orders: the interval of 80 % lies below zero.'
            when 'uncertain' then 'It was measured, and may as well change nothing: the interval of 80 % holds zero.'
            when 'margin_falls' then 'It brings orders and takes margin away.'
            when 'works' then 'It was measured, and brings orders: the interval of 80 % lies above zero.'
        end as verdict_in_words,
        reading,

        -- measures
        cast(units as bigint) as measured_customers,
        cast(window_days as bigint) as window_days,
        -- Six digits are more than any measurement has, and read the same on every engine.
        round(measured_uplift, 6) as measured_uplift,
        round(uplift_error, 6) as measured_uplift_error,
        round(uplift, 6) as uplift,
        round(uplift_low, 6) as uplift_low,
        round(uplift_high, 6) as uplift_high,
        cast(known_take_up_rate as double) as take_up_rate,
        cast(cost_per_customer as decimal(18, 2)) as cost_per_customer_amount,
        offer_share as offer_order_share,
        cast(round(offer_per_order, 2) as decimal(18, 2)) as offer_per_order_amount,
        cast('{{ var("shop_currency") }}' as {{ string_type() }}) as currency_code,

        -- flags
        verdict in ('default', 'works') as is_offered,

        -- times
        {{ as_of_date() }} as as_of_date

    from judged

)

select * from final
