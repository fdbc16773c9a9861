"""Search: words of any language find the prompts that have them, and nothing in it is syntax."""

from uuid import UUID

import pytest

from db.claims import Claims
from db.counts import Counts
from db.galleries import Gallery
from db.narrowing import ImageFilter
from db.paging import Order, PageRequest
from tests.client import Client
from tests.conftest import House
from tests.resolvers.shelves import Picture, store

LIST = """query($search: String, $scope: ImageScope! = PUBLIC) { images(scope: $scope, filter: {search: $search}) {
  edges { node { prompt } } totalCount } }"""
PROMPTS = (
    "A red fox, standing in deep snow – 8K, f/1.4",
    "Лиса в зимнем лесу",
    "Un café à la forêt, l'été",
    "ΟΔΟΣ με φως",
    "私は雪の中で赤い狐を見た",
    "一只红色的狐狸在雪地里",
    "눈 속의 여우를 보았다",
    "จิ้งจอกแดงในหิมะ",
    "ثعلب أحمر في الثلج، ليلا",
    "बर्फ में लाल लोमड़ी।",
    "🦊🌲 sticker",
    "don't it's rock'n'roll & jazz | blues",
)
FINDS = (
    ("RED fox", 0), ("snow deep", 0), ("8k", 0), ("лису", None), ("ЛИСА лесу", 1), ("cafe foret", 2), ("CAFÉ", 2),
    ("οδος", 3), ("ΦΩΣ", 3), ("赤い狐", 4), ("雪の中", 4), ("見た", 4), ("狐", (5, 4)), ("红色的狐狸", 5),
    ("色红", None), ("ثَعْلَب", 8),
    ("여우", 6), ("속의 여우", 6), ("จิ้งจอก", 7), ("หิมะ", 7), ("ثعلب", 8), ("الثلج", 8), ("लोमड़ी", 9), ("🦊", 10),
    ("jazz blues", 11), ("fo", None), ("fox wolf", None), ("ＲＥＤ", 0), ("re\u0301d", 0),
)  # fmt: skip
HARMLESS = (
    "'", '"', "&", "|", "!", "!fox", "fox & !snow", "fox:*", "fox:a", "<->", "\\", "fox\\", "\\'", "()", "((", "%", "_",
    "*", "--", "/*", "';drop table images;--", "@", "{}", "$1", ":search", "\t\n", "fox\0", "\ufeff", "\u202e",
    "a" * 10_000, "fox " * 2_500, "狐" * 10_000, "&|!:*" * 2_000, "".join(chr(0x4E00 + n) for n in range(10_000)),
)  # fmt: skip


@pytest.fixture
async def owner(alice: Client) -> UUID:
    await alice.query("{ viewer { email } }")
    assert alice.sub
    return alice.sub


@pytest.fixture
async def prompts(api: House, owner: UUID) -> None:
    await store(api, [Picture(owner, prompt=prompt) for prompt in PROMPTS])


async def found(client: Client, search: str | None, scope: str = "PUBLIC") -> set[str]:
    answer = (await client.query(LIST, search=search, scope=scope))["images"]
    assert answer["totalCount"] == len(answer["edges"])
    return {edge["node"]["prompt"] for edge in answer["edges"]}


@pytest.mark.usefixtures("prompts")
async def test_words_of_any_language_are_found(nobody: Client) -> None:
    for search, which in FINDS:
        places = which if isinstance(which, tuple) else () if which is None else (which,)
        assert await found(nobody, search) == {PROMPTS[place] for place in places}, search


@pytest.mark.usefixtures("prompts")
async def test_what_looks_like_syntax_is_words_or_nothing(nobody: Client) -> None:
    for search in HARMLESS:
        seen = await found(nobody, search)
        has_words = any(character.isalnum() for character in search)
        assert len(seen) == len(PROMPTS) if not has_words else len(seen) <= 1, search[:20]


@pytest.mark.usefixtures("prompts")
async def test_a_search_without_a_word_narrows_nothing(nobody: Client) -> None:
    for search in ("", "   ", " – , ! ", None):
        assert len(await found(nobody, search)) == len(PROMPTS), search


async def test_search_finds_nobody_elses_private_images(api: House, alice: Client, bob: Client, owner: UUID) -> None:
    await bob.query("{ viewer { email } }")
    assert bob.sub
    hers = [Picture(owner, prompt="fox private", public=False), Picture(owner, prompt="fox archived", archived=True)]
    hers.append(Picture(owner, prompt="fox hidden", hidden=True))
    await store(api, [*hers, Picture(bob.sub, prompt="fox of bob", public=False)])
    assert await found(bob, "fox", "MINE") == {"fox of bob"}
    assert await found(bob, "fox") == set()
    assert await found(bob, f"@{owner}") == await found(bob, "@") - {"fox of bob"} == set()
    assert await found(alice, "fox", "MINE") == {"fox private", "fox hidden"}
    await alice.mutate("updateImage", "image { id }", input={"id": hers[0].global_id, "isPublic": True})
    assert await found(bob, "fox") == {"fox private"}


async def test_what_is_too_much_to_go_through_is_met_on_the_way(api: House, alice: Client, owner: UUID) -> None:
    """With room for 2 instead of 10,000, the same comes out."""
    await store(api, [Picture(owner, prompt="fox", tags=frozenset(["snow"]), public=n % 3 > 0) for n in range(12)])
    db, claims = await api.database(), Claims(sub=owner)
    filters = (ImageFilter(search="fox"), ImageFilter(tags=("snow",)), ImageFilter(search="fox", tags=("snow",)))
    orders: tuple[Order, ...] = ("NEWEST", "OLDEST", "MOST_LIKED")
    for scope in ("PUBLIC", "MINE"):
        for filter, order in ((filter, order) for filter in filters for order in orders):
            pages = [
                await Gallery(db, claims, Counts(), scope, filter).page(
                    PageRequest(5), order, few=few, few_by_likes=few
                )
                for few in (2, 10_000)
            ]
            assert [row.id for row in pages[0].rows] == [row.id for row in pages[1].rows]
            assert len(pages[0].rows) == 5
