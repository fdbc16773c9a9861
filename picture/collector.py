"""Python's collector, kept from stopping the loop for long.

By itself it looks at all that is there once a quarter more has come: at 1,000 sockets that takes 200 to 400 ms. Here
what is there after the start is never looked at, the youngest in small portions, and all when a million more have
come than have gone: what ends here mostly goes by itself, of a socket forty objects stay for the collector.
"""

import gc

YOUNGEST, YOUNG, ALL = 5000, 4, 50  # objects, times those, times those: 2 ms, 5 ms, and seldom


def settle() -> None:
    """What is there now stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNGEST, YOUNG, ALL)
