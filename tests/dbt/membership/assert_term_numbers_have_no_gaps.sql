{{ config(severity='warn') }}

with

terms as (

    select * from {{ ref('fct_membership_terms') }}

),

followed as (

    select
        membership_id,
        term_number,
        lead(term_number) over (
            partition by membership_id
            order by term_number asc nulls last
        ) as next_term_number
    from terms

)

select * from followed
where next_term_number <> term_number + 1
