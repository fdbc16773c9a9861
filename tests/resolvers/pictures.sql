-- What two people may have: every state of a generation, of an image, and of what hangs on them.
insert into profiles (id, username, avatar_url, created_at) values
    (ALICE, 'alice', 'https://pictures.example/alice.webp', '2026-01-01 00:00:00+00'),
    (BOB, null, null, '2026-01-01 00:00:00.5+00');
insert into user_rate_limits (user_id) values (ALICE), (BOB);
create temp table numbered as
    select n, ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid as id,
        case when n % 3 = 0 then BOB else ALICE end as owner,
        (array['completed', 'completed', 'failed', 'canceled', 'queued', 'completed'])[1 + n % 6] as status,
        (select id from models order by sort_order, slug offset n % 4 limit 1) as model_id,
        timestamptz '2026-02-01 00:00:00+00' + interval '1 hour' * n + interval '1 microsecond' * (n * 12500 % 1000000) as at
    from generate_series(1, 24) n;
insert into image_generations (id, user_id, model_id, prompt, negative_prompt, width, height, steps, guidance_scale, seed,
        image_count, strength, mode, status, stage, progress, attempt, failure_code, error_message, failure_stage,
        failure_node, failure_retryable, cost_usd, generation_time_seconds, created_at, started_at, completed_at)
    select id, owner, model_id, 'prompt "' || n || E'" ü\n\\ 猫', case when n % 2 = 0 then 'blur' end, 1024, 768,
        case when n % 4 > 0 then n end, n / 7.0, 9007199254740991 - n, 1 + n % 3, case when n % 5 = 0 then 0.1 * n / 3 end,
        case when n % 5 = 0 then 'image_to_image' else 'text_to_image' end, status, null,
        case when status = 'completed' then 1 else 0.1 end, n % 3,
        case when status = 'failed' and n % 4 > 0 then 'node_error' end,
        case when status = 'failed' and n % 5 > 0 then 'It broke.' end, case when n % 2 = 0 then 'sampling' end,
        case when n % 3 = 1 then '6' end, n % 4 = 1, case when n % 3 > 0 then n * 0.001 end, case when n % 2 = 1 then n * 1.1 end,
        at, case when status <> 'queued' then at + interval '1 second' end,
        case when status not in ('queued') then at + interval '12.5 seconds' end
    from numbered;
update image_generations g set retry_of = o.id from numbered n, numbered o where g.id = n.id and n.n = 8 and o.n = 3;
insert into images (id, user_id, generation_id, image_index, format, file_size, width, height, blurhash, publication_id,
        is_public, is_favorite, rating, model_id, prompt, negative_prompt, seed, steps, guidance, archived_at, hidden_at,
        created_at)
    select ('00000000-0000-4000-9000-' || lpad(to_hex(n * 8 + i), 12, '0'))::uuid, owner,
        case when n % 7 > 0 then id end, i, (array['webp', 'png', 'jpeg', 'svg'])[1 + n % 4], 100000 + n, 1024, 768,
        case when n % 2 = 0 then 'L00000fQ' end, case when (n + i) % 2 = 0 then gen_random_uuid() end, (n + i) % 2 = 0,
        n % 4 = 0, case when n % 3 > 0 then n % 6 end, case when n % 7 > 0 then model_id end, 'prompt ' || n, null,
        case when n % 7 > 0 then n end, case when n % 2 = 0 then 20 end, n / 3.0,
        case when n % 8 = 5 then at + interval '1 day' end, case when n = 10 then at end, at + interval '1 minute'
    from numbered, generate_series(0, 2) i where status = 'completed';
update image_generations g set source_image_id = ('00000000-0000-4000-9000-' || lpad(to_hex(8 * 6), 12, '0'))::uuid
    where mode = 'image_to_image';
