-- Reports, the audit trail, and accounts that end.
set local lock_timeout = '5s';  -- fail, rather than make everybody queue behind us

-- ── Names ─────────────────────────────────────────────────────────────────
-- One name is one person, however it is written. Of an older deployment's twins the eldest keeps it as it is.
update profiles p set username = left(p.username, 41) || '-' || left(p.id::text, 8)
    from (select id, row_number() over (partition by lower(username) order by created_at, id) as place
          from profiles where username is not null) twins
    where twins.id = p.id and twins.place > 1;
create unique index if not exists profiles_username_any_case on profiles (lower(username));
drop index if exists profiles_username;

-- The profile of who is new, and whether they may come in. Who is revoked meanwhile is seen by the second look: it
-- is a statement of its own, so it sees what the first one had to wait for.
create or replace function picture.admit(subject uuid, in_email text) returns boolean
language plpgsql set search_path = public, pg_temp as $$
begin
    if picture.is_revoked(subject) then
        return false;
    end if;
    insert into profiles (id, email) values (subject, in_email) on conflict (id) do nothing;
    insert into user_rate_limits (user_id) values (subject) on conflict (user_id) do nothing;
    return not picture.is_revoked(subject);
end
$$;
alter function picture.is_revoked volatile;  -- a new look each time that it is asked

-- Who of these is revoked: for those whose streams are open.
create or replace function picture.revoked_among(subjects uuid[]) returns setof uuid
language sql stable security definer set search_path = public, pg_temp as $$
    select sub from revoked_subjects where sub = any (subjects)
$$;

-- ── Templates ─────────────────────────────────────────────────────────────
-- Counted like all that is limited: counting rows lets too many pass.
alter table user_rate_limits add column if not exists template_count int not null default 0;
insert into user_rate_limits (user_id, template_count)
    select user_id, count(*) from prompt_templates join profiles on profiles.id = user_id group by user_id
    on conflict (user_id) do update set template_count = excluded.template_count;
alter table user_rate_limits drop constraint if exists limits_templates;
alter table user_rate_limits add constraint limits_templates check (template_count >= 0);
alter table prompt_templates drop constraint if exists prompt_templates_lengths;
alter table prompt_templates add constraint prompt_templates_lengths
    check (length(name) <= 100 and length(category) <= 50) not valid;
alter table prompt_templates add column if not exists words text[] collate "C"
    generated always as (picture.words(name || ' ' || prompt)) stored;
create index if not exists templates_words on prompt_templates using gin (words) where is_public;
create index if not exists templates_public on prompt_templates (name, id) where is_public;

-- The viewer's own, then those of others that are public, at most so many. As the owner, because under row-level
-- security no index for words is used; only ids are given out, and the rows are read as the viewer.
create or replace function picture.find_templates(in_category text, typed text, most int)
returns table (id uuid, place bigint) language sql stable security definer set search_path = public, pg_temp as $$
    select found.id, row_number() over (order by found.is_others, found.name, found.id) from (
        (select t.id, t.name, false as is_others from prompt_templates t where t.user_id = picture.viewer_id()
            and (in_category is null or lower(t.category) = lower(in_category))
            and (typed is null or t.words @> (select picture.words(typed))))
        union all
        (select t.id, t.name, true from prompt_templates t
            where t.is_public and t.user_id is distinct from picture.viewer_id()
            and (in_category is null or lower(t.category) = lower(in_category))
            and (typed is null or t.words @> (select picture.words(typed)))
            order by t.name, t.id limit most)
    ) found
$$;

-- ── Reports, and what an operator decides ─────────────────────────────────
create table if not exists reports (
    id uuid primary key default gen_random_uuid(),
    image_id uuid not null references images on delete cascade,
    user_id uuid not null references profiles on delete cascade,
    reason text not null check (length(reason) <= 1000),
    created_at timestamptz not null default now(),
    -- how it was decided; null while it is open
    decision text check (decision in ('dismissed', 'hidden')),
    decided_at timestamptz,
    unique (user_id, image_id)
);
create index if not exists reports_open on reports (created_at) where decision is null;
create index if not exists reports_by_image on reports (image_id);

create table if not exists audit_log (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    operator text not null,
    action text not null,
    target uuid not null,
    reason text,
    details jsonb not null default '{}'
);

do $$
declare
    one text;
begin
    foreach one in array array['reports', 'audit_log'] loop
        execute format('alter table %I enable row level security', one);
        execute format('alter table %I force row level security', one);
        execute format('revoke all on %I from public, anon, authenticated, picture_api, picture_worker', one);
        execute format('drop policy if exists owner on %I', one);
        execute format('create policy owner on %I to %I using (true) with check (true)', one, current_user);
    end loop;
end
$$;
grant select, insert, update, delete on reports to picture_worker;
create policy worker on reports to picture_worker using (true) with check (true);
-- Nobody reads them but the operator; one may report what one sees.
grant insert (image_id, user_id, reason) on reports to picture_api;
create policy own_insert on reports for insert to picture_api with check (
    user_id = (select picture.viewer_id()) and exists (select from images where images.id = image_id));

