-- Uploads: a client's bytes, from the address that they are sent to until they are an image or nothing.
set local lock_timeout = '5s';  -- fail, rather than make everybody queue behind us

create table uploads (
    id uuid primary key,
    user_id uuid not null references profiles on delete cascade,
    filename text not null,
    -- what was promised; nothing of it is believed
    content_type text not null,
    size bigint not null,
    -- where the bytes are sent to
    object_key text not null,
    status text not null default 'pending',
    -- who checks it: while PROCESSING, the next may take it when it is due
    attempts int not null default 0,
    attempt_id uuid,
    due_at timestamptz,
    -- what came of it
    image_id uuid,  -- which may be deleted since: no foreign key, so that deleting an image locks no upload
    error_code text,
    error_message text,
    expires_at timestamptz not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    completed_at timestamptz,
    ended_at timestamptz,
    constraint uploads_filename check (length(filename) between 1 and 255),
    constraint uploads_content_type check (content_type in ('image/png', 'image/jpeg', 'image/webp')),
    constraint uploads_size check (size > 0),
    constraint uploads_status check (status in ('pending', 'processing', 'ready', 'rejected', 'expired')),
    constraint uploads_attempts check (attempts >= 0),
    constraint uploads_error check (error_code in ('invalid', 'too_large', 'blocked_content')),
    -- Nothing can be forgotten in PROCESSING, and only what is REJECTED says why.
    constraint uploads_due check ((status = 'processing') = (due_at is not null)),
    constraint uploads_ended check ((status in ('ready', 'rejected', 'expired')) = (ended_at is not null)),
    constraint uploads_rejected check ((status = 'rejected') = (error_code is not null and error_message is not null))
);
create index uploads_due on uploads (due_at) where status = 'processing';
create index uploads_open on uploads (expires_at) where status in ('pending', 'processing');
create index uploads_over on uploads (ended_at) where ended_at is not null;
create index uploads_by_owner on uploads (user_id);

-- Bytes promised to uploads that have not ended: with what is stored they may not pass the limit.
alter table user_rate_limits add column if not exists upload_bytes bigint not null default 0;
alter table user_rate_limits add constraint limits_upload_bytes check (upload_bytes >= 0) not valid;

-- A signed address outlives its upload: what somebody may still write is removed again when they no longer may.
alter table objects
    add column if not exists upload_id uuid,
    add column if not exists writable_until timestamptz,
    add column if not exists removed_at timestamptz;
alter table objects drop constraint if exists objects_kind;
alter table objects add constraint objects_kind check (kind in ('image', 'upload')) not valid;
create index objects_by_upload on objects (upload_id) where upload_id is not null;

alter table uploads enable row level security;
alter table uploads force row level security;
revoke all on uploads from public, anon, authenticated, picture_api, picture_worker;
grant select, insert, update, delete on uploads to picture_worker;
create policy worker on uploads to picture_worker using (true) with check (true);
do $$ begin execute format('create policy owner on uploads to %I using (true) with check (true)', current_user); end $$;
-- Its owner asks for one and says that the bytes are there; all else is the worker's.
grant select on uploads to picture_api;
grant insert (id, user_id, filename, content_type, size, object_key, expires_at) on uploads to picture_api;
grant update (status, due_at, expires_at, completed_at, updated_at) on uploads to picture_api;
create policy own on uploads to picture_api
    using (user_id = (select picture.viewer_id())) with check (user_id = (select picture.viewer_id()));

-- Whether an upload still waits for its bytes; asked only after the signature of its address has been verified.
create or replace function picture.awaits_bytes(upload uuid) returns boolean
language sql stable security definer set search_path = public, pg_temp as $$
    select status = 'pending' and expires_at > now() from uploads where id = upload
$$;
revoke all on function picture.awaits_bytes(uuid) from public;
grant execute on function picture.awaits_bytes(uuid) to picture_api, picture_worker;
