"""Addresses of pictures and of uploads: paths, signatures, ranges, methods, and bytes that are not what was announced."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import aiohttp
from yarl import URL

from storage.addresses import Addresses
from tests.conftest import SECRET
from tests.hostile.attacks import Attack
from tests.hostile.requests import Answer, Hostile
from tests.hostile.scene import Scene
from tests.storage import hostile as files
from tests.uploading import Uploader

HERS = UUID("10000000-0000-0000-0000-000000000001")
HIS = UUID("30000000-0000-0000-0000-000000000001")
PNG = files.saved(files.small())
FULL = "{address}/i/{published}/full"
Change = Callable[[dict[str, Any]], None]


def _signed(scene: Scene, image: UUID = HERS) -> str:
    """The address that her app was given of a private picture."""
    return Addresses(scene.alice.address, SECRET).image(image, None).url("full")


async def _answered(http: aiohttp.ClientSession, method: str, url: str, **asked: Any) -> Answer:
    async with http.request(method, URL(url, encoded=True), allow_redirects=False, **asked) as answer:
        return Answer(answer.status, (await answer.read()).decode(errors="replace"))


def _get(name: str, path: str, method: str = "GET", **headers: str) -> Hostile:
    """A request of a path, as it is written."""
    return Hostile(name, None, {key.replace("_", "-"): value for key, value in headers.items()}, method, path, token="")


def picture(name: str, method: str = "GET", **headers: str) -> Attack:
    """What all may see, asked for with strange headers."""

    async def run(scene: Scene) -> Answer:
        url = FULL.format(address=scene.alice.address, published=scene.published)
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        answer = await _answered(scene.mallory.http, method, url, headers=named)
        assert len(answer.text) < 2 * 256 * 400, "more than there is"
        return answer

    return Attack(name, run)


def private(name: str, change: Callable[[str], str]) -> Attack:
    """Her private picture, by the address of her app after this change; its bytes must not come."""

    async def run(scene: Scene) -> Answer:
        answer = await _answered(scene.mallory.http, "GET", change(_signed(scene)))
        return Answer(500 if answer.status in (200, 206) else answer.status, answer.text)

    return Attack(name, run)


def put(name: str, change: Change = lambda _: None, *, expects_refusal: bool = True) -> Attack:
    """Bytes to an address that createUpload gave, after this change of url, method, data and headers."""

    async def run(scene: Scene) -> Answer:
        upload = await Uploader(scene.mallory).promised(PNG)
        headers = {header["name"]: header["value"] for header in upload["headers"]}
        asked: dict[str, Any] = {"url": upload["url"], "method": "PUT", "data": PNG, "headers": headers}
        change(asked)
        try:
            answer = await _answered(
                scene.mallory.http, asked["method"], asked["url"], data=asked["data"], headers=asked["headers"]
            )
        except aiohttp.ClientError:
            return Answer(0, "")
        taken = answer.status == 200 and expects_refusal
        return Answer(500 if taken else answer.status, answer.text)

    return Attack(name, run)


def _with(part: str, value: Any) -> Change:
    return lambda asked: asked.__setitem__(part, value)


def _replaced(old: str, new: str) -> Change:
    def change(asked: dict[str, Any]) -> None:
        asked["url"] = asked["url"].replace(old, new)

    return change


def _header(**headers: str) -> Change:
    return lambda asked: asked["headers"].update({key.replace("_", "-"): value for key, value in headers.items()})


def _query(url: str, **changes: str) -> str:
    parts = urlsplit(url)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()} | changes
    return parts._replace(query="&".join(f"{name}={value}" for name, value in query.items())).geturl()


def _asked(**changes: str) -> Change:
    def change(asked: dict[str, Any]) -> None:
        asked["url"] = _query(asked["url"], **changes)

    return change


async def _twice(scene: Scene) -> Answer:
    """The same bytes again, once it has been completed."""
    uploader = Uploader(scene.mallory)
    upload = await uploader.sent(PNG)
    await uploader.complete(upload["id"])
    status = await uploader.put(upload, PNG)
    return Answer(500 if status == 200 else status, "")


async def _from_another(scene: Scene) -> Answer:
    """The signature of one upload at the address of another."""
    uploader = Uploader(scene.mallory)
    one, other = await uploader.promised(PNG), await uploader.promised(PNG)
    url = other["url"].partition("?")[0] + "?" + one["url"].partition("?")[2]
    status = await uploader.put(one, PNG, url=url)
    return Answer(500 if status == 200 else status, "")


async def _of_another(scene: Scene) -> Answer:
    """The signature of a picture of one's own at the address of hers."""
    own = _signed(scene, HIS)
    answer = await _answered(scene.mallory.http, "GET", own.replace(str(HIS), str(HERS)))
    return Answer(500 if answer.status == 200 else answer.status, answer.text)


