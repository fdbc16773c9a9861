"""Why a query is left to the resolvers."""


class UnplannedError(Exception):
    """There is no plan for a query of this shape, whoever sends it."""


class UnfitError(Exception):
    """There may be a plan, but not for these values or this caller: the resolvers answer, or say what is wrong."""
