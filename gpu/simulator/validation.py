"""Whether a posted graph may be queued, and what is wrong with it, in ComfyUI's own words and shapes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gpu.simulator import nodes
from gpu.simulator.files import Folders
from gpu.simulator.nodes import Catalogue

Graph = dict[str, Any]
Problem = dict[str, Any]

_SHOWN_CHOICES = 20  # longer lists are left out of the message


def problem(type: str, message: str, details: str, **extra: Any) -> Problem:
    """One error as the server shapes it."""
    return {"type": type, "message": message, "details": details, "extra_info": extra}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`error` is None when the graph may run; `node_errors` may then still name outputs that are left out."""

    error: Problem | None
    outputs: list[str]
    node_errors: dict[str, Any]


@dataclass(slots=True)
class Checker:
    """Checks one graph. Values are converted in place, as the server does."""

    graph: Graph
    catalogue: Catalogue
    folders: Folders
    seen: dict[str, tuple[bool, list[Problem]]] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)

    def check(self, targets: list[str] | None) -> Verdict:
        """The verdict on the whole graph; `targets` limits the outputs to be run."""
        for node_id, node in self.graph.items():
            if missing := _missing_class(node_id, node):
                return Verdict(missing, [], {})
        wanted = [
            node_id
            for node_id, node in self.graph.items()
            if nodes.is_output(node["class_type"]) and (targets is None or node_id in targets)
        ]
        if not wanted:
            return Verdict(problem("prompt_no_outputs", "Prompt has no outputs", ""), [], {})
        return self._outputs(wanted)

    def _outputs(self, wanted: list[str]) -> Verdict:
        good: list[str] = []
        said: list[str] = []
        node_errors: dict[str, Any] = {}
        for output in wanted:
            valid, problems = self._output(output)
            if valid:
                good.append(output)
                continue
            said += [f"{p['message']}: {p['details']}" for p in problems]
            self._collect(output, node_errors)
        if good:
            return Verdict(None, good, node_errors)
        failed = problem("prompt_outputs_failed_validation", "Prompt outputs failed validation", "\n".join(said))
        return Verdict(failed, [], node_errors)

    def _output(self, output: str) -> tuple[bool, list[Problem]]:
        try:
            self.path.clear()
            return self._node(output)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            extra = {"exception_type": type(error).__name__, "traceback": traceback_of("validate_prompt")}
            found = problem("exception_during_validation", "Exception when validating node", str(error), **extra)
            self.seen[output] = (False, [found])
            return self.seen[output]

    def _collect(self, output: str, node_errors: dict[str, Any]) -> None:
        for node_id, (valid, problems) in self.seen.items():
            if not valid and problems:
                entry = node_errors.setdefault(
                    node_id,
                    {"errors": problems, "dependent_outputs": [], "class_type": self.graph[node_id]["class_type"]},
                )
                entry["dependent_outputs"].append(output)

    def _node(self, node_id: str) -> tuple[bool, list[Problem]]:
        if node_id in self.seen:
            return self.seen[node_id]
        if node_id in self.path:
            cycle = [*self.path[self.path.index(node_id) :], node_id]
            found = problem("dependency_cycle", "Dependency cycle detected", " -> ".join(cycle), cycle_nodes=cycle)
            self.seen[node_id] = (False, [found])
            return self.seen[node_id]
        node = self.graph[node_id]
        entry = nodes.find(node["class_type"])
        given = node["inputs"]
        problems: list[Problem] = []
        valid = True
        self.path.append(node_id)
        for name, (category, config) in self.catalogue.inputs(entry or {}).items():
            if name not in given:
                if category == "required":
                    problems.append(_required(name))
            elif isinstance(given[name], list):
                valid = self._link(name, config, given[name], problems) and valid
            else:
                found_problem = self._value(node, name, config)
                problems += [found_problem] if found_problem else []
        self.path.pop()
        if node_id in self.seen and not self.seen[node_id][0]:  # a cycle came back to here
            return self.seen[node_id]
        self.seen[node_id] = (valid and not problems, problems)
        return self.seen[node_id]

    def _link(self, name: str, config: list[Any], link: list[Any], problems: list[Problem]) -> bool:
        """False when something above is wrong; what is wrong with the link itself is added to `problems`."""
        if len(link) != 2:
            said = "Bad linked input, must be a length-2 list of [node_id, slot_index]"
            problems.append(
                problem("bad_linked_input", said, name, input_name=name, input_config=config, received_value=link)
            )
            return True
        source = str(link[0])
        outputs = (nodes.find(self.graph[source]["class_type"]) or {})["output"]
        received = outputs[link[1]]
        if received != config[0] and not (isinstance(config[0], list) or config[0] == "COMBO"):
            details = f"{name}, received_type({received}) mismatch input_type({config[0]})"
            extra = {"input_name": name, "input_config": config, "received_type": received, "linked_node": link}
            problems.append(
                problem("return_type_mismatch", "Return type mismatch between linked nodes", details, **extra)
            )
            return True
        try:
            return self._node(source)[0]
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            self.seen[source] = (False, [_inner(name, config, link, error)])
            return False

    def _value(self, node: Mapping[str, Any], name: str, config: list[Any]) -> Problem | None:
        value = node["inputs"][name]
        kind = config[0]
        if isinstance(kind, str) and kind in _CONVERT:
            try:
                value = node["inputs"][name] = _CONVERT[kind](value)
            except (TypeError, ValueError, OverflowError) as error:
                extra = {"input_name": name, "input_config": config, "received_value": value}
                said = f"Failed to convert an input value to a {kind} value"
                return problem(
                    "invalid_input_type", said, f"{name}, {value}, {error}", **extra, exception_message=str(error)
                )
            return _bounds(name, value, config)
        if node["class_type"] == "LoadImage" and name == "image":
            return _image(self.folders, value)
        choices = kind if isinstance(kind, list) else config[1].get("options") if kind == "COMBO" else None
        if choices is not None and value not in choices:
            return _not_in_list(name, value, config, choices)
        return None


