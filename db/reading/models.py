"""The catalogue."""

from db.reading.entries import Column, Entries, columns, global_id, words

MODEL: Entries = {
    **global_id("Model"),
    **columns("slug", "name", "description", "version", "aspect_ratios", "licence", "typical_seconds", "is_active"),
    **columns("default_width", "default_height", "min_width", "min_height", "max_width", "max_height", "max_pixels"),
    **columns("max_image_count", "size_multiple", "default_steps", "min_steps", "max_steps", "default_guidance"),
    **columns("min_guidance", "max_guidance", "default_strength", "sort_order"),
    **words("provider"),
    "capabilities": Column("upper({t}.capabilities::text)::text[]"),
    "costPerImage": Column("trim_scale({t}.cost_per_image)::text"),
    "isAvailable": Column("{t}.id in (select picture.available_models({worker_up_seconds}::float8))"),
}
