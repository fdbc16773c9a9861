"""Types that a row tells of: each field is made of it when it is asked for, as few of many are."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, ClassVar, Self

Fact = Callable[[Any], Any]  # of the row


def columns(*names: str) -> dict[str, Fact]:
    """Fields that are columns of the same name."""
    return {name: attrgetter(name) for name in names}


class OfRow:
    """What a row tells. Who reads many objects reads the facts of `row` itself: an attribute takes thrice as long."""

    FACTS: ClassVar[Mapping[str, Fact]]

    @classmethod
    def _told_by(cls, row: object) -> Self:
        self = cls.__new__(cls)
        self.__dict__["row"] = row
        return self

    def __getattr__(self, name: str) -> Any:
        """A fact that has not been asked for yet."""
        fact = self.FACTS.get(name)
        if fact is None:
            raise AttributeError(f"There is no {name} in a {type(self).__name__}.")
        value = self.__dict__[name] = fact(self.__dict__["row"])
        return value
