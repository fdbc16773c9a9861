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
-- Each line is read once, from one generation that is asked for to the next, and no further than the last.
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
                  where up.engine = m.engine and m.model_id = any (up.model_ids) order by 1) as rivals
        from (select distinct model_id, engine from image_generations where id = any (ids) and status = 'queued') m
    ), asked as materialized (
        select g.id, g.user_id, g.engine, g.priority, g.tag, g.created_at, g.reserved_by, g.not_before, g.expected_seconds,
            r.workers, r.rivals, lag(g.tag) over line as from_tag, lag(g.created_at) over line as from_created_at
        from image_generations g join reach r on r.model_id = g.model_id and r.engine = g.engine
        where g.id = any (ids) and g.status = 'queued'
        window line as (partition by g.engine, r.rivals, g.reserved_by is null, g.priority order by g.tag, g.created_at, g.id)
    ), held as materialized (
        select o.user_id, o.engine, o.model_id, o.status, o.tag, o.created_at, o.expected_seconds, o.started_at
        from image_generations o where o.status in ('processing', 'canceling') or o.reserved_by is not null
    ), urgent as materialized (
        select a.engine, a.rivals, a.priority, count(*) as count, sum(o.expected_seconds) as seconds
        from (select distinct engine, rivals, priority from asked) a cross join unnest(a.rivals) as rival
        join image_generations o on o.engine = a.engine and o.model_id = rival and o.priority > a.priority
            and o.status = 'queued' and o.reserved_by is null
        group by 1, 2, 3
    ), ahead as (
        select a.*, sum(between_them.count) over line as count, sum(between_them.seconds) over line as seconds
        from asked a cross join lateral (
            select count(*) as count, coalesce(sum(o.expected_seconds), 0) as seconds
            from unnest(a.rivals) as rival join image_generations o on o.engine = a.engine and o.model_id = rival
                and o.priority = a.priority and o.status = 'queued' and o.reserved_by is null
                and (o.tag, o.created_at) >= (coalesce(a.from_tag, '-infinity'), coalesce(a.from_created_at, '-infinity'))
                and (o.tag, o.created_at) < (a.tag, a.created_at)
            where a.reserved_by is null
        ) between_them
        window line as (partition by a.engine, a.rivals, a.reserved_by is null, a.priority
                        order by a.tag, a.created_at, a.id)
    )
    select a.id,
        case when a.workers > 0 then (1 + a.count + h.count + coalesce(u.count, 0))::int end,
        case when a.workers = 0 then 'no_worker'
             when a.not_before > now() then 'backoff'
             when a.reserved_by is null
                 and max_concurrent <= (select count(*) from held where held.user_id = a.user_id) then 'concurrency_limit' end,
        case when a.workers > 0 then
            greatest((a.seconds + h.seconds + coalesce(u.seconds, 0)) / a.workers,
                     extract(epoch from a.not_before - now())::float8, 0) + a.expected_seconds end
    from ahead a
    left join urgent u on a.reserved_by is null and (u.engine, u.rivals, u.priority) = (a.engine, a.rivals, a.priority)
    cross join lateral (
        -- what runs delays it; what is reserved also goes before it, if it is not reserved before that
        select count(*) filter (where o.status = 'queued') as count, coalesce(sum(greatest(
            o.expected_seconds - coalesce(extract(epoch from now() - o.started_at)::float8, 0), 0)), 0) as seconds
        from held o where o.engine = a.engine and o.model_id = any (a.rivals) and (
            o.status <> 'queued' or a.reserved_by is null or (o.tag, o.created_at) < (a.tag, a.created_at))
    ) h
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
