-- The data set of the bench: see README.md. Everything follows from numbers by hashes: made twice, it is the same but
-- for the moment from which its dates count back. `bench_size` holds one row: people, generations.
-- In one transaction; triggers and foreign keys rest, and indexes are built when the rows are there.
set local session_replication_role = replica;
set local maintenance_work_mem = '256MB';
set local synchronous_commit = off;
set local jit = off;

create temp table dropped on commit drop as
    select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as definition from pg_index
    where indrelid in ('image_generations'::regclass, 'images'::regclass, 'image_tags'::regclass, 'image_likes'::regclass,
                       'image_words'::regclass, 'generation_events'::regclass, 'objects'::regclass)
        and not indisprimary and not exists (select from pg_constraint where conindid = indexrelid);
do $$
declare
    one record;
begin
    for one in select name from dropped loop
        execute 'drop index ' || one.name;
    end loop;
end
$$;

-- Between 0 and 1, by chance as it seems.
create function pg_temp.chance(number bigint, salt int) returns double precision language sql immutable parallel safe as $$
    select (hashint8extended(number, salt) & 1073741823) / 1073741824::float8
$$;
create function pg_temp.pick(words text[], number bigint, salt int) returns text language sql immutable parallel safe as $$
    select words[1 + floor(cardinality(words) * pg_temp.chance(number, salt))::int]
$$;
create function pg_temp.named(what text, number bigint) returns uuid language sql immutable parallel safe as $$
    select md5(what || ' ' || number)::uuid
$$;

create temp table words on commit drop as
select * from (values
    (0, array['a red fox', 'an old lighthouse', 'a steam locomotive', 'two children with a kite', 'a sleeping cat',
        'a glass greenhouse', 'an astronaut', 'a violin maker', 'a paper boat', 'a herd of elephants', 'a robot gardener',
        'a wooden bridge', 'a market stall', 'an owl', 'a sailing ship', 'a tea ceremony', 'a mountain hut', 'a jazz band',
        'a whale', 'a tower of books', 'a dragon', 'a knight in rusty armour', 'a bowl of ramen', 'a hummingbird'],
        array['in the snow', 'at dawn', 'under a purple sky', 'in heavy rain', 'beside a frozen lake', 'in a narrow street',
        'on the moon', 'in tall grass', 'by candle light', 'seen from above', 'in a desert', 'among autumn leaves'],
        array['oil painting', 'watercolour', '35mm photograph', 'isometric illustration', 'charcoal sketch', 'pixel art',
        'studio lighting', 'cinematic', 'woodcut print', 'low poly render', 'art nouveau poster', 'macro photograph'],
        array['highly detailed', 'soft light', 'muted colours', 'wide angle', 'shallow depth of field', 'golden hour',
        'strong contrast', 'minimalist', 'by nobody in particular', 'centred composition']),
    (1, array['ein roter Fuchs', 'ein alter Leuchtturm', 'eine Dampflokomotive', 'eine schlafende Katze', 'ein Segelschiff',
        'eine Geigenbauerin', 'ein Gewächshaus', 'ein Drache'],
        array['im Schnee', 'bei Sonnenaufgang', 'unter violettem Himmel', 'am zugefrorenen See', 'in einer engen Gasse'],
        array['Ölgemälde', 'Aquarell', 'Holzschnitt', 'Fotografie'], array['sehr genau', 'weiches Licht', 'gedeckte Farben']),
    (2, array['un zorro rojo', 'un faro antiguo', 'una locomotora de vapor', 'un gato dormido', 'un velero', 'un dragón'],
        array['en la nieve', 'al amanecer', 'bajo la lluvia', 'en el desierto'],
        array['óleo', 'acuarela', 'fotografía', 'grabado'], array['muy detallado', 'luz suave', 'gran angular']),
    (3, array['рыжая лиса', 'старый маяк', 'паровоз', 'спящая кошка', 'парусник'],
        array['в снегу', 'на рассвете', 'под дождём', 'у озера'],
        array['масло', 'акварель', 'фотография'], array['детально', 'мягкий свет']),
    (4, array['赤い狐', '古い灯台', '蒸気機関車', '眠る猫', '帆船'], array['雪の中', '夜明け', '雨の日', '湖のほとり'],
        array['油絵', '水彩', '写真', '木版画'], array['細密', '柔らかい光'])
) as given (language, subjects, places, styles, details);