-- What an operator has done stays said, whoever they are.
grant select, insert on audit_log to picture_worker;
create policy worker_select on audit_log for select to picture_worker using (true);
create policy worker_insert on audit_log for insert to picture_worker with check (true);
create or replace function picture.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'The audit log is only added to.' using errcode = 'insufficient_privilege';
end
$$;
create or replace trigger append_only before update or delete or truncate on audit_log
    for each statement execute function picture.refuse_change();

-- Of an image its owner changes the marks, whatever a statement of ours gets wrong: not its bytes, counts or origin,
-- nor that it is hidden.
revoke insert, update on images from picture_api;
grant update (is_public, is_favorite, rating, archived_at, publication_id, updated_at) on images to picture_api;

-- ── Downloads ─────────────────────────────────────────────────────────────
-- Those of a second, by one statement. Locked in the order of their ids, as everywhere.
create or replace function picture.count_downloads(ids uuid[], counts int[]) returns void
language sql security definer set search_path = public, pg_temp as $$
    with asked as (
        select * from unnest(ids, counts) as a (id, count)
    ), held as materialized (
        select i.id from images i where i.id = any (ids) order by i.id for no key update
    )
    update images i set download_count = i.download_count + asked.count
    from held join asked on asked.id = held.id where i.id = held.id
$$;

-- ── Accounts that end ─────────────────────────────────────────────────────
create index if not exists objects_by_owner on objects (user_id) where user_id is not null;

-- All that a person has, in one transaction; again, it finds nothing. Locks in the order that everybody keeps:
-- generations, uploads, images, the owner's counters. Every object gets its tombstone; what is only announced may be
-- being written just now, by a worker that has not heard yet: it is removed at once, and once more in an hour.
create or replace function picture.delete_account(subject uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    gone jsonb = '{}';
    many bigint;
begin
    insert into revoked_subjects (sub) values (subject) on conflict (sub) do nothing;
    perform from image_generations where user_id = subject order by id for update;
    perform from uploads where user_id = subject order by id for update;
    perform from images where user_id = subject or id in (select image_id from image_likes where user_id = subject)
        order by id for update;
    perform from user_rate_limits where user_id = subject for update;

    update objects set state = 'deleted', user_id = null, updated_at = now(),
        writable_until = case when state = 'announced' then greatest(writable_until, now() + interval '1 hour')
            else writable_until end
        where user_id = subject;
    get diagnostics many = row_count;
    gone = gone || jsonb_build_object('objects', many);
    delete from image_tags where user_id = subject;  -- at once, so that the tags are locked in their order
    delete from image_likes where user_id = subject;
    get diagnostics many = row_count;
    gone = gone || jsonb_build_object('likes', many);
    delete from images where user_id = subject;
    get diagnostics many = row_count;
    gone = gone || jsonb_build_object('images', many);
    delete from image_generations where user_id = subject;
    get diagnostics many = row_count;
    gone = gone || jsonb_build_object('generations', many);
    delete from batch_generations where user_id = subject;
    delete from prompt_templates where user_id = subject;
    delete from generation_performance where user_id = subject;
    delete from generation_errors where user_id = subject;
    delete from user_rate_limits where user_id = subject;
    -- the rest hangs on it
    delete from profiles where id = subject;
    get diagnostics many = row_count;
    -- What was announced by who held the profile until now, as an upload does that begins in this moment.
    update objects set state = 'deleted', user_id = null, updated_at = now() where user_id = subject;
    return gone || jsonb_build_object('profiles', many);
end
$$;

-- The viewer's own, when `confirm` is their name, or DELETE where they have none. Null: it is gone already.
create or replace function picture.delete_own_account(confirm text) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    is_meant boolean;
begin
    select coalesce(username, 'DELETE') = confirm into is_meant from profiles where id = picture.viewer_id();
    if is_meant then
        perform picture.delete_account(picture.viewer_id());
    end if;
    return is_meant;
end
$$;

-- On Supabase, who is deleted there is deleted here. By its capital it comes before the triggers of foreign keys, which
-- on an older deployment refuse the delete while anything is left.
create or replace function picture.user_was_deleted() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    perform picture.delete_account(old.id);
    return null;
end
$$;
do $$
declare
    users oid = (select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
                 where n.nspname = 'auth' and c.relname = 'users' and c.relkind in ('r', 'p'));
begin
    if users is not null and not exists (
        select from pg_trigger where tgrelid = users and tgname = 'Picture_user_was_deleted') then
        create trigger "Picture_user_was_deleted" after delete on auth.users
            for each row execute function picture.user_was_deleted();
    end if;
exception when insufficient_privilege then
    raise notice 'auth.users may not be given a trigger by %: who is deleted there stays here.', current_user;
end
$$;

revoke all on function picture.admit, picture.revoked_among, picture.find_templates,
    picture.refuse_change, picture.count_downloads, picture.delete_account, picture.delete_own_account,
    picture.user_was_deleted from public;
grant execute on function picture.admit, picture.revoked_among, picture.find_templates,
    picture.count_downloads, picture.delete_own_account to picture_api;
grant execute on function picture.delete_account to picture_worker;
