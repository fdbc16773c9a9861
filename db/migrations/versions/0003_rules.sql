-- What a row may hold, and how rows are found. Old rows are brought to today's words first.

alter table image_generations
    alter column status set default 'queued',
    alter column seed type bigint,
    alter column created_at set default now(),
    alter column updated_at set default now(),
    alter column retry_count set default 0;
-- Nothing of Picture's own is here yet: what an older deployment left unfinished was lost long ago. Why one failed is
-- not known in today's codes, and what was noted then is not meant to be shown.
update image_generations set
    status = case
        when status in ('completed', 'complete', 'succeeded', 'success', 'done') then 'completed'
        when status in ('canceled', 'cancelled') then 'canceled' else 'failed' end,
    prompt = coalesce(prompt, ''),
    width = coalesce(width, 1024),
    height = coalesce(height, 1024),
    seed = coalesce(seed, 0),
    steps = case when steps between 1 and 10000 then steps end,
    priority = coalesce(priority, 0),
    retry_count = coalesce(retry_count, 0),
    progress = case when status in ('completed', 'complete', 'succeeded', 'success', 'done') then 1 else 0 end,
    created_at = coalesce(created_at, completed_at, now()),
    completed_at = coalesce(completed_at, created_at, now());
alter table images
    alter column format set default 'webp',
    alter column file_size type bigint,
    alter column created_at set default now(),
    alter column is_favorite set default false,
    alter column download_count set default 0;
update images set
    format = case when lower(format) in ('jpg', 'jpeg') then 'jpeg' when lower(format) in ('svg', 'webp') then lower(format)
        else 'png' end,
    file_size = coalesce(file_size, 0),
    width = coalesce(width, 0),
    height = coalesce(height, 0),
    rating = least(greatest(rating, 0), 5),
    is_public = coalesce(is_public, false),
    is_favorite = coalesce(is_favorite, false),
    download_count = coalesce(download_count, 0),
    created_at = coalesce(created_at, now()),
    publication_id = case when is_public then gen_random_uuid() end;
update images i set prompt = g.prompt, negative_prompt = g.negative_prompt, model_id = g.model_id, seed = g.seed,
    steps = g.steps, guidance = g.guidance_scale
    from image_generations g where i.generation_id = g.id;
-- Everybody who has something is somebody, and has used what they have stored.
insert into profiles (id)
    select user_id from image_generations where user_id is not null
    union select user_id from images where user_id is not null
    on conflict (id) do nothing;
insert into user_rate_limits (user_id, storage_bytes_used)
    select user_id, sum(file_size) from images where user_id is not null group by user_id;

-- A picture outlives its generation; whatever rule an older deployment had for that is replaced.
do $$
declare
    found record;
begin
    for found in select conname from pg_constraint
        where conrelid = 'images'::regclass and contype = 'f' and confrelid = 'image_generations'::regclass loop
        execute format('alter table images drop constraint %I', found.conname);
    end loop;
end
$$;
alter table images add constraint images_generation foreign key (generation_id)
    references image_generations on delete set null;

create function pg_temp.rule(on_table regclass, name text, definition text) returns void language plpgsql as $$
begin
    execute format('alter table %s drop constraint if exists %I', on_table, name);
    execute format('alter table %s add constraint %I %s', on_table, name, definition);
end
$$;

select pg_temp.rule('profiles', 'profiles_username_length', 'check (length(username) between 1 and 50) not valid');
select pg_temp.rule('profiles', 'profiles_avatar_https', $$check (avatar_url like 'https://%') not valid$$);

select pg_temp.rule('models', 'models_slug_unique', 'unique (slug)');
select pg_temp.rule('models', 'models_provider', $$check (provider in ('comfyui', 'replicate', 'openai', 'gemini')) not valid$$);
select pg_temp.rule('models', 'models_sizes', 'check (min_width between 1 and max_width and min_height between 1 and max_height
    and max_width <= 16384 and max_height <= 16384 and max_pixels > 0 and size_multiple > 0)');
select pg_temp.rule('models', 'models_image_count', 'check (max_image_count between 1 and 10)');
select pg_temp.rule('models', 'models_cost', 'check (cost_per_image >= 0)');

select pg_temp.rule('image_generations', 'generations_status',
    $$check (status in ('queued', 'processing', 'canceling', 'completed', 'failed', 'canceled'))$$);
select pg_temp.rule('image_generations', 'generations_mode',
    $$check (mode in ('text_to_image', 'image_to_image', 'inpaint', 'upscale'))$$);
select pg_temp.rule('image_generations', 'generations_stage',
    $$check (stage in ('preparing', 'loading_model', 'sampling', 'decoding', 'storing'))$$);
select pg_temp.rule('image_generations', 'generations_prompt', 'check (length(prompt) <= 4000 and length(negative_prompt) <= 4000) not valid');
select pg_temp.rule('image_generations', 'generations_size', 'check (width between 1 and 16384 and height between 1 and 16384) not valid');
select pg_temp.rule('image_generations', 'generations_steps', 'check (steps between 1 and 10000) not valid');
select pg_temp.rule('image_generations', 'generations_seed', 'check (seed between 0 and 9007199254740991) not valid');
select pg_temp.rule('image_generations', 'generations_strength', 'check (strength between 0 and 1)');
select pg_temp.rule('image_generations', 'generations_image_count', 'check (image_count between 1 and 10)');
select pg_temp.rule('image_generations', 'generations_progress', 'check (progress between 0 and 1)');
select pg_temp.rule('image_generations', 'generations_counts', 'check (attempt >= 0 and retry_count >= 0)');
select pg_temp.rule('image_generations', 'generations_failure', $$check (failure_code is null or failure_code in (
    'invalid_workflow', 'node_error', 'no_output', 'out_of_memory', 'model_missing', 'engine_unavailable', 'timed_out',
    'worker_lost', 'storage_error', 'content_blocked', 'provider_rejected', 'expired', 'internal'))$$);