insert into profiles (id, username, avatar_url, created_at)
    select pg_temp.named('person', n), 'person_' || n, case when n % 3 = 0 then 'https://pictures.example/' || n || '.webp' end,
        now() - interval '400 days'
    from bench_size, generate_series(0, people - 1) n;

-- The catalogue's, and some that are offered no more: fourteen.
insert into models (slug, name, provider, engine, is_active, sort_order)
    select slug, initcap(replace(slug, '-', ' ')), 'replicate', 'replicate', false, 200
    from unnest(array['imagen-4-fast', 'ideogram-v3-turbo', 'recraft-v3']) slug on conflict (slug) do nothing;
create temp table numbered_models on commit drop as
    select row_number() over (order by sort_order, slug) - 1 as number, count(*) over () as count, m.* from models m;

-- Whose: by the square of a chance, so that few have many.
create temp table made on commit drop as
    select n as number, pg_temp.named('generation', n) as id, pg_temp.named('attempt', n) as attempt_id,
        floor(people * pg_temp.chance(n, 1) ^ 2)::int as owner,
        m.id as model_id, m.engine, m.default_steps as steps, m.default_guidance as guidance, m.expected_seconds,
        pg_temp.pick(w.subjects, n, 2) || ' ' || pg_temp.pick(w.places, n, 3) || ', ' || pg_temp.pick(w.styles, n, 4) || ', '
            || pg_temp.pick(w.details, n, 5) || case when n % 2500 = 7 then ', with a porcelain okapi' else '' end as prompt,
        case when n % 5 = 0 then 'blurry, text, watermark' end as negative_prompt,
        (array[1024, 1344, 896, 1152])[1 + n % 4] as width, (array[1024, 768, 1152, 896])[1 + n % 4] as height,
        floor(pg_temp.chance(n, 6) * 9007199254740991)::bigint as seed,
        (array[1, 1, 2, 4])[1 + n % 4] as image_count,
        now() - interval '365 days' * (1 - (n + pg_temp.chance(n, 7)) / (generations + 1)) - interval '2 minutes' as created_at
    from bench_size, generate_series(0, generations - 1) n
    join numbered_models m on m.number = floor(m.count * pg_temp.chance(n, 8) ^ 1.5)
    join words w on w.language = case when pg_temp.chance(n, 9) < 0.7 then 0 else 1 + n % 4 end;
insert into image_generations (id, user_id, model_id, engine, prompt, negative_prompt, width, height, steps, guidance_scale,
        seed, image_count, status, progress, expected_seconds, worker, attempt, attempt_id, generation_time_seconds,
        created_at, updated_at, started_at, completed_at)
    select id, pg_temp.named('person', owner), model_id, engine, prompt, negative_prompt, width, height, steps, guidance, seed,
        image_count, 'completed', 1, expected_seconds, 'worker', 1, attempt_id, expected_seconds,
        created_at, created_at + interval '20 seconds', created_at + interval '1 second', created_at + interval '20 seconds'
    from made order by number;

create temp table made_images on commit drop as
    select row_number() over (order by g.number, index) - 1 as number, index, g.number as generation
    from made g, generate_series(0, image_count - 1) index;
insert into images (id, user_id, generation_id, attempt_id, image_index, storage_path, small_path, medium_path, filename,
        format, file_size, width, height, blurhash, publication_id, is_public, is_favorite, rating, download_count,
        like_count, model_id, prompt, negative_prompt, seed, steps, guidance, archived_at, created_at, updated_at)
    select pg_temp.named('image', i.number), pg_temp.named('person', g.owner), g.id, g.attempt_id, i.index,
        path || '-full.webp', path || '-small.webp', path || '-medium.webp', 'image-' || i.number || '.webp',
        'webp', 80000 + floor(200000 * pg_temp.chance(i.number, 20))::int, g.width, g.height,
        'L' || substr(md5('hash ' || i.number), 1, 27),
        case when chance < 0.6 then pg_temp.named('publication', i.number) end, chance < 0.6,
        pg_temp.chance(i.number, 22) < 0.05, case when i.number % 10 = 3 then floor(6 * pg_temp.chance(i.number, 23))::int end,
        0, likes, g.model_id, g.prompt, g.negative_prompt, g.seed, g.steps, g.guidance,
        case when i.number % 200 = 11 then g.created_at + interval '1 day' end,
        g.created_at + interval '20 seconds' + interval '10 ms' * i.index, g.created_at + interval '20 seconds'
    from made_images i join made g on g.number = i.generation
    cross join lateral (
        select pg_temp.chance(i.number, 21) as chance,
            format('picture/generations/%s/%s/%s', g.id, g.attempt_id, i.index) as path,
            (array[0, 0, 0, 1, 1, 2, 2, 3, 4, 12])[1 + (i.number * 7) % 10] as likes
    ) as drawn
    order by i.number;

