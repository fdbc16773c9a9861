"""Where those stand who wait, and why."""

from collections.abc import Sequence

from db import generations, queue
from db.claims import ANONYMOUS
from db.enums import HeldReason
from db.generations import GenerationFilter
from db.paging import PageRequest
from db.queue import QueueRules
from db.tables import ModelRow
from tests.db.conftest import Execute
from tests.db.people import People, Worker


async def test_places_count_those_who_start_before(people: People, worker: Worker) -> None:
    await worker.beat()
    alice, bob = await people("alice"), await people("bob")
    rows = [await alice.create(), await alice.create(), await bob.create()]
    async with alice.db.as_user(ANONYMOUS) as session:
        places = await queue.places(session, [row.id for row in rows], QueueRules())
    by_turn = sorted(rows, key=lambda row: (row.tag, row.created_at))
    assert [places[row.id].position for row in by_turn] == [1, 2, 3]
    seconds = rows[0].expected_seconds
    assert [places[row.id].eta_seconds for row in by_turn] == [seconds, 2 * seconds, 3 * seconds]
    assert {place.held_reason for place in places.values()} == {None}
    taken = [(await worker.reserve()) for _ in rows]
    assert [row and row.id for row in taken] == [row.id for row in by_turn]


async def test_a_reservation_goes_before_all_that_only_wait(people: People, worker: Worker, execute: Execute) -> None:
    await worker.beat()
    alice, bob = await people("alice"), await people("bob")
    held = await alice.create()
    assert await worker.reserve()
    urgent = await bob.create()
    await execute("update image_generations set priority = 9 where id = :id", id=urgent.id)
    places = [await alice.place(held), await bob.place(urgent)]
    assert [place and place.position for place in places] == [1, 2]


async def test_priority_goes_before_the_tag(people: People, worker: Worker, execute: Execute) -> None:
    await worker.beat()
    alice = await people("alice")
    first, urgent = await alice.create(), await alice.create()
    await execute("update image_generations set priority = 1 where id = :id", id=urgent.id)
    places = [await alice.place(row) for row in (urgent, first)]
    assert [place and place.position for place in places] == [1, 2]


async def test_what_runs_delays_those_who_wait(people: People, worker: Worker, execute: Execute) -> None:
    await worker.beat()
    alice = await people("alice")
    runs, waits = await alice.create(), await alice.create()
    await worker.take()
    await execute("update image_generations set expected_seconds = 1000 where id = :id", id=runs.id)
    place = await alice.place(waits)
    assert place
    assert place.eta_seconds
    assert (place.position, round(place.eta_seconds, -1)) == (1, round(1000 + waits.expected_seconds, -1))
    await worker.named("another").beat()
    halved = await alice.place(waits)
    assert halved
    assert halved.eta_seconds
    assert halved.eta_seconds < 600


async def test_without_a_worker_for_its_model_there_is_no_place(
    people: People, worker: Worker, catalogue: Sequence[ModelRow], execute: Execute
) -> None:
    alice = await people("alice")
    row = await alice.create()
    for models in ([], [catalogue[1].id]):
        await worker.named("unable", models=models).beat()
        place = await alice.place(row)
        assert place
        assert (place.position, place.held_reason, place.eta_seconds) == (None, HeldReason.NO_WORKER, None)
    await worker.beat()
    place = await alice.place(row)
    assert place
    assert (place.position, place.held_reason) == (1, None)
    await execute("update workers set heartbeat_at = now() - interval '21 seconds'")
    place = await alice.place(row)
    assert place
    assert place.held_reason is HeldReason.NO_WORKER


async def test_models_of_other_workers_are_not_ahead(
    people: People, worker: Worker, catalogue: Sequence[ModelRow]
) -> None:
    one, two = catalogue[:2]
    await worker.named("one", models=[one.id]).beat()
    await worker.named("two", models=[two.id]).beat()
    alice = await people("alice")
    for _ in range(3):
        await alice.create(model=one)
    place = await alice.place(await alice.create(model=two))
    assert place
    assert place.position == 1


async def test_a_pause_before_the_next_attempt_is_a_reason_to_wait(people: People, worker: Worker) -> None:
    await worker.beat()
    alice = await people("alice")
    row = await alice.create()
    await worker.fail(await worker.take(), retry_after_seconds=60)
    place = await alice.place(row)
    assert place
    assert place.eta_seconds
    assert (place.position, place.held_reason) == (1, HeldReason.BACKOFF)
    assert 55 < place.eta_seconds - row.expected_seconds <= 60


async def test_as_many_running_as_one_may_is_a_reason_to_wait(people: People, worker: Worker) -> None:
    await worker.beat()
    alice = await people("alice")
    _, _, waits = [await alice.create() for _ in range(3)]
    rules = QueueRules(max_concurrent=2)
    await worker.take()
    place = await alice.place(waits, rules)
    assert place
    assert place.held_reason is None
    held = await worker.reserve()
    place = await alice.place(waits, rules)
    assert place
    assert place.held_reason is HeldReason.CONCURRENCY_LIMIT
    assert held
    place = await alice.place(held, rules)
    assert place
    assert place.held_reason is None, "it has its turn"


async def test_many_places_at_once_are_as_counted_by_hand(
    people: People, worker: Worker, catalogue: Sequence[ModelRow], execute: Execute
) -> None:
    """Priorities, equal tags, reservations, and two workers of which one also runs the other's model."""
    one, two, three = catalogue[:3]
    await worker.named("one", models=[one.id]).beat()
    await worker.named("both", models=[one.id, two.id]).beat()
    await worker.named("three", models=[three.id]).beat()
    alice = await people("alice")
    rows = [await alice.create(model=catalogue[number % 3]) for number in range(36)]
    for number, row in enumerate(rows):
        values = {"id": row.id, "priority": number * 7 % 3, "tag": number * 5 % 6}
        await execute("update image_generations set priority = :priority, tag = :tag where id = :id", **values)
    held = [row.id for row in [await worker.reserve() for _ in range(5)] if row]
    async with alice.db.as_user(alice.claims) as session:
        rows = list((await generations.page(session, alice.id, PageRequest(100), GenerationFilter())).rows)
        places = await queue.places(session, [row.id for row in rows], QueueRules(max_concurrent=100))
    rows.sort(key=lambda row: (row.id not in held, -row.priority * (row.id not in held), row.tag, row.created_at))
    for models in ({one.id, two.id}, {three.id}):
        line = [row for row in rows if row.model_id in models]
        assert [places[row.id].position for row in line] == list(range(1, len(line) + 1))
    assert len(places) == len(rows)


async def test_what_does_not_wait_has_no_place(people: People, worker: Worker) -> None:
    alice = await people("alice")
    row = await alice.create()
    await worker.take()
    assert await alice.place(row) is None