-- Only what an attempt works at has a lease, and all of it does: nothing can be forgotten in PROCESSING.
select pg_temp.rule('image_generations', 'generations_lease', $$check (
    (status not in ('processing', 'canceling') or (lease_until is not null and attempt_id is not null and reserved_by is null))
    and (reserved_by is null or (status = 'queued' and lease_until is not null)))$$);
select pg_temp.rule('image_generations', 'generations_ended', $$check (
    (status in ('completed', 'failed', 'canceled')) = (completed_at is not null))$$);

select pg_temp.rule('images', 'images_format', $$check (format in ('webp', 'png', 'jpeg', 'svg'))$$);
select pg_temp.rule('images', 'images_rating', 'check (rating between 0 and 5) not valid');
select pg_temp.rule('images', 'images_counts', 'check (file_size >= 0 and like_count >= 0 and download_count >= 0)');
select pg_temp.rule('images', 'images_published', 'check (not is_public or publication_id is not null)');

select pg_temp.rule('tags', 'tags_name_unique', 'unique (name)');
select pg_temp.rule('tags', 'tags_color', $$check (color ~ '^#[0-9A-Fa-f]{6}$') not valid$$);
select pg_temp.rule('prompt_templates', 'prompt_templates_use_count', 'check (use_count >= 0)');
select pg_temp.rule('user_rate_limits', 'limits_counts', 'check (generations_this_hour >= 0 and generations_today >= 0
    and uploads_today >= 0 and storage_bytes_used >= 0 and virtual_finish >= 0 and event_seq >= 0)');
select pg_temp.rule('generation_events', 'events_kind',
    $$check (kind in ('queued', 'started', 'canceling', 'completed', 'failed', 'canceled'))$$);
select pg_temp.rule('idempotency_keys', 'idempotency_key', $$check (key ~ '^[ -~]{1,128}$')$$);
select pg_temp.rule('objects', 'objects_state', $$check (state in ('announced', 'kept', 'deleted'))$$);
select pg_temp.rule('objects', 'objects_kind', $$check (kind in ('image'))$$);
select pg_temp.rule('workers', 'workers_state', $$check (state in ('up', 'draining'))$$);

create unique index if not exists profiles_username on profiles (username);
create unique index if not exists image_tags_once on image_tags (image_id, tag_id);
create index if not exists image_tags_tag on image_tags (tag_id);
create unique index if not exists image_likes_once on image_likes (user_id, image_id);
create index if not exists image_likes_image on image_likes (image_id);

-- Every line of the queue, in order. Taken rows leave dead entries at its front, so it is vacuumed early.
create index if not exists generations_line on image_generations (engine, model_id, priority desc, tag, created_at)
    include (id, user_id, not_before, expected_seconds) where status = 'queued' and reserved_by is null;
-- What runs or is reserved is little; nothing indexes lease_until, so that a heartbeat touches no index.
create index if not exists generations_held on image_generations (user_id)
    where status in ('processing', 'canceling') or reserved_by is not null;
create index if not exists generations_by_owner on image_generations (user_id, created_at desc, id desc);
create index if not exists generations_by_status on image_generations (user_id, status, created_at desc, id desc);
create index if not exists generations_by_model on image_generations (model_id, completed_at desc) where status = 'completed';
create index if not exists generations_failed on image_generations (completed_at) where status = 'failed';
create index if not exists generations_retry_of on image_generations (retry_of) where retry_of is not null;
create unique index if not exists generations_one_retry on image_generations (retry_of)
    where retry_of is not null and status in ('queued', 'processing', 'canceling');
create index if not exists generations_by_batch on image_generations (batch_id, batch_index) where batch_id is not null;
alter table image_generations set (autovacuum_vacuum_scale_factor = 0.01, fillfactor = 80);

create unique index if not exists images_of_attempt on images (generation_id, image_index) where attempt_id is not null;
create index if not exists images_by_generation on images (generation_id, image_index);
create unique index if not exists images_publication on images (publication_id) where publication_id is not null;
create index if not exists images_by_owner on images (user_id, created_at desc, id desc) where archived_at is null;
create index if not exists images_archived on images (user_id, created_at desc, id desc) where archived_at is not null;
create index if not exists images_public on images (created_at desc, id desc) include (user_id)
    where is_public and archived_at is null;
create index if not exists images_public_by_model on images (model_id, created_at desc, id desc)
    where is_public and archived_at is null;

create index if not exists events_by_age on generation_events (created_at);
create index if not exists events_by_generation on generation_events (generation_id);
create index if not exists idempotency_by_age on idempotency_keys (created_at);
create index if not exists objects_to_clean on objects (created_at) where state <> 'kept';
create index if not exists objects_by_generation on objects (generation_id);
create index if not exists performance_by_generation on generation_performance (generation_id);
create index if not exists errors_by_generation on generation_errors (generation_id);
create index if not exists errors_by_model on generation_errors (model_id, code, created_at);
create index if not exists batches_by_owner on batch_generations (user_id, created_at desc, id desc);
create index if not exists templates_by_owner on prompt_templates (user_id);
