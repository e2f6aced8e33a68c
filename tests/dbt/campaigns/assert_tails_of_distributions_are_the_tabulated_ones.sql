{#- The 95 % and 99.9 % points of printed tables (for instance NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7):
    chi-square with three decimals, Student's t and the normal with three; a probability read back at a rounded point is as
    good as the point times the slope there. -#}

with

points as (

    select 'normal' as told_by, {{ normal_two_sided('1.960') }} as computed, 0.05 as tabulated, 0.0001 as precision
    union all
    select 'normal', {{ normal_two_sided('-3.291') }}, 0.001, 0.00001
    union all
    select 'normal', {{ normal_two_sided('0') }}, 1.0, 0.000001
    union all
    select 'student_two_sided', {{ student_two_sided('2.042', '30e0') }}, 0.05, 0.0001
    union all
    select 'student_two_sided', {{ student_two_sided('-3.646', '30e0') }}, 0.001, 0.00001
    union all
    select 'student_quantile', {{ student_quantile('10e0') }}, 2.228, 0.0005
    union all
    select 'student_quantile', {{ student_quantile('100e0') }}, 1.984, 0.0005
    {%- for degrees, point in {1: 3.841, 2: 5.991, 3: 7.815, 4: 9.488, 5: 11.070}.items() %}
    union all
    select 'chi_square', {{ chi_square_tail(point ~ 'e0', degrees) }}, 0.05, 0.00005
    {%- endfor %}
    {%- for degrees, point in {1: 10.828, 2: 13.816, 3: 16.266, 4: 18.467, 5: 20.515}.items() %}
    union all
    select 'chi_square', {{ chi_square_tail(point ~ 'e0', degrees) }}, 0.001, 0.000001
    {%- endfor %}

)

select * from points
where not coalesce(abs(computed - tabulated) <= precision, false)
