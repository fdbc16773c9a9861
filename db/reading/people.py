"""People, as everybody may see them."""

from db.reading.entries import Entries, columns, global_id

PROFILE: Entries = {
    **global_id("Profile"),
    **columns("username", "avatar_url", "created_at"),
}
