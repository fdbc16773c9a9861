-- The twelve tables under the names that existing deployments have, and those that are new. A table that is
-- there already gains the columns that it lacks.

create table if not exists profiles (id uuid primary key);
alter table profiles
    add column if not exists username text,
    add column if not exists email text,
    add column if not exists avatar_url text,
    add column if not exists created_at timestamptz not null default now(),
    add column if not exists updated_at timestamptz not null default now();

create table if not exists models (id uuid primary key default gen_random_uuid());
alter table models
    add column if not exists slug text,
    add column if not exists name text not null default '',
    add column if not exists description text,
    add column if not exists provider text not null default 'comfyui',
    add column if not exists version text,
    add column if not exists engine text not null default 'comfyui',
    add column if not exists capabilities text[] not null default '{}',
    add column if not exists aspect_ratios text[] not null default '{}',
    -- mode → the names that a request may set in it
    add column if not exists modes jsonb not null default '{}',
    add column if not exists default_width int not null default 1024,
    add column if not exists default_height int not null default 1024,
    add column if not exists min_width int not null default 64,
    add column if not exists min_height int not null default 64,
    add column if not exists max_width int not null default 4096,
    add column if not exists max_height int not null default 4096,
    add column if not exists max_pixels int not null default 16777216,
    add column if not exists native_pixels int not null default 1048576,
    add column if not exists max_source_pixels int,
    add column if not exists max_image_count int not null default 1,
    add column if not exists size_multiple int not null default 8,
    add column if not exists default_steps int,
    add column if not exists min_steps int,
    add column if not exists max_steps int,
    add column if not exists default_guidance double precision,
    add column if not exists min_guidance double precision,
    add column if not exists max_guidance double precision,
    add column if not exists default_strength double precision,
    add column if not exists licence text,
    add column if not exists cost_per_image numeric(12, 6),
    -- the catalogue's guess, until there is a median of our own
    add column if not exists expected_seconds double precision not null default 10,
    add column if not exists typical_seconds double precision,
    add column if not exists is_active boolean not null default true,
    add column if not exists sort_order int not null default 100,
    add column if not exists created_at timestamptz not null default now(),
    add column if not exists updated_at timestamptz not null default now();
-- What an older deployment offered stays for its pictures; the catalogue says what is offered now.
update models set slug = coalesce(slug, id::text), name = coalesce(name, ''), is_active = false,
    provider = case when provider in ('comfyui', 'replicate', 'openai', 'gemini') then provider else 'replicate' end;
alter table models alter column slug set not null;

create table if not exists batch_generations (id uuid primary key default gen_random_uuid());
alter table batch_generations
    add column if not exists user_id uuid not null references profiles on delete cascade,
    add column if not exists name text,
    add column if not exists total_count int not null default 0,
    add column if not exists created_at timestamptz not null default now(),
    add column if not exists completed_at timestamptz;

create table if not exists image_generations (id uuid primary key default gen_random_uuid());
alter table image_generations
    add column if not exists user_id uuid not null references profiles on delete cascade,
    add column if not exists model_id uuid not null references models,
    add column if not exists engine text not null default 'comfyui',
    add column if not exists mode text not null default 'text_to_image',
    add column if not exists prompt text not null default '',
    add column if not exists negative_prompt text,
    add column if not exists width int not null default 1024,
    add column if not exists height int not null default 1024,
    add column if not exists steps int,
    add column if not exists guidance_scale double precision,
    add column if not exists seed bigint not null default 0,
    add column if not exists image_count int not null default 1,
    add column if not exists source_image_id uuid,
    add column if not exists strength double precision,
    add column if not exists is_public boolean not null default false,
    add column if not exists retry_of uuid references image_generations on delete set null,
    add column if not exists batch_id uuid references batch_generations on delete cascade,
    add column if not exists batch_index int,
    -- where it stands
    add column if not exists status text not null default 'queued',
    add column if not exists stage text,
    add column if not exists progress double precision not null default 0,
    -- its place in the queue: start-time fair queueing
    add column if not exists priority int not null default 0,
    add column if not exists tag double precision not null default 0,
    add column if not exists expected_seconds double precision not null default 0,
    add column if not exists not_before timestamptz,
    -- who works at it: reserved while QUEUED, held by an attempt's lease while PROCESSING or CANCELING
    add column if not exists reserved_by text,
    add column if not exists worker text,
    add column if not exists attempt int not null default 0,
    add column if not exists attempt_id uuid,
    add column if not exists lease_until timestamptz,
    add column if not exists retry_count int not null default 0,
    -- how it ended
    add column if not exists failure_code text,
    add column if not exists error_message text,
    add column if not exists failure_stage text,
    add column if not exists failure_node text,
    add column if not exists failure_retryable boolean,
    add column if not exists cost_usd numeric(12, 6),
    add column if not exists generation_time_seconds double precision,
    add column if not exists created_at timestamptz not null default now(),
    add column if not exists updated_at timestamptz not null default now(),
    add column if not exists started_at timestamptz,
    add column if not exists completed_at timestamptz;

