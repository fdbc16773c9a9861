-- Batches, masks, deadlines and repeated requests.
set local lock_timeout = '5s';  -- fail, rather than make everybody queue behind us

alter table image_generations
    add column if not exists mask_image_id uuid,
    -- what its images will carry
    add column if not exists tags text[] not null default '{}',
    -- FAILED as EXPIRED when it has not started by then
    add column if not exists start_before timestamptz,
    -- the digest of all that decides what comes out
    add column if not exists reuse_key bytea;
grant select (mask_image_id, tags, start_before) on image_generations to anon, authenticated;

alter table models
    -- of the graphs, the files' names and the version: another one may make another picture
    add column if not exists digest text,
    -- how much longer than the median one in ten takes, of the last 100; null before the first
    add column if not exists spread double precision;

-- What a key has made, where that is a batch.
alter table idempotency_keys add column if not exists batch_id uuid;

-- An older deployment may have left places open.
update image_generations g set batch_index = p.place
    from (select id, row_number() over (partition by batch_id order by created_at, id) - 1 as place
          from image_generations where batch_id is not null) p
    where g.id = p.id and g.batch_index is null;

-- A place of a batch may have had several generations, each a retry of the one before: the newest stands for it.
-- As an invoker: a view is no way around the policies of its tables.
create or replace view batch_progress with (security_invoker = true) as
    select b.id as batch_id, b.user_id, b.name, b.created_at,
        count(g.id) as total_count,
        count(g.id) filter (where g.status = 'completed') as completed_count,
        count(g.id) filter (where g.status = 'failed') as failed_count,
        count(g.id) filter (where g.status = 'canceled') as canceled_count,
        count(g.id) filter (where g.status in ('processing', 'canceling')) as processing_count,
        coalesce(avg(case when g.status in ('completed', 'failed', 'canceled') then 1 else g.progress end), 0) as progress,
        coalesce(json_agg(json_build_object('id', g.id, 'index', g.batch_index, 'status', g.status)
            order by g.batch_index) filter (where g.id is not null), '[]') as items,
        case
            when count(*) filter (where g.status in ('queued', 'processing', 'canceling')) > 0 then
                case when bool_or(g.started_at is not null) then 'processing' else 'pending' end
            when count(g.id) filter (where g.status = 'completed') = count(g.id) then 'completed'
            when count(*) filter (where g.status = 'completed') > 0 then 'partial'
            when count(*) filter (where g.status = 'failed') > 0 then 'failed'
            else 'canceled'
        end as status,
        case when count(*) filter (where g.status in ('queued', 'processing', 'canceling')) = 0
            then max(g.completed_at) end as completed_at
    from batch_generations b left join lateral (
        select distinct on (o.batch_index) o.id, o.batch_index, o.status, o.progress, o.started_at, o.completed_at
        from image_generations o where o.batch_id = b.id
        order by o.batch_index, o.created_at desc, o.id desc
    ) g on true
    group by b.id;

-- Where a generation of the caller's would stand, were it created now: as `places` says of those that are there.
create or replace function picture.prospect(
    in_model_id uuid, in_priority int, in_seconds double precision, max_concurrent int, up_seconds double precision)
returns table (queue_position int, held_reason text, eta_seconds double precision)
language sql stable security definer set search_path = public, pg_temp as $$
    with up as materialized (
        select engine, model_ids from workers
        where state = 'up' and heartbeat_at > now() - make_interval(secs => up_seconds)
    ), line as materialized (
        select m.engine,
            (select count(*) from up where up.engine = m.engine and m.id = any (up.model_ids)) as workers,
            array(select distinct unnest(up.model_ids) from up
                  where up.engine = m.engine and m.id = any (up.model_ids) order by 1) as rivals,
            greatest(
                (select virtual_finish from user_rate_limits where user_id = picture.viewer_id()),
                case when exists (
                    select from image_generations where engine = m.engine and model_id = m.id
                        and priority = in_priority and status = 'queued' and reserved_by is null)
                then (select clock from queue_lines
                      where engine = m.engine and model_id = m.id and priority = in_priority)
                else (select max(clock) from queue_lines where engine = m.engine) end, 0) as tag
        from models m where m.id = in_model_id
    ), ahead as materialized (
        select count(*) as count, coalesce(sum(o.expected_seconds), 0) as seconds
        from line cross join unnest(line.rivals) as rival join image_generations o
            on o.engine = line.engine and o.model_id = rival and o.status = 'queued' and o.reserved_by is null
            and (o.priority > in_priority or (o.priority = in_priority and o.tag <= line.tag))
    ), held as materialized (
        select count(*) filter (where o.status = 'queued') as count, coalesce(sum(greatest(
            o.expected_seconds - coalesce(extract(epoch from now() - o.started_at)::float8, 0), 0)), 0) as seconds
        from line join image_generations o on o.engine = line.engine and o.model_id = any (line.rivals)
        where o.status in ('processing', 'canceling') or o.reserved_by is not null
    )
    select
        case when line.workers > 0 then (1 + ahead.count + held.count)::int end,
        case when line.workers = 0 then 'no_worker'
             when max_concurrent <= (
                select count(*) from image_generations o where o.user_id = picture.viewer_id()
                    and (o.status in ('processing', 'canceling') or o.reserved_by is not null)) then 'concurrency_limit' end,
        case when line.workers > 0 then (ahead.seconds + held.seconds) / line.workers + in_seconds end
    from line, ahead, held
$$;
revoke all on function picture.prospect from public;
grant execute on function picture.prospect to picture_api;
