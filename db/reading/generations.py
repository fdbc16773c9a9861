"""Generations, and why they failed."""

from db.reading.entries import Column, Entries, Many, One, Same, columns, global_id, words

# What an older deployment wrote was not meant to be shown.
MESSAGE = """case
    when {t}.error_message <> '' and ({t}.attempt > 0 or coalesce({t}.failure_code, 'internal') <> 'internal')
    then {t}.error_message else 'It failed; nothing more is known.' end"""

GENERATION: Entries = {
    **global_id("Generation"),
    **columns("progress", "prompt", "negative_prompt", "width", "height", "steps", "seed", "image_count", "strength"),
    **columns("attempt", "created_at", "started_at", "completed_at"),
    **words("status", "mode"),
    "stage": Column("case when {t}.status = 'processing' then upper({t}.stage) end"),
    "guidance": Column("{t}.guidance_scale"),
    "cost": Column("trim_scale({t}.cost_usd)::text"),
    "durationSeconds": Column("{t}.generation_time_seconds"),
    "failure": Same(when="{t}.status = 'failed'"),
    "model": One("models {t} where {t}.id = {p}.model_id"),
    "sourceImage": One("images {t} where {t}.id = {p}.source_image_id"),
    "retryOf": One("image_generations {t} where {t}.id = {p}.retry_of"),
    "images": Many("images {t} where {t}.generation_id = {p}.id", order="{t}.image_index"),
}
FAILURE: Entries = {
    "code": Column("upper(coalesce({t}.failure_code, 'internal'))"),
    "message": Column(MESSAGE),
    "retryable": Column("coalesce({t}.failure_retryable, false)"),
    "stage": Column("upper({t}.failure_stage)"),
    "node": Column("{t}.failure_node"),
}
