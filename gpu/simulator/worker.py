"""The one worker: takes a prompt, runs it to its end, takes the next."""

import asyncio
import time
from typing import Any

from gpu.simulator import behaviour, nodes
from gpu.simulator.behaviour import FaultError, InterruptedRunError
from gpu.simulator.caches import Made
from gpu.simulator.graphs import Plan, is_link, signatures
from gpu.simulator.prompts import Item
from gpu.simulator.reports import Report
from gpu.simulator.scripts import Moment, Rule
from gpu.simulator.state import State
from gpu.simulator.validation import traceback_of

_GAP_SECONDS = 0.001  # from the last event to the history; the real one takes as long, and now and then 0.9 s


async def work(state: State) -> None:
    """Run prompts for ever. A fault outside a node ends it for good, like the real server's thread."""
    while True:
        following = await state.prompts.ready()
        rules = await Run(state, following).reach("take")
        if any(rule.do == "dead_worker" for rule in rules):
            break
        if not state.prompts.waiting:  # deleted during a pause
            continue
        try:
            item = state.prompts.take()
        except TypeError:  # two dicts were compared: see Prompts.put
            break
        await Run(state, item).execute()
        state.forget()
    state.journal.write("worker_died")


class Run:
    """One prompt, from its taking to its end."""

    def __init__(self, state: State, item: Item) -> None:
        self.state = state
        self.item = item
        self.prompt_id, self.graph, self.extra, self.outputs = item[1:]
        self.client: str | None = self.extra.get("client_id")
        self.report = Report(state.sockets, self.prompt_id, self.client)
        self.results: dict[str, Made] = {}
        self.executed: list[str] = []
        self.shown: dict[str, dict[str, Any]] = {}
        self._text = text_of(self.graph)
        self._due = time.monotonic()
        self._seconds_per_weight = 0.0
        self._is_without_output = False
        self._names: frozenset[str] = frozenset()

    async def execute(self) -> None:
        """Run it, and leave its history."""
        state = self.state
        state.client, state.node = self.client, None
        state.interrupted.clear()
        state.journal.write("started", prompt_id=self.prompt_id)
        outcome = await self._outcome()
        await self.reach("success")
        await asyncio.sleep(_GAP_SECONDS)
        is_lost = any(rule.do == "lose_history" for rule in await self.reach("end"))
        state.prompts.finish(self.item, None if is_lost else outcome)
        state.node = None
        self.report.ended()
        state.journal.write("finished", prompt_id=self.prompt_id, status=outcome["status"]["status_str"])
        await self.reach("ended")

    async def _outcome(self) -> dict[str, Any]:
        self.report.milestone("execution_start", {})
        names = signatures(self.graph, self.state.folders)
        self._names = frozenset(names.values())
        if any(rule.do == "cached_output" for rule in await self.reach("start")):
            self._pretend()
        else:
            kept = ((node_id, self.state.cache.get(name)) for node_id, name in names.items())
            self.results = {node_id: made for node_id, made in kept if made is not None}
        self.report.milestone("execution_cached", {"nodes": [node for node in self.graph if node in self.results]})
        plan = Plan(self.graph, self.outputs, self.results.__contains__)
        weights = [behaviour.weight(self.graph[node_id]["class_type"]) for node_id in plan.waiting()]
        self._seconds_per_weight = self.state.seconds / max(sum(weights), 1)
        self._due = time.monotonic()
        is_success = True
        while plan and is_success:
            node_id = plan.next()
            is_success = await self._node(node_id, names[node_id])
            plan.done(node_id)
        if is_success:
            self.report.milestone("execution_success", {})
        return self._history(is_success)

    def _history(self, is_success: bool) -> dict[str, Any]:
        said = {"status_str": "success" if is_success else "error", "completed": is_success}
        names = {"parent_node": None}
        meta = {n: {"node_id": n, "display_node": n, **names, "real_node_id": n} for n in self.shown}
        return {"outputs": self.shown, "status": {**said, "messages": self.report.messages}, "meta": meta}

    def _pretend(self) -> None:
        """Act as if all had been made before, by a run whose file has been cleaned away since."""
        gone = {"images": [{"filename": "gone_00001_.png", "subfolder": "", "type": "output"}]}
        self.results = {node_id: Made((), gone if node_id in self.outputs else None) for node_id in self.graph}

    async def _node(self, node_id: str, name: str) -> bool:
        """Run one node; False when it ended the prompt, which then has been told."""
        if (made := self.results.get(node_id)) is None:
            self.state.node = node_id
            self.report.executing(node_id)
            made = await self._made(node_id)
            if made is None:
                return False
            self.results[node_id] = made
            self.executed.append(node_id)
            if not self._is_without_output:
                self.state.cache.put(name, made)
            self.state.cache.keep(self._names)
        if made.shown is not None:
            self.shown[node_id] = made.shown
            self.report.executed(node_id, made.shown)
        self.report.finished(node_id)
        return True

    async def _made(self, node_id: str) -> Made | None:
        about = {"node_id": node_id, "node_type": self.graph[node_id]["class_type"], "executed": self.executed}
        inputs = self._inputs(node_id)
        try:
            return await behaviour.execute(self, node_id, inputs)
        except InterruptedRunError:
            self.report.milestone("execution_interrupted", about, to_all=True)
        except Exception as error:  # noqa: BLE001 — a node may raise anything; it ends the prompt, never the worker
            self.report.milestone("execution_error", {**about, **self._fault(error, about["node_type"], inputs)})
        return None

    def _fault(self, error: Exception, node_class: str, inputs: dict[str, Any]) -> dict[str, Any]:
        kind = type(error)
        name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        message = f"{error}\n"
        if isinstance(error, FaultError):
            name, message = error.type, str(error)
        hidden = {"prompt": self.graph, "extra_pnginfo": self.extra.get("extra_pnginfo")}
        shown = inputs | {key: hidden[key] for key in (nodes.find(node_class) or {}).get("hidden", {})}
        return {
            "exception_message": message,
            "exception_type": name,
            "traceback": traceback_of("execute", "get_output_data", "_async_map_node_over_list", "process_inputs"),
            "current_inputs": {key: [_shown(value)] for key, value in shown.items()},
            "current_outputs": list(self.graph),
        }

    def _inputs(self, node_id: str) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for name, value in self.graph[node_id]["inputs"].items():
            given[name] = self.results[value[0]].values[value[1]] if is_link(value) else value
        return given

    async def reach(self, point: str, node_id: str | None = None, step: int = 0) -> list[Rule]:
        """The script's rules for this point of this run, those of them that stop a node having stopped it."""
        node_class = self.graph[node_id]["class_type"] if node_id else ""
        moment = Moment(point, self.state.nth.get(self.prompt_id, 0), self._text, node_class, step)
        rules = await self.state.reach(moment, self.prompt_id, self.client)
        for rule in rules:
            if rule.do in ("node_error", "out_of_memory"):
                raise behaviour.fault(rule)
            if rule.do == "no_output":
                self._is_without_output = True
        return rules

    async def spend(self, weight: float, *, may_stop: bool = True) -> None:
        """Let the time pass that this much work takes. Raises InterruptedRunError when asked to stop."""
        self._due += weight * self._seconds_per_weight
        left = self._due - time.monotonic()
        if left > 0 and may_stop:
            try:
                await asyncio.wait_for(self.state.interrupted.wait(), left)
            except TimeoutError:
                left = 0
        else:
            await asyncio.sleep(max(left, 0))  # with nothing to wait for: let requests be heard between two steps
        if may_stop:
            self.check()

    def check(self) -> None:
        """Raise InterruptedRunError when asked to stop."""
        if self.state.interrupted.is_set():
            self.state.interrupted.clear()
            raise InterruptedRunError


def _shown(value: object) -> object:
    return value if isinstance(value, int | float | str) else str(value)


def text_of(graph: dict[str, Any]) -> str:
    """All plain strings of a graph: what a script's `prompt` is looked for in."""
    values = [value for node in graph.values() for value in node.get("inputs", {}).values()]
    return "\n".join(value for value in values if isinstance(value, str))