def each(name: str, paths: Mapping[str, str]) -> list[Hostile]:
    """A GET of each."""
    return [_get(f"{name} {what}", path) for what, path in paths.items()]


ZERO = f"{0:032x}"
PATHS = each(
    "a picture",
    {
        "above": "/i/../../../../etc/passwd",
        "above, escaped": "/i/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "above, escaped twice": "/i/%252e%252e%252f%252e%252e%252fetc%252fpasswd/full",
        "above, with slashes of another kind": "/i/..%5c..%5c..%5csecrets.json/full",
        "above, in its variant": f"/i/{HERS}/..%2f..%2f..%2fsecrets.json",
        "with a null byte": f"/i/{HERS}%00/full",
        "with a null byte in its variant": f"/i/{HERS}/full%00.webp",
        "of her own": f"/i/{HERS}/full",
        "of her own, archived": f"/i/{str(HERS)[:-1]}2/full",
        "of a variant that is none": f"/i/{HERS}/huge",
        "of no variant": f"/i/{HERS}/",
        "of SQL": "/i/'%20or%201=1--/full",
        "of no UTF-8": "/i/%ff%fe/full",
        "in capitals": f"/i/{str(HERS).upper()}/FULL",
        "in braces": f"/i/%7b{HERS}%7d/full",
        "without dashes": f"/i/{HERS.hex}/full",
        "of zeros": f"/i/{UUID(int=0)}/full",
        "of 7,000 characters": "/i/" + "a" * 7000 + "/full",
        "with slashes": "//i//////" + str(HERS) + "/full",
        "signed with nothing": f"/i/{HERS}/full?until=&signature=",
        "signed with half": f"/i/{HERS}/full?until=99999999999",
        "signed until nothing": f"/i/{HERS}/full?until=NaN&signature={ZERO}",
        "signed until the end of numbers": f"/i/{HERS}/full?until={'9' * 4000}&signature={ZERO}",
        "signed until after that": f"/i/{HERS}/full?until={'9' * 5000}&signature={ZERO}",
        "signed until less than nothing": f"/i/{HERS}/full?until=-1&signature={ZERO}",
        "signed in other digits": f"/i/{HERS}/full?until=%D9%A3%D9%A3&signature={ZERO}",
        "signed with no ASCII": f"/i/{HERS}/full?until=1&signature=%ff%fe%ed%a0%80",
        "signed with 7,000 characters": f"/i/{HERS}/full?until=1&signature=" + "a" * 7000,
        "signed twice": f"/i/{HERS}/full?until=1&until=2&signature=a&signature=b",
        "with 2,000 parameters": f"/i/{HERS}/full?" + "&a=b" * 2000,
    },
) + each(
    "elsewhere:",
    {
        "a folder": "/uploads/",
        "an upload, read": f"/uploads/{HERS}",
        "an upload above": "/uploads/..%2f..%2fsecrets.json",
        "the health of others": "/healthz/../readyz/..;/",
        "readiness with a body": "/readyz?verbose=true&check=../../etc",
        "a page with a script": "/graphiql?query=%3Cscript%3Ealert(1)%3C/script%3E",
        "a file of the page": "/graphiql/..%2f..%2fpicture/app.py",
        "a file of the page, twice": "/graphiql//..//..//etc/passwd",
        "an empty path": "/?",
        "a path with a tab": "/graphql%09",
        "a path with lines": "/%0d%0aSet-Cookie:%20a=b",
        "a query of 60,000 characters": "/graphql?query=" + "a" * 60_000,
        "a query of 20,000 parameters": "/graphql?" + "&a=1" * 15_000,
        "a query that is no text": "/graphql?query=%ed%a0%80&variables=%00",
    },
)  # fmt: skip
METHODS = [
    _get(f"{method} of {what}", path, method)
    for method in ("HEAD", "OPTIONS", "TRACE", "PATCH", "DELETE", "POST", "PUT", "PROPFIND")
    for what, path in {
        "a picture": f"/i/{HERS}/full", "an upload": f"/uploads/{HERS}", "health": "/healthz", "readiness": "/readyz",
    }.items()
]  # fmt: skip
CONDITIONS = [
    picture("as it is"),
    picture("without its bytes", "HEAD"),
    picture("1,000 ranges", Range="bytes=" + ",".join(f"{n}-{n}" for n in range(1000))),
    picture("ranges within ranges", Range="bytes=" + ",".join(["0-"] * 1000)),
    picture("a range after the end", Range="bytes=999999999-"),
    picture("a range of more than there can be", Range="bytes=" + "9" * 18 + "-" + "9" * 18),
    picture("a range of too many digits", Range="bytes=" + "9" * 5000 + "-"),
    picture("a range below nothing", Range="bytes=--5"),
    picture("a range of the last nothing", Range="bytes=-0"),
    picture("a range of the last, and more", Range="bytes=-" + "9" * 18),
    picture("a range backwards", Range="bytes=9-1"),
    picture("a range of other units", Range="lines=1-2"),
    picture("a range of other digits", Range="bytes=\u0661-\u0662".encode().decode("latin-1")),
    picture("a range without numbers", Range="bytes=-"),
    picture("a range without its bytes", "HEAD", Range="bytes=0-0"),
    picture("a range of a version", Range="bytes=0-0", If_Range='"a"'),
    picture("of 1,000 versions", If_None_Match=", ".join(f'"{n}"' for n in range(5000))),
    picture("of any version", If_None_Match="*"),
    picture("of a version that is none", If_None_Match='W/"' + "a" * 20_000),
    picture("of no version", If_Match='"a"', If_Unmodified_Since="yesterday"),
    picture("since a day that is none", If_Modified_Since="Thu, 99 Xxx 0000 99:99:99 GMT"),
    picture("compressed", Accept_Encoding="gzip, br, " * 500),
    picture("through another host", X_Forwarded_Host="evil.example", Forwarded="for=_secret;host=evil.example"),
    picture("from another host", Host="evil.example"),
    private("signed, of another variant", lambda url: url.replace("/full", "/download")),
    private("signed, of another picture", lambda url: url.replace(str(HERS), f"{str(HERS)[:-1]}2")),
    private("signed, until later", lambda url: _query(url, until="99999999999")),
    private("signed, and reversed", lambda url: url[:-8] + url[-8:][::-1]),
    private("signed, and cut", lambda url: url[:-1]),
    private("signed, and longer", lambda url: url + "0"),
    private("signed, of its name in capitals", lambda url: url.replace(str(HERS), f"{HERS}".replace("-", ""))),
    private("signed, then signed otherwise", lambda url: url.replace("?", f"?signature={ZERO}&") + "&signature="),
    Attack("signed for one's own", _of_another),
]
UPLOADS = [
    put("as it should be", expects_refusal=False),
    put("with a later end", _asked(until="99999999999")),
    put("with an end that is none", _asked(until="never")),
    put("with an end of 4,000 digits", _asked(until="9" * 4000)),
    put("with an end in other digits", _asked(until="%D9%A3%D9%A3")),
    put("with an end that was", _asked(until="1")),
    put("with another signature", _asked(signature=ZERO * 2)),
    put("with a signature that is no ASCII", _asked(signature="%ff%fe%ed%a0%80")),
    put("with no signature", lambda asked: asked.update(url=asked["url"].partition("?")[0])),
    put("to another upload", lambda asked: asked.update(url=f"{asked['url'].rpartition('/')[0]}/{HERS}?{asked['url'].partition('?')[2]}")),
    put("to a path above", _replaced("/uploads/", "/uploads/..%2f")),
    put("to a path of pictures", _replaced("/uploads/", "/i/")),
    put("to a key of its own", _asked(key="picture/generations/a"), expects_refusal=False),
    put("with POST", _with("method", "POST")),
    put("with PATCH", _with("method", "PATCH")),
    put("with DELETE", _with("method", "DELETE")),
    put("of another type", _header(Content_Type="text/html")),
    put("of two types", _header(Content_Type="image/png, text/html")),
    put("of no type", _header(Content_Type="")),
    put("more than was said", _with("data", PNG + b"a")),
    put("less than was said", _with("data", PNG[:-1])),
    put("nothing", _with("data", b"")),
    put("ten megabytes", _with("data", bytes(10_000_000))),
    put("the end of a range", _header(Content_Range="bytes 0-0/99999999999"), expects_refusal=False),
    put("of bytes that are said to be compressed", _header(Content_Encoding="gzip"), expects_refusal=False),
    put("with a token that is none", _header(Authorization="Bearer a.b.c"), expects_refusal=False),
    put("with SQL for a name", _header(Content_Disposition="attachment; filename=\"'; drop table uploads\""), expects_refusal=False),
    Attack("a second time", _twice),
    Attack("by another's signature", _from_another),
    *[
        put(f"{name}, instead", _with("data", make()))
        for name, (make, _) in files.FILES.items()
        if name in ("HTML", "SVG", "EICAR", "a ZIP", "a header of 40,000 \u00d7 40,000 pixels", "half a PNG", "nothing but zeros")
    ],
]  # fmt: skip
REQUESTS: list[Any] = [*PATHS, *METHODS, *CONDITIONS, *UPLOADS]
