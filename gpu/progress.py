"""From the nodes of a graph to one number and one stage for the whole run."""

from gpu.engine import STAGES, Graph, Progressed, Staged

# How long a class runs compared with a small node, roughly: only the ratios matter, and only to the bar's evenness.
_WEIGHTS = {"sampling": 80.0, "loading_model": 10.0, "decoding": 6.0, "storing": 3.0}
_SMALL = 1.0

_STAGE_OF = {
    "CheckpointLoaderSimple": "loading_model",
    "UNETLoader": "loading_model",
    "CLIPLoader": "loading_model",
    "DualCLIPLoader": "loading_model",
    "TripleCLIPLoader": "loading_model",
    "VAELoader": "loading_model",
    "LoraLoader": "loading_model",
    "LoraLoaderModelOnly": "loading_model",
    "UpscaleModelLoader": "loading_model",
    "KSampler": "sampling",
    "KSamplerAdvanced": "sampling",
    "SamplerCustom": "sampling",
    "SamplerCustomAdvanced": "sampling",
    "ImageUpscaleWithModel": "sampling",
    "VAEDecode": "decoding",
    "VAEDecodeTiled": "decoding",
    "SaveImage": "storing",
    "SaveImageWebsocket": "storing",
    "PreviewImage": "storing",
}


class Tracker:
    """Follows one run. Each method answers what is news: nothing, or a stage and a progress, forwards only."""

    def __init__(self, graph: Graph) -> None:
        self._classes = {id: str(node.get("class_type")) for id, node in graph.items()}
        self._left = {id: self._weight(id) for id in self._classes}
        self._total = sum(self._left.values()) or 1.0
        self._done = 0.0
        self._node: str | None = None
        self._stage = -1
        self._progress = 0.0

    def started(self) -> list[Staged | Progressed]:
        """The engine has taken the run."""
        return self._reached("preparing")

    def cached(self, nodes: list[str]) -> None:
        """These nodes need not run: the rest is the whole."""
        for id in nodes:
            self._total -= self._left.pop(id, 0.0)
        self._total = max(self._total, _SMALL)

    def executing(self, node: str) -> list[Staged | Progressed]:
        """`node` runs now, so the one before has ended: one at a time."""
        if node == self._node:
            return []
        self._finish(self._node)
        self._node = node
        stage = self._stage_of(node)
        return [*(self._reached(stage) if stage else []), *self._moved(0.0)]

    def stepped(self, node: str, value: float, of: float) -> list[Staged | Progressed]:
        """`node` has done `value` of its `of` steps."""
        news = self.executing(node)
        if of <= 0:
            return news
        sampling = self._stage_of(node) == "sampling"
        part = self._left.get(node, 0.0) * min(value / of, 1.0)
        return [*news, *self._moved(part, *((int(value), int(of)) if sampling else (None, None)))]

    def _finish(self, node: str | None) -> None:
        if node is not None:
            self._done += self._left.pop(node, 0.0)

    def _moved(self, part: float, step: int | None = None, steps: int | None = None) -> list[Staged | Progressed]:
        # 1 belongs to Finished; a node may also run that the graph does not show, so the sum proves nothing
        progress = round(min((self._done + part) / self._total, 0.99), 4)
        if progress <= self._progress:
            return []
        self._progress = progress
        return [Progressed(STAGES[max(self._stage, 0)], progress, step, steps)]

    def _reached(self, stage: str) -> list[Staged | Progressed]:
        place = STAGES.index(stage)
        if place <= self._stage:
            return []  # a second loader after the first sampler: people are not sent backwards
        self._stage = place
        return [Staged(stage)]

    def _stage_of(self, node: str) -> str | None:
        return _STAGE_OF.get(self._classes.get(node, ""))

    def _weight(self, node: str) -> float:
        return _WEIGHTS.get(self._stage_of(node) or "", _SMALL)
