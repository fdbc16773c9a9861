"""Arguments that many fields share, described once."""

from typing import Annotated

import strawberry

Id = Annotated[strawberry.ID, strawberry.argument(description="Its global id.")]
First = Annotated[
    int | None, strawberry.argument(description="The first so many; 20 when neither this nor `last` is given.")
]
After = Annotated[str | None, strawberry.argument(description="Only what comes behind this cursor.")]
Last = Annotated[int | None, strawberry.argument(description="The last so many.")]
Before = Annotated[str | None, strawberry.argument(description="Only what comes before this cursor.")]
