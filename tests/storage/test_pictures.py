"""Pictures as browsers and caches get them, from both storages, over real HTTP."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from PIL import Image

from storage.addresses import Addresses
from storage.config import FolderConfig, S3Config
from storage.objects import open_storage
from tests.client import Client
from tests.conftest import SECRET, House

PROMPT = "a red fox, füchsisch"


@dataclass
class Answer:
    """What came, to its last byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Gallery:
    """Alice's one picture, rendered and stored."""

    house: House
    alice: Client
    image: dict[str, Any]
    storage: dict[str, Any]

    @property
    def public_url(self) -> str:
        return self.house.apis[0]

    async def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, method: str = "GET", follow: bool = True
    ) -> Answer:
        """The answer to a browser."""
        async with self.house.http.request(method, url, headers=headers, allow_redirects=follow) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def publish(self, is_public: bool = True) -> dict[str, Any]:
        """The image once everybody may see it, or nobody else any more."""
        asked = {"id": self.image["id"], "isPublic": is_public}
        payload = await self.alice.mutate("updateImage", "image { ...I }", input=asked)
        assert payload["errors"] == []
        return dict(payload["image"])


async def hang(house: House, storage: dict[str, Any]) -> Gallery:
    alice = house.person("alice")
    created = await alice.create_generation(prompt=PROMPT)
    done = await alice.until(created["id"], "COMPLETED")
    return Gallery(house, alice, done["images"][0], storage)


@pytest.fixture
async def folder_gallery(empty_house: House) -> Gallery:
    await empty_house.start_api()
    await empty_house.start_worker()
    return await hang(empty_house, {})


@pytest.fixture
async def bucket_gallery(empty_house: House, s3_config: S3Config) -> Gallery:
    names = ("endpoint", "bucket", "region", "access_key_id", "secret_access_key", "prefix")
    storage = {f"s3_{name}": getattr(s3_config, name) for name in names}
    await empty_house.start_api(**storage)
    await empty_house.start_worker(**storage)
    return await hang(empty_house, storage)


@pytest.fixture(params=["folder_gallery", "bucket_gallery"])
def gallery(request: pytest.FixtureRequest) -> Gallery:
    """Over the one storage, then over the other."""
    found: Gallery = request.getfixturevalue(request.param)
    return found


async def test_whoever_has_a_private_address_sees_the_picture(gallery: Gallery) -> None:
    full = await gallery.get(gallery.image["url"])
    small = await gallery.get(gallery.image["thumbnailUrl"])
    assert (full.status, full.headers["Content-Type"]) == (200, "image/webp")
    assert (len(full.body), small.status) == (gallery.image["fileSize"], 200)
    for answer in (full, small):
        with Image.open(BytesIO(answer.body)) as picture:
            assert (picture.format, picture.size) == ("WEBP", (256, 256))


async def test_a_download_is_a_file_named_by_its_prompt(gallery: Gallery) -> None:
    saved = await gallery.get(gallery.image["downloadUrl"])
    assert len(saved.body) == gallery.image["fileSize"]
    assert saved.headers["Content-Disposition"] == (
        "attachment; filename=\"a red fox, fuchsisch.webp\"; filename*=UTF-8''a%20red%20fox%2C%20f%C3%BCchsisch.webp"
    )
    assert "Content-Disposition" not in (await gallery.get(gallery.image["url"])).headers


async def test_a_private_picture_is_kept_by_its_reader_only_and_while_its_address_lasts(gallery: Gallery) -> None:
    answer = await gallery.get(gallery.image["url"], follow=False)
    until = int(parse_qs(urlsplit(gallery.image["url"]).query)["until"][0])
    kind, _, seconds = answer.headers["Cache-Control"].partition(", max-age=")
    assert (kind, answer.status) == ("private", 302 if gallery.storage else 200)
    if gallery.storage:
        assert int(seconds) == 300  # when it is followed anew, the storage's own address is, too
    else:
        assert until - 5 <= time.time() + int(seconds) <= until + 5
    head = await gallery.get(gallery.image["url"], method="HEAD", follow=False)
    assert (head.status, head.headers["Content-Length"]) == (200, str(gallery.image["fileSize"]))


async def test_a_public_picture_is_made_for_caches(gallery: Gallery) -> None:
    url = (await gallery.publish())["url"]
    whole = await gallery.get(url, follow=False)
    assert (whole.status, whole.headers["Cache-Control"]) == (200, "public, max-age=3600")
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in whole.headers["Content-Security-Policy"]
    assert whole.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    etag = whole.headers["ETag"]
    assert etag.startswith('"')
    for known in (etag, f'"other", W/{etag}', "*"):
        fresh = await gallery.get(url, {"If-None-Match": known})
        assert (fresh.status, fresh.body, fresh.headers["ETag"]) == (304, b"", etag)
    assert (await gallery.get(url, {"If-None-Match": '"other"'})).status == 200
    head = await gallery.get(url, method="HEAD")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(whole.body)))


