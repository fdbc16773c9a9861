"""A ComfyUI that needs no GPU: the real one's protocol, with drawn pictures, and failures on demand."""

from gpu.simulator.scripts import Script, ScriptError
from gpu.simulator.server import Engine, open_simulator, run

__all__ = ["Engine", "Script", "ScriptError", "open_simulator", "run"]
