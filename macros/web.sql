{#- Through which door a session came in: the tag of the link first, then the site it came from. After the default
    channel groups of Google Analytics 4, in fewer words; an unknown tag is `other` and no tag and no site `direct`. -#}
{% macro entry_channel(utm_source, utm_medium, referrer) -%}
{%- set medium = 'lower(' ~ utm_medium ~ ')' -%}
{%- set source = 'lower(' ~ utm_source ~ ')' -%}
{%- set site = 'lower(' ~ referrer ~ ')' -%}
{%- set search_sites = '(^|[./])(google|bing|duckduckgo|yahoo|ecosia|baidu|yandex|qwant|startpage)[.]' -%}
{%- set social_sites = '(^|[./])(facebook|instagram|tiktok|pinterest|twitter|youtube|reddit|linkedin|snapchat|threads)[.]|(^|//)t[.]co(/|$)|(^|//)(www[.])?x[.]com' -%}
case
    when {{ matches(medium, '^(e-?mail|newsletter)$') }} or {{ matches(source, '^(e-?mail|newsletter)$') }} then 'email'
    when {{ medium }} = 'sms' or {{ source }} = 'sms' then 'sms'
    when {{ matches(medium, '(^|[_-])push') }} or {{ source }} = 'push' then 'push'
    when {{ matches(medium, 'affiliate') }} then 'affiliate'
    when {{ matches(medium, '^(display|banner|cpm|interstitial|retargeting)$') }} then 'display'
    when {{ matches(medium, '(^|[_-])(social|sm)([_-]|$)') }} then 'social'
    when {{ matches(medium, '^(cpc|ppc|sem|paid.*)$') }} then
        case
            when {{ matches(source, '(facebook|instagram|tiktok|pinterest|twitter|youtube|reddit|linkedin|snapchat|^meta$|^x$)') }}
                then 'social'
            else 'paid_search'
        end
    when {{ matches(medium, '^(organic|search)$') }} then 'search'
    when {{ matches(medium, '^(referral|partner|link)$') }} then 'referral'
    when {{ matches(medium, '^[(]?(none|direct)[)]?$') }} then 'direct'
    when {{ utm_medium }} is not null or {{ utm_source }} is not null then 'other'
    when {{ matches(site, search_sites) }} then 'search'
    when {{ matches(site, social_sites) }} then 'social'
    when {{ referrer }} is not null then 'referral'
    else 'direct'
end
{%- endmacro %}