async def test_a_part_may_be_asked_for(gallery: Gallery) -> None:
    url = (await gallery.publish())["url"]
    whole = await gallery.get(url)
    size, etag = len(whole.body), whole.headers["ETag"]
    part = await gallery.get(url, {"Range": "bytes=100-199", "If-Range": etag})
    assert (part.status, part.body) == (206, whole.body[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{size}"
    assert (await gallery.get(url, {"Range": "bytes=-10"})).body == whole.body[-10:]
    assert (await gallery.get(url, {"Range": f"bytes={size - 5}-"})).body == whole.body[-5:]
    for headers in ({"If-Range": '"other"'}, {"Range": "bytes=0-1,5-6"}, {"Range": "lines=1-2"}):
        answer = await gallery.get(url, {"Range": "bytes=0-1", **headers})
        assert (answer.status, answer.body) == (200, whole.body)
    beyond = await gallery.get(url, {"Range": f"bytes={size}-"})
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")


async def test_a_public_address_ends_with_the_publication(folder_gallery: Gallery) -> None:
    first = (await folder_gallery.publish())["url"]
    private = await folder_gallery.publish(False)
    gone = await folder_gallery.get(first)
    assert (gone.status, gone.headers["Cache-Control"]) == (404, "no-store")
    assert (await folder_gallery.get(first, {"If-None-Match": "*"})).status == 404
    second = (await folder_gallery.publish())["url"]
    assert second != first
    assert [(await folder_gallery.get(url)).status for url in (first, second, private["url"])] == [404, 200, 200]


async def test_a_deleted_picture_is_gone_from_every_address(gallery: Gallery) -> None:
    private, public = gallery.image["url"], (await gallery.publish())["url"]
    await gallery.alice.mutate("deleteImage", "deletedId", id=gallery.image["id"])
    assert [(await gallery.get(url)).status for url in (private, public)] == [404, 404]


async def test_an_address_that_was_changed_is_refused(folder_gallery: Gallery) -> None:
    url, other = folder_gallery.image["url"], str(uuid4())
    id = urlsplit(url).path.split("/")[2]
    for changed in (
        url[:-1],
        url.replace("/full", "/download"),
        url.replace(id, other),
        url.replace("until=1", "until=2"),
    ):
        answer = await folder_gallery.get(changed)
        assert (answer.status, answer.body) == (403, b"This address is not valid.\n")
    assert (await folder_gallery.get(url.partition("&")[0])).status == 403


async def test_an_address_of_yesterday_says_that_it_has_expired(folder_gallery: Gallery) -> None:
    id = UUID(urlsplit(folder_gallery.image["url"]).path.split("/")[2])
    yesterday = Addresses(folder_gallery.public_url, SECRET).image(id, None, time.time() - 86400)
    answer = await folder_gallery.get(yesterday.url())
    assert (answer.status, answer.body) == (410, b"This address has expired; ask for the picture again.\n")


async def test_what_is_not_there_is_told_in_one_sentence(folder_gallery: Gallery) -> None:
    id = urlsplit(folder_gallery.image["url"]).path.split("/")[2]
    signed = Addresses(folder_gallery.public_url, SECRET).image(uuid4(), None).url()
    paths = [f"{uuid4()}/full", f"{id}/full", f"{id}/huge", f"{id.upper()}/full", f"{{{id}}}/full", "1'--/full"]
    for url in [signed, *(f"{folder_gallery.public_url}/i/{path}" for path in paths)]:
        answer = await folder_gallery.get(url)
        assert (answer.status, answer.body) == (404, b"There is no such picture.\n")
    posted = await folder_gallery.get(folder_gallery.image["url"], method="POST")
    assert posted.status == 405


async def test_a_picture_whose_object_is_gone_is_missing(folder_gallery: Gallery) -> None:
    url = (await folder_gallery.publish())["url"]
    async with open_storage(FolderConfig(folder_gallery.house.settings.home / "storage")) as storage:
        await storage.delete([key async for key in storage.list()])
    assert (await folder_gallery.get(url)).status == 404


async def test_a_storage_that_is_away_is_no_fault_of_the_picture(bucket_gallery: Gallery) -> None:
    url = (await bucket_gallery.publish())["url"]
    away = await bucket_gallery.house.start_api(**{**bucket_gallery.storage, "s3_endpoint": "http://127.0.0.1:9"})
    answer = await bucket_gallery.get(url.replace(bucket_gallery.public_url, away))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert b"127.0.0.1" not in answer.body
