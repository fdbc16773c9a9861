-- What an older deployment has in the way of today's tables; on an empty database nothing of it finds anything.
-- Everything that hung on the old words, or wrote to these tables by itself, goes: policies, checks, triggers (one
-- may call the old function for each new row), partial indexes. The rows stay.

drop view if exists batch_progress;
drop view if exists multi_generation_groups;

do $$
declare
    one regclass;
    found record;
begin
    foreach one in array array_remove(array[
        to_regclass('public.profiles'), to_regclass('public.models'), to_regclass('public.image_generations'),
        to_regclass('public.batch_generations'), to_regclass('public.images'), to_regclass('public.tags'),
        to_regclass('public.image_tags'), to_regclass('public.image_likes'), to_regclass('public.prompt_templates'),
        to_regclass('public.generation_performance'), to_regclass('public.generation_errors'),
        to_regclass('public.user_rate_limits')], null)
    loop
        for found in select polname from pg_policy where polrelid = one loop
            execute format('drop policy %I on %s', found.polname, one);
        end loop;
        for found in select conname from pg_constraint where conrelid = one and contype = 'c' loop
            execute format('alter table %s drop constraint %I', one, found.conname);
        end loop;
        for found in select tgname from pg_trigger where tgrelid = one and not tgisinternal loop
            execute format('drop trigger %I on %s', found.tgname, one);
        end loop;
        for found in select indexrelid::regclass as index from pg_index
            where indrelid = one and (indpred is not null or indexprs is not null) loop
            execute format('drop index %s', found.index);
        end loop;
        for found in
            select attname as name, typtype, typname, attnotnull and not atthasdef and attidentity = '' as is_required,
                exists (select from pg_index where indrelid = one and indisprimary and attnum = any (indkey)) as is_key
            from pg_attribute join pg_type on pg_type.oid = atttypid
            where attrelid = one and attnum > 0 and not attisdropped
        loop
            -- A column that we do not fill must not refuse our rows.
            if found.is_required and not found.is_key and found.name not in ('user_id', 'image_id', 'tag_id') then
                execute format('alter table %s alter %I drop not null', one, found.name);
            end if;
            if found.name in ('capabilities', 'aspect_ratios') and found.typname <> '_text'
                or found.name = 'modes' and found.typname <> 'jsonb' then
                execute format('alter table %s rename %I to %I', one, found.name, 'old_' || found.name);
            elsif found.typtype = 'e' then
                execute format('alter table %s alter %2$I drop default, alter %2$I type text using lower(%2$I::text)',
                               one, found.name);
            elsif found.typname in ('varchar', 'bpchar') then
                execute format('alter table %s alter %I type text', one, found.name);
            elsif found.typname in ('numeric', 'float4') and found.name not like '%cost%' then
                execute format('alter table %s alter %I type double precision', one, found.name);
            elsif found.typname = 'timestamp' then
                execute format('alter table %s alter %2$I type timestamptz using %2$I at time zone ''UTC''', one, found.name);
            end if;
        end loop;
    end loop;

    -- Over Supabase's REST interface these would write as their owner, past all policies.
    for found in select oid::regprocedure as function from pg_proc where pronamespace = 'public'::regnamespace
        and proname in ('check_rate_limit', 'get_user_limits', 'create_multi_generation', 'get_next_queued_generation',
                        'schedule_retry', 'process_error_recovery', 'recover_stale_generations', 'get_error_statistics')
        and pg_has_role(proowner, 'member') loop
        execute format('revoke all on function %s from public, anon, authenticated', found.function);
    end loop;

    -- Counts of windows that are long over, in another shape.
    if to_regclass('public.user_rate_limits') is not null and not exists (
        select from pg_attribute where attrelid = to_regclass('public.user_rate_limits') and attname = 'event_seq') then
        drop table user_rate_limits;
    end if;
end
$$;
