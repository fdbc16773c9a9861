"""Which storage the settings mean."""

from picture.settings import Settings
from storage.config import FolderConfig, S3Config


def storage_config(settings: Settings) -> S3Config | FolderConfig:
    """The bucket, or the folder in the home when no bucket has an address."""
    if not settings.s3_endpoint:
        return FolderConfig(settings.home / "storage")
    return S3Config(
        bucket=settings.require("s3_bucket"),
        access_key_id=settings.require("s3_access_key_id"),
        secret_access_key=settings.require("s3_secret_access_key"),
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        prefix=settings.s3_prefix,
    )
