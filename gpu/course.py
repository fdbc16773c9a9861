"""What a run has told so far, and what that means: no waiting, no network."""

from collections.abc import Mapping

from gpu import wire
from gpu.engine import Finished, Graph, News, OutputImage
from gpu.errors import EngineError, InterruptedRunError
from gpu.progress import Tracker
from gpu.workflows import output_node


class Course:
    """One run's way through its graph."""

    def __init__(self, graph: Graph) -> None:
        self.is_ending = False
        """It succeeded, and only the history can say with which images."""
        self._tracker = Tracker(graph)
        self._output = output_node(graph)
        self._images: dict[str, tuple[OutputImage, ...]] = {}

    def started(self) -> list[News]:
        """The engine is seen to run it."""
        return [*self._tracker.started()]

    def heard(self, event: wire.Event, *, is_canceled: bool) -> list[News]:
        """What an event means. Raises EngineError when the run has failed or was interrupted."""
        match event:
            case wire.Started():
                return self.started()
            case wire.Cached(nodes=nodes):
                self._tracker.cached(list(nodes))
            case wire.Executing(node=node):
                return [*self._tracker.executing(node)]
            case wire.Stepped(node=node, value=value, of=of):
                return [*self._tracker.stepped(node, value, of)]
            case wire.Executed(node=node, images=images):
                self._images[node] = images
            case wire.Failed(error=error):
                raise error
            case wire.Interrupted():
                raise InterruptedRunError(by_us=is_canceled)
            case wire.Succeeded() | wire.Over():
                return self._succeeded()
        return []

    def ended(self, outcome: wire.Outcome, *, is_canceled: bool) -> Finished:
        """What the history means. Raises EngineError when the run failed, was interrupted, or saved nothing."""
        if outcome.error is not None:
            raise outcome.error
        if outcome.interrupted:
            raise InterruptedRunError(by_us=is_canceled)
        images = self._result(outcome.images)
        if not images:
            raise EngineError("The run ended without an image.", code="no_output", retryable=True)
        return Finished(images)

    def _succeeded(self) -> list[News]:
        if images := self._result(self._images):
            return [Finished(images)]
        self.is_ending = True  # we came late, or nothing was saved
        return []

    def _result(self, images: Mapping[str, tuple[OutputImage, ...]]) -> tuple[OutputImage, ...]:
        """The images of the node that is titled so; a graph may show others."""
        if self._output is not None:
            return images.get(self._output, ())
        return tuple(image for files in images.values() for image in files if image.type == "output")
