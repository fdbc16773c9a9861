-- What the API must know beyond its caller's own rows, and no more than that: each answers one question.

-- Where the line of one model at one priority stands. Who enters an empty one sets its clock to the engine's
-- greatest, or a line that nobody used for a week would give out last week's tags.
create or replace function picture.enter_line(in_engine text, in_model_id uuid, in_priority int)
returns double precision language plpgsql security definer set search_path = public, pg_temp as $$
declare
    found double precision;
begin
    if exists (select from image_generations where engine = in_engine and model_id = in_model_id
               and priority = in_priority and status = 'queued' and reserved_by is null) then
        select clock into found from queue_lines
            where engine = in_engine and model_id = in_model_id and priority = in_priority;
    end if;
    if found is null then
        insert into queue_lines (engine, model_id, priority, clock)
            values (in_engine, in_model_id, in_priority,
                    coalesce((select max(clock) from queue_lines where engine = in_engine), 0))
            on conflict (engine, model_id, priority) do update set clock = greatest(queue_lines.clock, excluded.clock)
            returning clock into found;
    end if;
    return found;
end
$$;

-- Where waiting generations stand: 1 and those expected to start before, on the workers that can run their model.
create or replace function picture.places(ids uuid[], max_concurrent int, up_seconds double precision)
returns table (generation_id uuid, queue_position int, held_reason text, eta_seconds double precision)
language sql stable security definer set search_path = public, pg_temp as $$
    with up as materialized (
        select engine, model_ids from workers
        where state = 'up' and heartbeat_at > now() - make_interval(secs => up_seconds)
    ), reach as materialized (
        -- for each model asked for: who can run it, and what else they run
        select m.model_id, m.engine,
            (select count(*) from up where up.engine = m.engine and m.model_id = any (up.model_ids)) as workers,
            array(select distinct unnest(up.model_ids) from up
                  where up.engine = m.engine and m.model_id = any (up.model_ids)) as rivals
        from (select distinct model_id, engine from image_generations where id = any (ids) and status = 'queued') m
    )
    select g.id,
        case when r.workers > 0 then (1 + ahead.count)::int end,
        case when r.workers = 0 then 'no_worker'
             when g.not_before > now() then 'backoff'
             when g.reserved_by is null and max_concurrent <= (
                 select count(*) from image_generations h where h.user_id = g.user_id
                 and (h.status in ('processing', 'canceling') or h.reserved_by is not null)) then 'concurrency_limit' end,
        case when r.workers > 0 then
            greatest((ahead.seconds + running.seconds) / r.workers, extract(epoch from g.not_before - now())::float8, 0)
            + g.expected_seconds end
    from image_generations g
    join reach r on r.model_id = g.model_id and r.engine = g.engine
    cross join lateral (
        select count(*) as count, coalesce(sum(o.expected_seconds), 0) as seconds
        from image_generations o
        where o.engine = g.engine and o.model_id = any (r.rivals) and o.status = 'queued' and o.id <> g.id
        and (o.reserved_by is not null and (g.reserved_by is null or (o.tag, o.created_at, o.id) < (g.tag, g.created_at, g.id))
             or g.reserved_by is null and (-o.priority, o.tag, o.created_at, o.id) < (-g.priority, g.tag, g.created_at, g.id))
    ) ahead
    cross join lateral (
        select coalesce(sum(greatest(p.expected_seconds - extract(epoch from now() - p.started_at)::float8, 0)), 0) as seconds
        from image_generations p
        where p.status in ('processing', 'canceling') and p.engine = g.engine and p.model_id = any (r.rivals)
    ) running
    where g.id = any (ids) and g.status = 'queued'
$$;

-- The number of each person's newest event: what a listener compares its own with.
create or replace function picture.event_heads(ids uuid[])
returns table (user_id uuid, seq bigint)
language sql stable security definer set search_path = public, pg_temp as $$
    select l.user_id, l.event_seq from user_rate_limits l where l.user_id = any (ids)
$$;

-- Where a picture's bytes lie; asked only after the signature of a private address has been verified.
create or replace function picture.stored_image(image uuid)
returns table (id uuid, storage_path text, small_path text, medium_path text, format text, prompt text,
               publication_id uuid, created_at timestamptz)
language sql stable security definer set search_path = public, pg_temp as $$
    select i.id, i.storage_path, i.small_path, i.medium_path, i.format, i.prompt, i.publication_id, i.created_at
    from images i where i.id = image
$$;

create or replace function picture.viewer_email() returns text
language sql stable security definer set search_path = public, pg_temp as $$
    select email from profiles where id = picture.viewer_id()
$$;

-- Models that a worker which is up can run now.
create or replace function picture.available_models(up_seconds double precision)
returns setof uuid language sql stable security definer set search_path = public, pg_temp as $$
    select distinct unnest(model_ids) from workers
    where state = 'up' and heartbeat_at > now() - make_interval(secs => up_seconds)
$$;

create or replace function picture.is_revoked(subject uuid) returns boolean
language sql stable security definer set search_path = public, pg_temp as $$
    select exists (select from revoked_subjects where sub = subject)
$$;

revoke all on all functions in schema picture from public;
grant execute on function picture.viewer_id(), picture.is_admin() to anon, authenticated, picture_api, picture_worker;
grant execute on all functions in schema picture to picture_api, picture_worker;
