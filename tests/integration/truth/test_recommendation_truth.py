"""What the sample shop's customers are shown, and what came of what they were shown, against its rows and its truth."""

import math

# The generator lets every visit that was shown a recommendation follow one with this probability, whoever made it.
FOLLOWED_SHARE = 0.12


def test_everybody_but_the_erased_is_shown_ten_products(sample_shop):
    shown = dict(
        sample_shop.warehouse.query(
            "select customer_id, count(distinct product_id) from marts.fct_product_recommendations group by 1"
        )
    )
    customers = sample_shop.warehouse.query(
        "select customer_id, is_erased from marts.dim_customers"
    )
    assert any(is_erased for _, is_erased in customers)
    assert shown == {customer: 10 for customer, is_erased in customers if not is_erased}


def test_most_lists_are_made_by_the_method_that_beat_both_yardsticks(sample_shop):
    [(champion, low)] = sample_shop.warehouse.query(
        "select distinct method, ndcg_difference_low from marts.fct_recommendation_backtests where is_champion"
    )
    assert champion in ("content", "collaborative", "hybrid")
    assert low > 0
    by_method = dict(
        sample_shop.warehouse.query(
            "select method, count(*) from marts.fct_product_recommendations group by 1"
        )
    )
    assert by_method[champion] > sum(by_method.values()) / 2


def test_every_recommendation_shown_and_followed_is_counted_once(sample_shop):
    query = sample_shop.warehouse.query
    [delivered] = query("""
        select
            count(*) filter (where event_type = 'recommendation_impression'),
            count(*) filter (where event_type = 'recommendation_click')
        from staging.stg_web_events
        where not is_deleted and event_at < timestamp '2026-01-01 00:00:00'
    """)
    totals = "select sum(impressions), sum(clicks) from marts.fct_recommendation_results where"
    assert query(f"{totals} method = 'all' and slot = 'all'") == [delivered]
    assert query(f"{totals} method <> 'all' and slot <> 'all'") == [delivered]
    assert query("select distinct method from marts.fct_recommendation_results order by 1") == [
        ("all",),
        ("hybrid",),
        ("popular",),
    ]


def test_recommendations_are_followed_as_often_as_the_shop_hid(sample_shop):
    [(shown, followed)] = sample_shop.warehouse.query("""
        select sum(shown_sessions), sum(clicked_sessions)
        from marts.fct_recommendation_results where method = 'all' and slot = 'all'
    """)
    error = math.sqrt(FOLLOWED_SHARE * (1 - FOLLOWED_SHARE) / shown)
    assert abs(followed / shown - FOLLOWED_SHARE) < 3 * error
    assert error < 0.01


def test_no_effect_of_recommendations_is_told_without_an_experiment(sample_shop):
    told = sample_shop.warehouse.query("""
        select distinct incremental_margin_amount, why_not_incremental
        from marts.fct_recommendation_results where method = 'all' and slot <> 'all'
    """)
    assert told == [(None, "no experiment held anybody out of this slot that week")]
