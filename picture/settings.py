"""All that the environment decides: read once, handed down as values."""

import difflib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from pydantic import ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from picture.setting_groups import (
    Addresses,
    Allowances,
    Contract,
    Documents,
    Engine,
    Generating,
    Live,
    Pictures,
    Rates,
    TheHouse,
    Up,
    Uploads,
    url,
)
from picture.trouble import Trouble

PREFIX = "PICTURE_"


class SettingsError(Trouble):
    """The settings are wrong."""


# Pydantic puts the fields of the last base first: what is checked against another comes after it.
class Settings(
    Up, Contract, Rates, Documents, Uploads, Pictures, Live, Engine, Generating, Allowances, TheHouse, Addresses
):
    """All that the environment and `.env` decide; frozen. What has no address is filled in by `picture.home`."""

    model_config = SettingsConfigDict(
        frozen=True, env_prefix=PREFIX, env_file=".env", env_ignore_empty=True, extra="ignore", populate_by_name=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Values given in code, then the environment, then `.env`."""
        return init_settings, env_settings, dotenv_settings

    @field_validator("home", "comfyui_folder", "engine_script", "catalogue", "trusted_documents")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value and value.expanduser().absolute()

    @field_validator("public_url")
    @classmethod
    def _public(cls, value: str, info: ValidationInfo) -> str:
        host, port = info.data.get("host", "127.0.0.1"), info.data.get("port", 8000)
        checked: str = url("http", "https").func(value or local_address(host, port))  # type: ignore[call-arg]
        return checked

    @field_validator("s3_bucket", "s3_access_key_id", "s3_secret_access_key")
    @classmethod
    def _with_endpoint(cls, value: str | None, info: ValidationInfo) -> str | None:
        if "s3_endpoint" in info.data and (info.data["s3_endpoint"] is None) != (value is None):
            raise ValueError("is needed with S3_ENDPOINT" if value is None else "means nothing without S3_ENDPOINT")
        return value

    @field_validator("token_secret")
    @classmethod
    def _only_without_supabase(cls, value: str | None, info: ValidationInfo) -> str | None:
        return None if info.data.get("supabase_url") or info.data.get("supabase_jwt_secret") else value

    @field_validator("heartbeat_seconds")
    @classmethod
    def _within_lease(cls, value: float, info: ValidationInfo) -> float:
        if value > info.data.get("lease_seconds", value * 2) / 2:
            raise ValueError("should be at most half of PICTURE_LEASE_SECONDS")
        return value

    @field_validator("retry_seconds", "restart_seconds")
    @classmethod
    def _no_negative(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if min(value) < 0:
            raise ValueError("should hold no negative number")
        return value

    @field_validator("page_max")
    @classmethod
    def _over_default(cls, value: int, info: ValidationInfo) -> int:
        if value < info.data.get("page_default", 1):
            raise ValueError("should be at least PICTURE_PAGE_DEFAULT")
        return value

    @property
    def has_supabase(self) -> bool:
        """Whether tokens come from Supabase; then those of `picture token` are refused."""
        return bool(self.supabase_url or self.supabase_jwt_secret)

    def require(self, name: str) -> str:
        """The value of the setting `name`. Raises SettingsError, naming the next step, when there is none."""
        value = getattr(self, name)
        if not value:
            raise SettingsError(f"{variable(name)} is not set. Set it, or start `picture up` in this folder first.")
        return str(value)

    @classmethod
    def load(cls, **given: object) -> Self:
        """From the environment and `.env`, but for what is given. Raises SettingsError naming all that is wrong."""
        wrong = _unknown(os.environ)
        try:
            settings = cls(**given)  # type: ignore[arg-type]
        except ValidationError as error:
            wrong = [*_explain(error), *wrong]
        if wrong:
            raise SettingsError("\n".join(["The settings are wrong:", *(f"  {line}" for line in wrong)]))
        return settings

    @classmethod
    def given(cls, **given: object) -> "Settings":
        """From these values alone, whatever the environment says."""
        return _Given(**given)  # type: ignore[arg-type]


class _Given(Settings):
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def local_address(host: str, port: int) -> str:
    """The address of a server of this machine as its own browser sees it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "": "127.0.0.1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host and "[" not in host else f"http://{host}:{port}"


def variable(name: str) -> str:
    """The environment variable of the setting `name`."""
    alias = Settings.model_fields[name].validation_alias if name in Settings.model_fields else name
    return alias if isinstance(alias, str) else f"{PREFIX}{name}".upper()


def variables() -> dict[str, str]:
    """What every environment variable is for."""
    return {variable(name): field.description or "" for name, field in Settings.model_fields.items()}


def _explain(error: ValidationError) -> list[str]:
    lines = []
    for problem in error.errors(include_url=False):
        name = str(problem["loc"][0])
        field = Settings.model_fields.get(name) or next(
            (field for field in Settings.model_fields.values() if field.validation_alias == name), None
        )
        said = (
            problem["msg"]
            .removeprefix("Value error, ")
            .replace("Input should", "should")
            .replace("String should", "should")
        )
        # What may hold a password is never repeated.
        got = f" (it is {problem['input']!r})" if field and field.repr and problem["input"] is not None else ""
        lines.append(f"{variable(name)} {said}{got}")
    return lines


def _unknown(environ: Mapping[str, str]) -> list[str]:
    """Names that are probably misspelt; others may be somebody else's (Kubernetes sets PICTURE_SERVICE_HOST)."""
    known = variables()
    suggest: Callable[[str], list[str]] = lambda name: difflib.get_close_matches(name, known, n=1, cutoff=0.88)  # noqa: E731
    strange = [name for name in environ if name.startswith(PREFIX) and name.upper() not in known]
    return [f"{name} is no setting; do you mean {suggest(name)[0]}?" for name in sorted(strange) if suggest(name)]