_CONVERT: dict[object, Any] = {"INT": int, "FLOAT": float, "STRING": str, "BOOLEAN": bool}


def traceback_of(*functions: str) -> list[str]:
    """Lines that look like a traceback; nobody should read more from one than that it is there."""
    return [f'  File "<comfyui>/execution.py", line {100 + n}, in {name}\n' for n, name in enumerate(functions)]


def _missing_class(node_id: str, node: Mapping[str, Any]) -> Problem | None:
    name = node.get("class_type")
    title = node.get("_meta", {}).get("title")
    if name is None:
        name_shown = title or f"ID #{node_id}"
        said = f"Node '{name_shown}' has no class_type. The workflow may be corrupted or a custom node is missing."
    elif nodes.find(name) is None:
        title = title or name
        said = f"Node '{title}' not found. The custom node may not be installed."
    else:
        return None
    extra = {"node_id": node_id, "class_type": name, "node_title": title}
    return problem("missing_node_type", said, f"Node ID '#{node_id}'", **extra)


def _required(name: str) -> Problem:
    return problem("required_input_missing", "Required input is missing", name, input_name=name)


def _inner(name: str, config: list[Any], link: list[Any], error: Exception) -> Problem:
    extra = {"input_name": name, "input_config": config, "exception_message": str(error)}
    extra |= {"exception_type": type(error).__name__, "traceback": traceback_of("validate_inputs", "validate_inputs")}
    said = "Exception when validating inner node"
    return problem("exception_during_inner_validation", said, str(error), **extra, linked_node=link)


def _bounds(name: str, value: Any, config: list[Any]) -> Problem | None:
    options = config[1] if len(config) > 1 else {}
    extra = {"input_name": name, "input_config": config, "received_value": value}
    if "min" in options and value < options["min"]:
        said = f"Value {value} smaller than min of {options['min']}"
        return problem("value_smaller_than_min", said, name, **extra)
    if "max" in options and value > options["max"]:
        return problem("value_bigger_than_max", f"Value {value} bigger than max of {options['max']}", name, **extra)
    return None


def _image(folders: Folders, value: Any) -> Problem | None:
    if folders.input_file(str(value)) is not None:
        return None
    details = f"image - Invalid image file: {value}"
    return problem("custom_validation_failed", "Custom validation failed for node", details, input_name="image")


def _not_in_list(name: str, value: Any, config: list[Any], choices: list[Any]) -> Problem:
    many = len(choices) > _SHOWN_CHOICES
    shown = f"(list of length {len(choices)})" if many else str(choices)
    extra = {"input_name": name, "input_config": None if many else config, "received_value": value}
    return problem("value_not_in_list", "Value not in list", f"{name}: '{value}' not in {shown}", **extra)
