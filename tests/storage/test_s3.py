"""What only a bucket can do, against a server that checks signatures."""

import asyncio
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from storage.config import S3Config
from storage.errors import KeyRefusedError, StorageError, StorageRefusedError, StorageUnavailableError
from storage.names import download_name
from storage.objects import Storage, open_storage
from tests.storage.test_objects import new_key, stored

REFUSED = {400, 403}  # rclone tells some with the one, some with the other


async def test_a_wrong_secret_is_refused(s3_config: S3Config, fox: Path) -> None:
    async with open_storage(replace(s3_config, secret_access_key="wrong")) as stranger:
        with pytest.raises(StorageRefusedError):
            await stranger.put(new_key(), fox, "image/webp")
        with pytest.raises(StorageRefusedError):
            await stranger.ping()


async def test_a_missing_bucket_is_named_as_the_trouble(s3_config: S3Config, fox: Path) -> None:
    async with open_storage(replace(s3_config, bucket="nowhere")) as storage:
        with pytest.raises(StorageError, match="no such bucket"):
            await storage.put(new_key(), fox, "image/webp")


async def test_a_server_that_is_away_is_said_to_be_in_bounded_time(s3_config: S3Config) -> None:
    async with open_storage(replace(s3_config, endpoint="http://127.0.0.1:9", attempts=2)) as storage:
        async with asyncio.timeout(10):
            with pytest.raises(StorageUnavailableError):
                await storage.open(new_key())


async def test_a_server_that_says_nothing_is_given_up(s3_config: S3Config) -> None:
    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    silent = await asyncio.start_server(listen, "127.0.0.1", 0)
    endpoint = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    patience = replace(s3_config, endpoint=endpoint, attempts=1, read_timeout_seconds=0.2)
    async with silent, asyncio.timeout(20), open_storage(patience) as storage:
        with pytest.raises(StorageUnavailableError):
            await storage.ping()


async def test_secrets_are_not_shown() -> None:
    assert "hush" not in repr(S3Config(bucket="b", access_key_id="k", secret_access_key="hush"))


async def test_a_signed_address_opens_for_anybody(bucket: Storage, tmp_path: Path) -> None:
    key = await stored(bucket, tmp_path, b"fox")
    name = download_name("Füchse im Schnee", "webp")
    address = await bucket.signed_url(key, expires_seconds=60, download_name=name, content_type="image/webp")
    assert address
    async with aiohttp.ClientSession() as http, http.get(address) as answer:
        assert (answer.status, await answer.read()) == (200, b"fox")


async def test_a_signed_address_is_for_one_object_one_method_and_a_while(bucket: Storage, tmp_path: Path) -> None:
    key = await stored(bucket, tmp_path, b"fox")
    other = await stored(bucket, tmp_path, b"cat")
    address = await bucket.signed_url(key, expires_seconds=60)
    assert address
    short = await bucket.signed_url(key, expires_seconds=1)
    assert short
    async with aiohttp.ClientSession() as http:
        assert (await http.get(address.replace(key, other))).status in REFUSED
        assert (await http.delete(address)).status in REFUSED
        assert (await http.get(address.partition("?")[0])).status in REFUSED
        async with asyncio.timeout(10):
            while (await http.get(short)).status not in REFUSED:  # the clock is all there is to wait for
                pass
        assert (await http.get(address)).status == 200


async def test_other_peoples_objects_stay(s3_config: S3Config, bucket: Storage, fox: Path, tmp_path: Path) -> None:
    mine = await stored(bucket, tmp_path, b"mine")
    async with open_storage(replace(s3_config, prefix="others/")) as others:
        await others.put("others/cat.png", fox, "image/png")
        with pytest.raises(KeyRefusedError):
            await bucket.delete(["others/cat.png"])
        await bucket.delete([mine])
        assert [key async for key in others.list()] == ["others/cat.png"]
    assert "others/cat.png" not in [key async for key in bucket.list()]
    assert await (await bucket.open("others/cat.png")).read() == fox.read_bytes()  # what old rows name may be read
