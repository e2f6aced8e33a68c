"""What a shop may set, read once from the environment. No file, no engine, no Dagster.

Business constants have their one place in `dbt_project.yml`; a setting here only overrides one, so that
`Settings.dbt_vars()` is empty where nothing was set.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import yaml

PROJECT_DIRECTORY = Path(__file__).resolve().parent.parent

# What a business constant may be; several horizons are a list.
Constant = str | int | float | tuple[int, ...]


class SettingError(ValueError):
    """An environment variable has a value, or a name, that the warehouse does not know."""


@dataclass(frozen=True)
class Settings:
    """Typed settings; `from_environment` builds them and refuses what it does not know."""

    data_directory: Path
    overrides: tuple[tuple[str, Constant], ...] = ()
    source_timezone: str = "UTC"
    source_date_order: str = "ymd"
    nightly_at: str = "03:30"
    keep_publications: int = 5
    memory_limit: str = "80%"
    postgres: str = field(default="", repr=False)

    @property
    def warehouse_file(self) -> Path:
        return self.data_directory / "warehouse.duckdb"

    @property
    def lock_file(self) -> Path:
        return self.data_directory / "warehouse.lock"

    @property
    def inbox_directory(self) -> Path:
        return self.data_directory / "inbox"

    @property
    def serving_directory(self) -> Path:
        return self.data_directory / "serving"

    @property
    def outbox_directory(self) -> Path:
        return self.data_directory / "outbox"

    @property
    def target_directory(self) -> Path:
        return self.data_directory / "target"

    @property
    def logs_directory(self) -> Path:
        return self.data_directory / "logs"

    @property
    def dagster_directory(self) -> Path:
        return self.data_directory / "dagster"

    @property
    def as_of_date(self) -> date | None:
        """The night's last complete day where the shop names it; None means: take it from the orders."""
        named = dict(self.overrides).get("as_of_date")
        return date.fromisoformat(str(named)) if named else None

    def business_constant(self, name: str) -> Any:
        """A business constant as the night will see it: the override, or what dbt_project.yml says."""
        return {**_project_constants(), **dict(self.overrides)}[name]

    def dbt_vars(self) -> dict[str, Constant]:
        """Business constants that differ from `dbt_project.yml`."""
        return dict(self.overrides)

    def environment(self) -> dict[str, str]:
        """What child processes (dbt, Dagster) need in their environment; telemetry stays off."""
        return {
            "RETENTION_DATA": str(self.data_directory),
            "RETENTION_WAREHOUSE": str(self.warehouse_file),
            "RETENTION_MEMORY_LIMIT": self.memory_limit,
            "DBT_PROJECT_DIR": str(PROJECT_DIRECTORY),
            "DBT_PROFILES_DIR": str(PROJECT_DIRECTORY),
            "DBT_TARGET_PATH": str(self.target_directory),
            "DBT_LOG_PATH": str(self.logs_directory),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
            # Every event is told on standard output already. Told twice, and with each statement in full, they were
            # a quarter of dbt's own time; warnings and errors are in the file all the same.
            "DBT_LOG_LEVEL_FILE": "warn",
            "DAGSTER_HOME": str(self.dagster_directory),
        }


def _project_constants() -> dict[str, Any]:
    return yaml.safe_load((PROJECT_DIRECTORY / "dbt_project.yml").read_text())["vars"]


def _hold_together(overrides: Mapping[str, Constant]) -> None:
    """Refuse settings that are possible each by itself and not together, before a night has begun."""
    if "churn_horizons_days" in overrides:
        constants = {**_project_constants(), **overrides}
        horizons, named = constants["churn_horizons_days"], constants["churn_horizon_days"]
        if named not in horizons:
            raise SettingError(
                f"churn_horizons_days is {', '.join(map(str, horizons))} and lacks churn_horizon_days,"
                f" {named}, which fct_customer_churn shows: add {named} to RETENTION_CHURN_HORIZONS_DAYS"
            )


