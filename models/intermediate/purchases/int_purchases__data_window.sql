with

occasions as (

    select * from {{ ref('int_purchases__occasions') }}

),

final as (

    select
        min(ordered_date) as data_start_date,
        {{ as_of_date() }} as as_of_date,
        -- Customers first seen before this day may be old customers of a shop that is older than its data.
        {% if var('shop_opened_on') -%}
        case
            when min(ordered_date) <= cast('{{ var("shop_opened_on") }}' as date) then min(ordered_date)
            else {{ add_days('min(ordered_date)', var('lapse_days')) }}
        end
        {%- else -%}
        {{ add_days('min(ordered_date)', var('lapse_days')) }}
        {%- endif %} as first_untruncated_date

    from occasions

)

select * from final
