-- A queue: `bench_waiting` holds one row: how many wait, and how many before them are of people at their limit.
delete from image_generations where status <> 'completed';
delete from queue_lines;

create temp table if not exists bench_people as select id, row_number() over (order by id) - 1 as number from profiles;
create temp table if not exists bench_models as
    select id, expected_seconds, row_number() over (order by sort_order, slug) - 1 as number
    from models where engine = 'comfyui' and is_active;

-- Whose and for which model by chance; a tag is what this person has asked for before, in seconds.
insert into image_generations (user_id, model_id, prompt, width, height, seed, expected_seconds, tag, created_at)
    select p.id, m.id, 'a red fox, number ' || n, 1024, 1024, n, m.expected_seconds,
        1000 + coalesce(sum(m.expected_seconds) over (partition by p.id order by n
            rows between unbounded preceding and 1 preceding), 0), now() - interval '1 s' * (1000000 - n) / 100
    from bench_waiting, generate_series(1, waiting) n
    join bench_people p on p.number = abs(hashint8(n)) % (select count(*) from bench_people)
    join bench_models m on m.number = abs(hashint8(n + 1000000000)) % (select count(*) from bench_models);

-- In front of all: many of eight people, who have as many running as they may.
insert into image_generations (user_id, model_id, prompt, width, height, seed, expected_seconds, tag, created_at, status,
        lease_until, attempt, attempt_id, worker)
    select p.id, m.id, 'a blue fox, number ' || n, 1024, 1024, n, m.expected_seconds, n::float8 / 1000, now() - interval '1 day',
        case when n <= 24 then 'processing' else 'queued' end, case when n <= 24 then now() + interval '1 day' end,
        case when n <= 24 then 1 else 0 end, case when n <= 24 then gen_random_uuid() end,
        case when n <= 24 then 'another' end
    from bench_waiting, generate_series(1, held) n
    join bench_people p on p.number = n % 8
    join bench_models m on m.number = n / 8 % (select count(*) from bench_models);

insert into queue_lines (engine, model_id, priority, clock) select 'comfyui', id, 0, 0 from bench_models;