def _one_of(*allowed: str):
    def read(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return value

    return read


def _timezone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("must be a time zone such as Europe/London")
    return ZoneInfo(value).key


def _day(value: str) -> str:
    return date.fromisoformat(value).isoformat()


def _at_least(smallest: int):
    def read(value: str) -> int:
        number = int(value)
        if number < smallest:
            raise ValueError(f"must be a whole number of at least {smallest}")
        return number

    return read


def _horizons(value: str) -> tuple[int, ...]:
    days = tuple(sorted({int(part) for part in value.split(",")}))
    if days[0] < 1:
        raise ValueError("must be whole numbers of days, at least 1 each, such as 30,90")
    return days


def _memory(value: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]*(%|MB|GB|TB)", value):
        raise ValueError("must be a share or a size such as 60% or 12GB")
    return value


def _rate(value: str) -> float:
    number = float(value)
    if not 0 <= number < 1:
        raise ValueError("must be a rate from 0 to below 1, such as 0.10")
    return number


def _amount(value: str) -> float:
    number = float(value)
    if not 0 <= number < float("inf"):
        raise ValueError("must be an amount of money of 0 or more, such as 0.01")
    return number


def _currency(value: str) -> str:
    if len(value) != 3 or not value.isalpha() or not value.isupper():
        raise ValueError("must be an ISO 4217 code such as GBP")
    return value


def _time_of_day(value: str) -> str:
    hour, minute = value.split(":")
    if not (0 <= int(hour) < 24 and 0 <= int(minute) < 60):
        raise ValueError("must be a time such as 03:30")
    return f"{int(hour):02d}:{int(minute):02d}"


# Environment variable -> (dbt var, reader).
_BUSINESS_CONSTANTS = {
    "RETENTION_AS_OF_DATE": ("as_of_date", _day),
    "RETENTION_SHOP_TIMEZONE": ("shop_timezone", _timezone),
    "RETENTION_SHOP_CURRENCY": ("shop_currency", _currency),
    "RETENTION_ORDER_RULE": ("order_rule", _one_of("net_positive", "incl_fully_refunded")),
    "RETENTION_SHOP_OPENED_ON": ("shop_opened_on", _day),
    "RETENTION_LAPSE_DAYS": ("lapse_days", _at_least(1)),
    "RETENTION_MEMBERSHIP_GRACE_DAYS": ("membership_grace_days", _at_least(0)),
    "RETENTION_RETURN_WINDOW_DAYS": ("return_window_days", _at_least(0)),
    "RETENTION_CHURN_HORIZONS_DAYS": ("churn_horizons_days", _horizons),
    "RETENTION_YEARLY_DISCOUNT_RATE": ("yearly_discount_rate", _rate),
    "RETENTION_LOYALTY_POINT_VALUE": ("loyalty_point_value", _amount),
    "RETENTION_REFERRAL_WINDOW_DAYS": ("referral_window_days", _at_least(1)),
    "RETENTION_IDENTITY_EMAIL_MAX_ACCOUNTS": ("identity_email_max_accounts", _at_least(0)),
    "RETENTION_IDENTITY_LOYALTY_ID_MAX_ACCOUNTS": (
        "identity_loyalty_id_max_accounts",
        _at_least(0),
    ),
    "RETENTION_IDENTITY_MEMBERSHIP_ID_MAX_ACCOUNTS": (
        "identity_membership_id_max_accounts",
        _at_least(0),
    ),
    "RETENTION_IDENTITY_MARKETPLACE_ID_MAX_ACCOUNTS": (
        "identity_marketplace_id_max_accounts",
        _at_least(0),
    ),
    "RETENTION_IDENTITY_PHONE_MAX_ACCOUNTS": ("identity_phone_max_accounts", _at_least(0)),
    "RETENTION_IDENTITY_DEVICE_MAX_ACCOUNTS": ("identity_device_max_accounts", _at_least(0)),
}
# Environment variable -> (field of Settings, reader).
_FIELDS = {
    "RETENTION_SOURCE_TIMEZONE": ("source_timezone", _timezone),
    "RETENTION_SOURCE_DATE_ORDER": ("source_date_order", _one_of("ymd", "dmy", "mdy")),
    "RETENTION_NIGHTLY_AT": ("nightly_at", _time_of_day),
    "RETENTION_KEEP_PUBLICATIONS": ("keep_publications", _at_least(1)),
    "RETENTION_MEMORY_LIMIT": ("memory_limit", _memory),
    # May hold a password, hence no place in what is printed.
    "RETENTION_POSTGRES": ("postgres", str),
}
_OTHERS = {"RETENTION_DATA", "RETENTION_WAREHOUSE", "RETENTION_TARGET"}


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; an unknown RETENTION_ name or an impossible value raises SettingError."""
    environment = os.environ if environment is None else environment
    known = _OTHERS | set(_BUSINESS_CONSTANTS) | set(_FIELDS)
    unknown = sorted(n for n in environment if n.startswith("RETENTION_") and n not in known)
    if unknown:
        raise SettingError(
            f"{unknown[0]} is not a setting of the warehouse; known are {', '.join(sorted(known))}"
        )

    def read(name: str, reader):
        try:
            return reader(environment[name])
        except ValueError as error:
            raise SettingError(f"{name}={environment[name]!r}: {error}") from error

    overrides = {
        variable: read(name, reader)
        for name, (variable, reader) in _BUSINESS_CONSTANTS.items()
        if environment.get(name)
    }
    fields = {
        field: read(name, reader)
        for name, (field, reader) in _FIELDS.items()
        if environment.get(name)
    }
    _hold_together(overrides)
    data = environment.get("RETENTION_DATA") or str(PROJECT_DIRECTORY / "data")
    return Settings(
        data_directory=Path(data).expanduser().resolve(),
        overrides=tuple(sorted(overrides.items())),
        **fields,
    )
