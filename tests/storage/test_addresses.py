"""Addresses: stable for a window, good for half of one to one and a half, and nobody else's."""

from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest

from storage.addresses import DOWNLOAD, VARIANTS, Addresses
from storage.errors import AddressError, AddressExpiredError

NOW = 1_800_000_000.0
ADDRESSES = Addresses("https://pictures.example.com/", "a secret that is long", 3600)


def parts(url: str) -> tuple[UUID, str, str, str]:
    """What a request for `url` carries: id, variant, until, signature."""
    split = urlsplit(url)
    _, _, id, variant = split.path.split("/")
    query = parse_qs(split.query)
    return UUID(id), variant, query["until"][0], query["signature"][0]


def test_a_public_address_is_the_publications_and_does_not_end() -> None:
    image_id, publication_id = uuid4(), uuid4()
    addresses = ADDRESSES.image(image_id, publication_id)
    assert addresses.url() == f"https://pictures.example.com/i/{publication_id}/full"
    assert addresses.url("small") == f"https://pictures.example.com/i/{publication_id}/small"
    assert addresses.expires_at is None


def test_a_private_address_is_good_for_30_to_90_minutes_from_any_moment() -> None:
    for minute in range(0, 300, 7):
        now = NOW + minute * 60
        addresses = ADDRESSES.image(uuid4(), None, now)
        left = ADDRESSES.verify(*parts(addresses.url()), now)
        assert 1800 <= left <= 5400
        assert addresses.expires_at
        assert addresses.expires_at.timestamp() == pytest.approx(now + left)


def test_it_stays_the_same_within_a_window_and_then_changes_once() -> None:
    image_id = uuid4()
    seen = [ADDRESSES.image(image_id, None, NOW + second).url() for second in range(0, 3600, 10)]
    assert len(set(seen)) <= 2
    assert len({ADDRESSES.image(image_id, None, NOW + hour * 3600).url() for hour in range(5)}) == 5


def test_not_all_pictures_change_theirs_at_the_same_moment() -> None:
    assert len({ADDRESSES.image(uuid4(), None, NOW).until for _ in range(100)}) > 50


def test_every_process_with_the_secret_makes_and_takes_the_same() -> None:
    other = Addresses("https://pictures.example.com", "a secret that is long", 3600)
    image_id = uuid4()
    assert other.image(image_id, None, NOW).url() == ADDRESSES.image(image_id, None, NOW).url()
    stranger = Addresses("https://pictures.example.com", "another secret, as long", 3600)
    with pytest.raises(AddressError):
        stranger.verify(*parts(ADDRESSES.image(image_id, None, NOW).url()), NOW)


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_a_signature_is_for_one_picture_one_variant_one_end(variant: str) -> None:
    id, _, until, signature = parts(ADDRESSES.image(uuid4(), None, NOW).url(variant))
    assert ADDRESSES.verify(id, variant, until, signature, NOW) > 0
    changed = [
        (uuid4(), variant, until, signature),
        (id, "small" if variant == DOWNLOAD else DOWNLOAD, until, signature),
        (id, variant, str(int(until) + 3600), signature),
        (id, variant, until, "0" * 64),
        (id, variant, until, ""),
        (id, variant, until, "ü" * 64),
        (id, variant, "", signature),
        (id, variant, "soon", signature),
        (id, variant, "9" * 5000, signature),
    ]
    for what in changed:
        with pytest.raises(AddressError) as refusal:
            ADDRESSES.verify(*what, NOW)
        assert not isinstance(refusal.value, AddressExpiredError)


def test_an_expired_address_says_so_to_who_had_it() -> None:
    id, variant, until, signature = parts(ADDRESSES.image(uuid4(), None, NOW).url())
    assert ADDRESSES.verify(id, variant, until, signature, int(until) - 1) == 1
    with pytest.raises(AddressExpiredError, match="expired"):
        ADDRESSES.verify(id, variant, until, signature, int(until))


def test_the_secret_is_not_shown() -> None:
    assert "secret" not in repr(ADDRESSES.image(uuid4(), None, NOW))
