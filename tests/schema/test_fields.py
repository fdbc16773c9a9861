"""Every field of every answer is read in a house where everything has happened, and says what is so."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest

from gpu.simulator import open_simulator
from picture.settings import Settings
from tests.conftest import QUICK, SECRET, House
from tests.schema.reading import gallery, generations, known
from tests.schema.reading.asking import Asker
from tests.schema.reading.expecting import Checked, differences
from tests.schema.reading.notebook import ROOTS, Notebook, all_fields, all_inputs
from tests.schema.reading.story import SETTINGS, Story
from tests.services import Services

# What is empty however it comes about, and why.
NEVER_SAID = {
    ("QuotaExceededError", "path"): "no field of the input is at fault when there is no room",
    ("RateLimitError", "path"): "no field of the input is at fault when there were too many",
}


async def tell(story: Story) -> None:
    """From the beginning to the end."""
    await gallery.people(story)
    await generations.waiting(story)
    async with generations.listening(story):
        await story.house.start_worker()
        await story.house.start_scheduler()
        await generations.running(story)
        await generations.pictures(story)
        await generations.failing(story)
    await generations.together(story)
    await gallery.sent(story)
    await gallery.shown(story)
    await gallery.lists(story)
    await generations.estimated(story)
    await gallery.endings(story)


@pytest.fixture(scope="module")
async def story(services: Services, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Story]:
    """Told once for all that look at it."""
    home = tmp_path_factory.mktemp("story")
    async with (
        services.database() as addresses,
        open_simulator(folder=home / "engine") as engine,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as http,
        AsyncExitStack() as stack,
    ):
        settings = Settings.given(
            home=home / "home",
            database_url=addresses.database_url,
            database_worker_url=addresses.database_worker_url,
            redis_url=services.redis_url,
            namespace=addresses.database_url.rsplit("/", 1)[1],
            comfyui_folder=engine.folder,
            token_secret=SECRET,
            secret=SECRET,
            **QUICK | SETTINGS,
        )
        house = House(settings, addresses, engine, http, stack)
        await house.start_api()
        notebook = Notebook()
        alice, bob = (
            Asker(house.person(name, email=f"{name}@pictures.example"), notebook) for name in ("alice", "bob")
        )
        story = Story(house, alice, bob)
        await tell(story)
        yield story


@pytest.fixture
def notebook(story: Story) -> Notebook:
    return story.alice.notebook


def says(value: Any) -> bool:
    return value is not None and value != []


def test_every_field_is_read(notebook: Notebook) -> None:
    assert sorted(all_fields() - set(notebook.seen)) == [], "let the story come by them: tests/schema/reading/"


def test_every_argument_and_input_field_is_given(notebook: Notebook) -> None:
    assert sorted(all_inputs() - notebook.given) == [], "let somebody in the story say them"


def test_every_value_is_of_its_kind(notebook: Notebook) -> None:
    assert notebook.wrong == []


def test_every_field_has_something_to_say(notebook: Notebook) -> None:
    silent = {field for field, values in notebook.seen.items() if not any(says(value) for value in values)}
    assert silent == set(NEVER_SAID)


def test_what_is_known_is_what_is_said(story: Story, notebook: Notebook) -> None:
    checked: Checked = set()
    expected = known.by_name(story)
    wrong = [line for name in expected for line in differences(expected[name], story.things[name], name, checked)]
    for kind, part in known.by_type(story):
        if not any(not list(differences(part, one, kind, checked)) for one in notebook.objects[kind]):
            wrong.append(f"{kind}: none was like {part}")
    assert wrong == [], "\n".join(wrong)
    roots = {root.name for root in ROOTS.values()}
    unknown = {field for field in all_fields() - checked if field[0] not in roots}
    assert len(unknown) <= 0.1 * len(all_fields()), f"say what these should be: {sorted(unknown)}"