create table if not exists images (id uuid primary key default gen_random_uuid());
alter table images
    add column if not exists user_id uuid not null references profiles on delete cascade,
    add column if not exists generation_id uuid,
    add column if not exists attempt_id uuid,
    add column if not exists image_index int not null default 0,
    -- keys in storage
    add column if not exists storage_path text,
    add column if not exists small_path text,
    add column if not exists medium_path text,
    add column if not exists public_url text,
    add column if not exists filename text,
    add column if not exists format text not null default 'webp',
    add column if not exists file_size bigint not null default 0,
    add column if not exists width int not null default 0,
    add column if not exists height int not null default 0,
    add column if not exists blurhash text,
    -- made anew each time that it is published
    add column if not exists publication_id uuid,
    add column if not exists is_public boolean not null default false,
    add column if not exists is_favorite boolean not null default false,
    add column if not exists rating int,
    add column if not exists download_count int not null default 0,
    add column if not exists like_count int not null default 0,
    -- how it was made: a picture outlives its generation
    add column if not exists model_id uuid references models,
    add column if not exists prompt text,
    add column if not exists negative_prompt text,
    add column if not exists seed bigint,
    add column if not exists steps int,
    add column if not exists guidance double precision,
    add column if not exists archived_at timestamptz,
    add column if not exists created_at timestamptz not null default now(),
    add column if not exists updated_at timestamptz not null default now();

create table if not exists tags (id uuid primary key default gen_random_uuid());
alter table tags
    add column if not exists name text not null default '',
    add column if not exists color text,
    add column if not exists created_by uuid references profiles on delete set null,
    add column if not exists created_at timestamptz not null default now();

create table if not exists image_tags (
    image_id uuid not null references images on delete cascade,
    tag_id uuid not null references tags on delete cascade
);
alter table image_tags add column if not exists created_at timestamptz not null default now();

create table if not exists image_likes (
    user_id uuid not null references profiles on delete cascade,
    image_id uuid not null references images on delete cascade
);
alter table image_likes add column if not exists created_at timestamptz not null default now();

create table if not exists prompt_templates (id uuid primary key default gen_random_uuid());
alter table prompt_templates
    add column if not exists user_id uuid references profiles on delete cascade,
    add column if not exists name text not null default '',
    add column if not exists prompt text not null default '',
    add column if not exists negative_prompt text,
    add column if not exists category text,
    add column if not exists is_public boolean not null default false,
    add column if not exists use_count int not null default 0,
    add column if not exists created_at timestamptz not null default now(),
    add column if not exists updated_at timestamptz not null default now();

create table if not exists generation_performance (id uuid primary key default gen_random_uuid());
alter table generation_performance
    add column if not exists generation_id uuid references image_generations on delete cascade,
    add column if not exists user_id uuid references profiles on delete cascade,
    add column if not exists model_id uuid references models,
    add column if not exists attempt int not null default 1,
    add column if not exists worker text,
    add column if not exists queue_seconds double precision,
    add column if not exists prepare_seconds double precision,
    add column if not exists run_seconds double precision,
    add column if not exists store_seconds double precision,
    add column if not exists created_at timestamptz not null default now();

create table if not exists generation_errors (id uuid primary key default gen_random_uuid());
alter table generation_errors
    add column if not exists generation_id uuid references image_generations on delete cascade,
    add column if not exists user_id uuid references profiles on delete cascade,
    add column if not exists model_id uuid references models,
    add column if not exists attempt int not null default 0,
    add column if not exists worker text,
    add column if not exists code text,
    add column if not exists message text,
    add column if not exists stage text,
    add column if not exists node text,
    add column if not exists will_retry boolean not null default false,
    add column if not exists created_at timestamptz not null default now();

-- One row a person for all that is counted about them, so that a change locks one row and no other.
create table if not exists user_rate_limits (user_id uuid primary key references profiles on delete cascade);
alter table user_rate_limits
    add column if not exists hour_started_at timestamptz not null default 'epoch',
    add column if not exists generations_this_hour int not null default 0,
    add column if not exists day_started_at timestamptz not null default 'epoch',
    add column if not exists generations_today int not null default 0,
    add column if not exists uploads_day_started_at timestamptz not null default 'epoch',
    add column if not exists uploads_today int not null default 0,
    add column if not exists storage_bytes_used bigint not null default 0,
    -- fair queueing: when, in GPU seconds, all that this person has asked for is served
    add column if not exists virtual_finish double precision not null default 0,
    -- the number of this person's newest event
    add column if not exists event_seq bigint not null default 0;

-- ── New ones ──────────────────────────────────────────────────────────────

create table if not exists generation_events (
    user_id uuid not null references profiles on delete cascade,
    seq bigint not null,
    generation_id uuid not null references image_generations on delete cascade,
    kind text not null,
    attempt int not null,
    will_retry boolean not null default false,
    failure jsonb,
    created_at timestamptz not null default clock_timestamp(),
    primary key (user_id, seq)
);

create table if not exists idempotency_keys (
    user_id uuid not null references profiles on delete cascade,
    mutation text not null,
    key text not null,
    input_hash bytea not null,
    generation_id uuid,
    created_at timestamptz not null default now(),
    primary key (user_id, mutation, key)
);

-- Every object is announced here before it is written; clean-up walks this table, never a listing.
create table if not exists objects (
    key text primary key,
    kind text not null,
    user_id uuid,
    generation_id uuid,
    attempt_id uuid,
    state text not null default 'announced',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create table if not exists queue_lines (
    engine text not null,
    model_id uuid not null references models on delete cascade,
    priority int not null,
    clock double precision not null default 0,
    passed_over int not null default 0,
    primary key (engine, model_id, priority)
);

create table if not exists workers (
    name text primary key,
    engine text not null,
    host text not null default '',
    model_ids uuid[] not null default '{}',
    engine_version text,
    device text,
    state text not null default 'up',
    started_at timestamptz not null default now(),
    heartbeat_at timestamptz not null default now()
);

create table if not exists revoked_subjects (
    sub uuid primary key,
    revoked_at timestamptz not null default now()
);