insert into image_likes (user_id, image_id, image_created_at, created_at)
    select pg_temp.named('person', (floor(people * pg_temp.chance(i.number, 30))::bigint + 37 * n) % people),
        pg_temp.named('image', i.number), g.created_at + interval '20 seconds' + interval '10 ms' * i.index,
        now() - interval '1 minute' - interval '1 ms' * (i.number % 100000)
    from bench_size, made_images i join made g on g.number = i.generation,
        generate_series(1, (array[0, 0, 0, 1, 1, 2, 2, 3, 4, 12])[1 + (i.number * 7) % 10]) n;

insert into tags (id, name, color, created_by, created_at)
    select pg_temp.named('tag', n), (array['night', 'forest', 'portrait', 'city', 'sea', 'winter', 'robot', 'garden', 'train',
        'märchen', 'зима', '風景', 'space', 'cat', 'poster', 'study', 'draft', 'gift', 'print', 'wip'])[1 + n % 20]
        || case when n < 20 then '' else ' ' || n / 20 end,
        '#' || upper(substr(md5('color ' || n), 1, 6)), pg_temp.named('person', n % people), now() - interval '399 days'
    from bench_size, generate_series(0, 499) n;
insert into image_tags (image_id, tag_id, user_id, is_public, image_created_at, created_at)
    select i.id, pg_temp.named('tag', (floor(500 * pg_temp.chance(m.number, 40) ^ 2)::int + 97 * n) % 500),
        i.user_id, i.is_public and i.archived_at is null, i.created_at, now() - interval '1 minute'
    from made_images m join images i on i.id = pg_temp.named('image', m.number), generate_series(0, m.number % 5) n;

-- Splitting a prompt takes longer than all else; many are the same.
insert into image_words (image_id, words)
    select i.id, array['@' || i.user_id] || case when i.is_public and i.archived_at is null then array['@'] else '{}' end
        || split.words
    from images i join (select prompt, picture.words(prompt) as words from (select distinct prompt from made) m) split
        using (prompt);
select picture.mend_gallery();

-- What lasts a day in a house that is lived in: of the newest generations only.
insert into generation_events (user_id, seq, generation_id, kind, attempt, created_at)
    select pg_temp.named('person', owner), 3 * (row_number() over (partition by owner, step order by number) - 1) + step, id,
        (array['queued', 'started', 'completed'])[step], least(step - 1, 1), created_at + interval '1 second' * step
    from bench_size, made, generate_series(1, 3) step where number >= generations - 25000;
insert into objects (key, kind, user_id, generation_id, attempt_id, state, created_at, updated_at)
    select unnest(array[storage_path, small_path, medium_path]), 'image', user_id, generation_id, attempt_id, 'kept',
        created_at, created_at
    from images where generation_id in (select id from bench_size, made where number >= generations - 25000);
insert into user_rate_limits (user_id, storage_bytes_used, event_seq)
    select p.id, coalesce(i.bytes, 0), coalesce(e.seq, 0) from profiles p
    left join (select user_id, sum(file_size) as bytes from images group by 1) i on i.user_id = p.id
    left join (select user_id, max(seq) as seq from generation_events group by 1) e on e.user_id = p.id;
insert into workers (name, engine, model_ids, heartbeat_at)
    select 'worker', 'comfyui', array_agg(id), now() + interval '1 year' from models where engine = 'comfyui' and is_active;

do $$
declare
    one record;
begin
    for one in select definition from dropped loop
        execute one.definition;
    end loop;
end
$$;
