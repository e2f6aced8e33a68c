"""Settings: what a shop may set, what is refused, and that nothing phones home."""

from datetime import date
from pathlib import Path

import pytest

from orchestration.settings import PROJECT_DIRECTORY, SettingError, from_environment


def test_without_any_setting_the_data_lives_in_the_checkout():
    settings = from_environment({})
    assert settings.data_directory == PROJECT_DIRECTORY / "data"
    assert settings.dbt_vars() == {}
    assert settings.as_of_date is None


def test_everything_that_is_built_lives_under_the_data_folder(tmp_path):
    settings = from_environment({"RETENTION_DATA": str(tmp_path)})
    places = [
        value
        for name in dir(settings)
        if not name.startswith("_") and isinstance(value := getattr(settings, name), Path)
    ]
    assert len(places) >= 8
    assert all(place == tmp_path or tmp_path in place.parents for place in places)


def test_an_unknown_setting_is_refused_by_name():
    with pytest.raises(SettingError, match="RETENTION_LAPSE_DAY is not a setting"):
        from_environment({"RETENTION_LAPSE_DAY": "180"})


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("RETENTION_SHOP_TIMEZONE", "London", "Europe/London"),
        ("RETENTION_ORDER_RULE", "gross", "net_positive"),
        ("RETENTION_SHOP_CURRENCY", "pounds", "GBP"),
        ("RETENTION_LAPSE_DAYS", "0", "at least 1"),
        ("RETENTION_YEARLY_DISCOUNT_RATE", "10", "0.10"),
        ("RETENTION_LOYALTY_POINT_VALUE", "-1", "0 or more"),
        ("RETENTION_NIGHTLY_AT", "25:00", "03:30"),
        ("RETENTION_MEMORY_LIMIT", "12 gigabytes", "60% or 12GB"),
        ("RETENTION_AS_OF_DATE", "31/12/2025", "RETENTION_AS_OF_DATE"),
    ],
)
def test_an_impossible_value_is_refused_with_what_it_must_be(name, value, remedy):
    with pytest.raises(SettingError, match=name) as raised:
        from_environment({name: value})
    assert value in str(raised.value)
    assert remedy in str(raised.value)


def test_a_set_constant_reaches_dbt_and_an_unset_one_stays_with_the_project():
    settings = from_environment(
        {"RETENTION_LAPSE_DAYS": "90", "RETENTION_AS_OF_DATE": "2025-06-30"}
    )
    assert settings.dbt_vars() == {"as_of_date": "2025-06-30", "lapse_days": 90}
    assert settings.as_of_date == date(2025, 6, 30)
    assert settings.business_constant("lapse_days") == 90
    assert settings.business_constant("membership_grace_days") == 14


def test_an_empty_value_counts_as_not_set():
    assert from_environment({"RETENTION_LAPSE_DAYS": ""}).dbt_vars() == {}


def test_child_processes_send_no_telemetry(tmp_path):
    environment = from_environment({"RETENTION_DATA": str(tmp_path)}).environment()
    assert environment["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "false"
    assert environment["DO_NOT_TRACK"] == "1"
