"""Turning a request into pixels: the engine protocol, workflows, the simulator."""
