"""Values that every text in `db.reading` may name: what is known of the caller and of the house."""

from collections.abc import Callable, Mapping

from schema.context import Context

VALUES: Mapping[str, Callable[[Context], object]] = {
    "viewer": lambda context: context.claims.sub,
    "address_base": lambda context: context.addresses.signing().base,
    "address_inner": lambda context: context.addresses.signing().inner,
    "address_outer": lambda context: context.addresses.signing().outer,
    "address_window": lambda context: context.addresses.signing().window_seconds,
    "address_soonest": lambda context: context.addresses.signing().soonest,
    "worker_up_seconds": lambda context: context.rules.worker_up_seconds,
}
