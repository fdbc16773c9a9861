-- The first Picture's database on Supabase, as its owner `postgres` of there made it: other words, other types,
-- columns that we do not know, and policies that show everything.
create type generation_status as enum ('pending', 'processing', 'succeeded', 'failed');
create table profiles (
    id uuid primary key references auth.users on delete cascade, username varchar(50) unique not null, email varchar(255),
    avatar_url text, created_at timestamp default now(), updated_at timestamp default now());
create table models (
    id uuid primary key default gen_random_uuid(), name varchar(100) not null, display_name text not null,
    provider varchar(50) not null, capabilities jsonb default '{}', is_active boolean default true);
create table batch_generations (
    id uuid primary key default gen_random_uuid(), user_id uuid references auth.users, total_count int not null,
    status varchar(20) not null check (status in ('pending', 'done')));
create table image_generations (
    id uuid primary key default gen_random_uuid(), user_id uuid not null references auth.users on delete cascade,
    model_id uuid references models, prompt varchar(500) not null, negative_prompt text, width int default 1024,
    height int default 1024, steps int, guidance_scale numeric(4, 2), seed int,
    status generation_status not null default 'pending', priority int default 5 check (priority between 1 and 10),
    retry_count int default 0, batch_id uuid references batch_generations, batch_index int, error_message text,
    provider_url text not null, generation_time_seconds numeric(8, 2), created_at timestamp default now(),
    completed_at timestamp);
create index on image_generations (created_at) where status = 'pending';
create table images (
    id uuid primary key default gen_random_uuid(),
    generation_id uuid not null references image_generations on delete cascade,
    user_id uuid not null references auth.users on delete cascade, filename varchar(100) not null,
    storage_path text not null, public_url text not null, file_size int, width int, height int,
    format varchar(10) default 'PNG', is_public boolean default true, is_favorite boolean default false,
    rating smallint check (rating between 0 and 5), download_count int default 0, archived_at timestamp,
    created_at timestamp default now());
create table tags (id uuid primary key default gen_random_uuid(), name varchar(50) unique not null, color varchar(7));
create table image_tags (image_id uuid references images on delete cascade, tag_id uuid references tags,
    primary key (image_id, tag_id));
create table image_likes (id uuid primary key default gen_random_uuid(), user_id uuid references auth.users,
    image_id uuid references images on delete cascade, unique (user_id, image_id));
create table prompt_templates (id uuid primary key default gen_random_uuid(), user_id uuid references auth.users,
    title text not null, template text not null, is_public boolean default false);
create table generation_performance (id bigint generated always as identity primary key, generation_id uuid,
    api_time_ms int not null);
create table generation_errors (id bigint generated always as identity primary key, generation_id uuid,
    error_code text not null, error_message text not null);
create table user_rate_limits (id uuid primary key default gen_random_uuid(), user_id uuid references auth.users,
    window_start timestamp not null, request_count int not null, unique (user_id, window_start));
create view batch_progress as select b.id, count(*) from batch_generations b join image_generations g on g.batch_id = b.id
    where g.status = 'succeeded' group by 1;
create view multi_generation_groups as select prompt, count(*) from image_generations group by 1;

create function schedule_retry(id uuid) returns void language sql security definer as
    $$ update image_generations set status = 'pending' where image_generations.id = schedule_retry.id $$;
create function call_the_edge_function() returns trigger language plpgsql security definer as
    $$ begin raise exception 'the old edge function was called'; end $$;

alter table profiles enable row level security;
alter table image_generations enable row level security;
alter table images enable row level security;
create policy everybody on profiles using (true);
create policy everybody on image_generations using (status = 'succeeded' or auth.uid() = user_id);
create policy everybody on images using (true) with check (true);
grant all on all tables in schema public to anon, authenticated, service_role;
alter default privileges in schema public grant all on tables to anon, authenticated, service_role;

insert into auth.users values ('ALICE'), ('BOB');
insert into profiles (id, username, email) values ('ALICE', 'alice', 'alice@example.com');
insert into models (name, display_name, provider) values ('flux', 'FLUX', 'Replicate'), ('dall-e', 'DALL-E', 'openai');
insert into image_generations (user_id, model_id, prompt, status, seed, guidance_scale, error_message, provider_url,
                               generation_time_seconds, created_at)
    select 'ALICE', (select id from models order by name limit 1), 'old fox ' || n,
        (enum_range(null::generation_status))[1 + n % 4], nullif(n, 5), 7.5,
        case when n % 4 = 3 then 'Error: connect 10.0.0.7:443' end, '', 12.34, now()::timestamp - n * interval '1 hour'
    from generate_series(1, 68) n;
insert into images (generation_id, user_id, filename, storage_path, public_url, file_size, width, height, is_public)
    select id, user_id, 'fox.png', 'ALICE/' || id || '.png', 'https://example.com/fox.png', 1000, 1024, 1024, n % 2 = 0
    from (select *, row_number() over (order by created_at) as n from image_generations) g limit 29;
insert into user_rate_limits (user_id, window_start, request_count) values ('ALICE', now(), 3);
create trigger on_new_generation after insert or update of status on image_generations
    for each row when (new.status = 'processing') execute function call_the_edge_function();
