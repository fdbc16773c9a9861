-- Who asks, and as whom we log in. On Supabase most of this is there already.

do $$
declare
    name text;
begin
    -- anon, authenticated: Supabase's REST interface. picture_api, picture_worker: what our login roles inherit.
    foreach name in array array['anon', 'authenticated', 'picture_api', 'picture_worker'] loop
        if not exists (select from pg_roles where rolname = name) then
            begin
                execute format('create role %I nologin noinherit', name);
            exception when duplicate_object or unique_violation then
                null;  -- another database of this cluster is being migrated at the same moment
            end;
        end if;
    end loop;

    -- As on Supabase, for policies and views of others. Where it is there we may not even look into its schema.
    if not exists (select from pg_proc where proname = 'uid' and pronamespace in
                   (select oid from pg_namespace where nspname = 'auth'))
        and coalesce((select has_schema_privilege(oid, 'create') from pg_namespace where nspname = 'auth'), true) then
        create schema if not exists auth;
        create function auth.uid() returns uuid language sql stable as $uid$
            select nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '')::uuid
        $uid$;
        grant usage on schema auth to anon, authenticated, picture_api, picture_worker;
    end if;
end
$$;

create schema if not exists picture;
grant usage on schema picture to anon, authenticated, picture_api, picture_worker;
grant usage on schema public to anon, authenticated, picture_api, picture_worker;

-- Our own reading of the claims: Supabase does not let other roles into its schema `auth`.
create or replace function picture.viewer_id() returns uuid language sql stable as $$
    select nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '')::uuid
$$;

create or replace function picture.is_admin() returns boolean language sql stable as $$
    select coalesce(claims ->> 'role' = 'service_role' or claims #>> '{app_metadata,role}' = 'admin', false)
    from (select nullif(current_setting('request.jwt.claims', true), '')::jsonb as claims) as given
$$;
