-- Who sees and changes what. Policies look at the claims of the transaction, never at a role that a statement
-- switches to. People write nothing over Supabase's REST interface: there, an owner could set `storage_path`
-- or a counter. All writing goes through Picture's own logins.

do $$
declare
    one text;
begin
    foreach one in array array[
        'profiles', 'models', 'image_generations', 'batch_generations', 'images', 'tags', 'image_tags', 'image_likes',
        'prompt_templates', 'generation_performance', 'generation_errors', 'user_rate_limits', 'generation_events',
        'idempotency_keys', 'objects', 'queue_lines', 'workers', 'revoked_subjects'
    ] loop
        execute format('alter table %I enable row level security', one);
        execute format('alter table %I force row level security', one);
        execute format('revoke all on %I from public, anon, authenticated, picture_api, picture_worker', one);
        execute format('grant select, insert, update, delete on %I to picture_worker', one);
        execute format('create policy worker on %I to picture_worker using (true) with check (true)', one);
        -- Forced security binds the owner, too; the functions below run as the owner and say themselves what they give.
        execute format('create policy owner on %I to %I using (true) with check (true)', one, current_user);
    end loop;
end
$$;

-- What everybody may see of a row that they may see. Not among it: email, keys in storage, the owner's marks.
grant select (id, username, avatar_url, created_at) on profiles to anon, authenticated, picture_api;
grant select on models to anon, authenticated, picture_api;
grant select (id, user_id, model_id, mode, prompt, negative_prompt, width, height, steps, guidance_scale, seed, image_count,
    source_image_id, strength, is_public, retry_of, batch_id, batch_index, status, stage, progress, attempt, retry_count,
    failure_code, error_message, failure_stage, failure_node, failure_retryable, created_at, updated_at, started_at,
    completed_at, generation_time_seconds) on image_generations to anon, authenticated;
grant select (id, user_id, width, height, format, file_size, blurhash, is_public, like_count, model_id, prompt,
    negative_prompt, seed, steps, guidance, archived_at, created_at) on images to anon, authenticated;
grant select on batch_generations, tags, image_tags, image_likes, prompt_templates to anon, authenticated;

-- The API: the same rows, more columns, and what its mutations change.
grant insert (id, username, email, avatar_url), update (username, avatar_url, updated_at) on profiles to picture_api;
grant select, insert, update, delete on image_generations, batch_generations, images, image_tags, image_likes,
    prompt_templates, idempotency_keys to picture_api;
grant insert, update, delete on models to picture_api;
grant select, insert, update on tags, user_rate_limits, objects to picture_api;
grant select, insert on generation_events to picture_api;

create policy everybody on profiles for select to anon, authenticated, picture_api using (true);
create policy own_insert on profiles for insert to picture_api with check (id = (select picture.viewer_id()));
create policy own_update on profiles for update to picture_api
    using (id = (select picture.viewer_id())) with check (id = (select picture.viewer_id()));

-- Inactive ones too: old pictures name them.
create policy everybody on models for select to anon, authenticated, picture_api using (true);
create policy admins on models to picture_api using ((select picture.is_admin())) with check ((select picture.is_admin()));

create policy own on image_generations to anon, authenticated, picture_api
    using (user_id = (select picture.viewer_id())) with check (user_id = (select picture.viewer_id()));
create policy own on batch_generations to anon, authenticated, picture_api
    using (user_id = (select picture.viewer_id())) with check (user_id = (select picture.viewer_id()));

create policy visible on images for select to anon, authenticated, picture_api
    using (user_id = (select picture.viewer_id()) or (is_public and archived_at is null));
create policy own_update on images for update to picture_api
    using (user_id = (select picture.viewer_id())) with check (user_id = (select picture.viewer_id()));
create policy own_delete on images for delete to picture_api using (user_id = (select picture.viewer_id()));

create policy visible on image_tags for select to anon, authenticated, picture_api
    using (exists (select from images where images.id = image_id));
create policy own_insert on image_tags for insert to picture_api
    with check (exists (select from images where images.id = image_id and images.user_id = (select picture.viewer_id())));
create policy own_delete on image_tags for delete to picture_api
    using (exists (select from images where images.id = image_id and images.user_id = (select picture.viewer_id())));
create policy visible on tags for select to anon, authenticated, picture_api
    using (created_by = (select picture.viewer_id()) or exists (select from image_tags where image_tags.tag_id = tags.id));
create policy own_insert on tags for insert to picture_api with check (created_by = (select picture.viewer_id()));
create policy own_update on tags for update to picture_api
    using (created_by = (select picture.viewer_id()) or (select picture.is_admin()));
create policy own on image_likes to anon, authenticated, picture_api
    using (user_id = (select picture.viewer_id())) with check (user_id = (select picture.viewer_id()));

create policy visible on prompt_templates for select to anon, authenticated, picture_api
    using (user_id = (select picture.viewer_id()) or is_public);
create policy own_insert on prompt_templates for insert to picture_api with check (user_id = (select picture.viewer_id()));
create policy own_update on prompt_templates for update to picture_api
    using (user_id = (select picture.viewer_id())) with check (user_id = (select picture.viewer_id()));
create policy own_delete on prompt_templates for delete to picture_api using (user_id = (select picture.viewer_id()));

create policy own on user_rate_limits to picture_api
    using (user_id = (select picture.viewer_id())) with check (user_id = (select picture.viewer_id()));
create policy own on generation_events to picture_api
    using (user_id = (select picture.viewer_id())) with check (user_id = (select picture.viewer_id()));
create policy own on idempotency_keys to picture_api
    using (user_id = (select picture.viewer_id())) with check (user_id = (select picture.viewer_id()));
create policy own on objects to picture_api
    using (user_id = (select picture.viewer_id())) with check (user_id = (select picture.viewer_id()));

-- As invokers: a view is no way around the policies of its tables.
create view batch_progress with (security_invoker = true) as
    select b.id as batch_id, b.user_id, b.name, b.created_at,
        count(g.id) as total_count,
        count(g.id) filter (where g.status = 'completed') as completed_count,
        count(g.id) filter (where g.status = 'failed') as failed_count,
        count(g.id) filter (where g.status = 'canceled') as canceled_count,
        count(g.id) filter (where g.status in ('processing', 'canceling')) as processing_count,
        coalesce(avg(case when g.status = 'completed' then 1 else g.progress end), 0) as progress,
        coalesce(json_agg(json_build_object('id', g.id, 'index', g.batch_index, 'status', g.status)
            order by g.batch_index) filter (where g.id is not null), '[]') as items
    from batch_generations b left join image_generations g on g.batch_id = b.id
    group by b.id;
create view multi_generation_groups with (security_invoker = true) as
    select user_id, prompt, count(*) as generation_count, array_agg(id order by created_at) as generation_ids,
        min(created_at) as first_created_at, max(created_at) as last_created_at
    from image_generations group by user_id, prompt having count(*) > 1;
revoke all on batch_progress, multi_generation_groups from public, anon, authenticated;
grant select on batch_progress, multi_generation_groups to anon, authenticated, picture_api, picture_worker;
