"""Addresses of pictures in SQL: what `storage.addresses` makes, to the letter.

HMAC by hand: `{address_inner}` and `{address_outer}` are the secret's two pads, `{address_soonest}` is the earliest
moment at which an address that is handed out now may end.
"""

from db.reading.entries import Column

SHOWN = "({t}.is_public and {t}.archived_at is null and {t}.hidden_at is null)"
# The first end of one of the picture's own windows at or after the soonest; the windows begin where the last two bytes
# of its id say.
UNTIL = """(select {address_soonest}::bigint + mod({address_window}::bigint - mod({address_soonest}::bigint
    - ((get_byte(uuid_send({t}.id), 14) * 256 + get_byte(uuid_send({t}.id), 15)) * {address_window}::bigint >> 16),
    {address_window}::bigint), {address_window}::bigint))"""
SIGNED = """(select s.path || '?until=' || s.until || '&signature=' || encode(sha256({address_outer}::bytea
    || sha256({address_inner}::bytea || (s.path || '/' || s.until)::bytea)), 'hex')
    from (select {t}.id || '/' || VARIANT as path, UNTIL as until) s)"""
ADDRESS = "{address_base}::text || case when SHOWN then {t}.publication_id || '/' || VARIANT else SIGNED end"

EXPIRES_AT = Column(f"case when not {SHOWN} then to_timestamp({UNTIL}) end")


def address(variant: str) -> Column:
    """The address of one variant, which is SQL."""
    sql = ADDRESS.replace("SIGNED", SIGNED).replace("SHOWN", SHOWN).replace("UNTIL", UNTIL).replace("VARIANT", variant)
    return Column(sql)
