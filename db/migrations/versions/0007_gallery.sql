-- Search, likes, tags, and what an operator hides. May run again after dying halfway.

-- ── What an operator hides ────────────────────────────────────────────────

-- By an admin: gone for all but its owner.
alter table images add column if not exists hidden_at timestamptz;

drop policy if exists visible on images;
create policy visible on images for select to anon, authenticated, picture_api
    using (user_id = (select picture.viewer_id()) or (is_public and archived_at is null and hidden_at is null));

-- ── Tags ──────────────────────────────────────────────────────────────────

-- Of an older deployment's tags that differ in case or blanks only, the first keeps the images of all.
update image_tags t set tag_id = k.keep
    from (select id, first_value(id) over same as keep from tags
          window same as (partition by lower(normalize(regexp_replace(btrim(name), '\s+', ' ', 'g'), nfc)) order by id)) k
    where k.id = t.tag_id and k.keep <> k.id
        and not exists (select from image_tags o where o.image_id = t.image_id and o.tag_id = k.keep);
delete from tags g using tags o
    where lower(normalize(regexp_replace(btrim(o.name), '\s+', ' ', 'g'), nfc))
        = lower(normalize(regexp_replace(btrim(g.name), '\s+', ' ', 'g'), nfc)) and o.id < g.id;
update tags set name = lower(normalize(regexp_replace(btrim(name), '\s+', ' ', 'g'), nfc))
    where name <> lower(normalize(regexp_replace(btrim(name), '\s+', ' ', 'g'), nfc));
alter table tags drop constraint if exists tags_name_length;
alter table tags add constraint tags_name_length check (length(name) between 1 and 50) not valid;

-- How many images that everybody may see carry it.
alter table tags add column if not exists public_count int not null default 0;
create index if not exists tags_by_use on tags (public_count desc, name);
create index if not exists tags_by_maker on tags (created_by);

-- What an image is to those who look for its tags stands with each of them, so that a page of a tag is a stretch of an
-- index, and who may see it is not asked of another table. Kept by triggers, never written by anybody.
alter table image_tags
    add column if not exists user_id uuid,
    add column if not exists is_public boolean not null default false,
    add column if not exists image_created_at timestamptz;

-- The image is locked as it is read: what is published or hidden in this moment waits, and then finds this tag.
create or replace function picture.tag_as_image() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    select i.user_id, i.is_public and i.archived_at is null and i.hidden_at is null, i.created_at
        into new.user_id, new.is_public, new.image_created_at
        from images i where i.id = new.image_id for share;
    new.is_public = coalesce(new.is_public, false);
    return new;
end
$$;
create or replace trigger as_image before insert on image_tags
    for each row execute function picture.tag_as_image();

-- Locked in the order of their ids, so that two who change the same tags wait, and do not deadlock.
create or replace function picture.count_tags() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    ids uuid[];
    counts int[];
begin
    if tg_op = 'INSERT' then
        select array_agg(c.tag_id), array_agg(c.count) into ids, counts
            from (select tag_id, count(*) from added where is_public group by tag_id) c;
    elsif tg_op = 'DELETE' then
        select array_agg(c.tag_id), array_agg(-c.count) into ids, counts
            from (select tag_id, count(*) from removed where is_public group by tag_id) c;
    else
        select array_agg(c.tag_id), array_agg(c.count) into ids, counts from (
            select tag_id, sum(count) as count from (
                select tag_id, is_public::int as count from added
                union all select tag_id, -is_public::int from removed) b
            group by tag_id having sum(count) <> 0) c;
    end if;
    if ids is not null then
        perform from tags where id = any (ids) order by id for no key update;
        update tags t set public_count = greatest(t.public_count + c.count, 0)
            from unnest(ids, counts) as c (id, count) where t.id = c.id;
    end if;
    return null;
end
$$;
create or replace trigger counted_in after insert on image_tags referencing new table as added
    for each statement execute function picture.count_tags();
create or replace trigger counted_out after delete on image_tags referencing old table as removed
    for each statement execute function picture.count_tags();
create or replace trigger counted_anew after update on image_tags referencing old table as removed new table as added
    for each statement execute function picture.count_tags();

drop policy if exists visible on image_tags;
create policy visible on image_tags for select to anon, authenticated, picture_api
    using (is_public or user_id = (select picture.viewer_id()));
drop policy if exists own_insert on image_tags;
create policy own_insert on image_tags for insert to picture_api with check (user_id = (select picture.viewer_id()));
drop policy if exists own_delete on image_tags;
create policy own_delete on image_tags for delete to picture_api using (user_id = (select picture.viewer_id()));
drop policy if exists visible on tags;
create policy visible on tags for select to anon, authenticated, picture_api
    using (public_count > 0 or created_by = (select picture.viewer_id()) or exists (
        select from image_tags m where m.tag_id = tags.id and m.user_id = (select picture.viewer_id())));
revoke update on image_tags from picture_api;
revoke insert, update on tags from picture_api;
grant update (color) on tags to picture_api;

-- The tags of these names, made where they are new. Somebody else's that the viewer cannot see is the same tag: a name
-- is there once. The second statement sees what the first had to wait for.
create or replace function picture.tags_named(names text[]) returns setof uuid
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    insert into tags (name, created_by)
        select name, picture.viewer_id() from unnest(names) as name order by name
        on conflict (name) do nothing;
    return query select t.id from tags t where t.name = any (names);
end
$$;

-- ── Likes ─────────────────────────────────────────────────────────────────

alter table image_likes add column if not exists image_created_at timestamptz;

create or replace function picture.like_as_image() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    new.image_created_at = (select i.created_at from images i where i.id = new.image_id);
    return new;
end
$$;
create or replace trigger as_image before insert on image_likes
    for each row execute function picture.like_as_image();

create or replace function picture.count_likes() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    ids uuid[];
    counts int[];
begin
    if tg_op = 'INSERT' then
        select array_agg(c.image_id), array_agg(c.count) into ids, counts
            from (select image_id, count(*) from added group by image_id) c;
    else
        select array_agg(c.image_id), array_agg(-c.count) into ids, counts
            from (select image_id, count(*) from removed group by image_id) c;
    end if;
    if ids is not null then
        perform from images where id = any (ids) order by id for no key update;
        update images i set like_count = greatest(i.like_count + c.count, 0)
            from unnest(ids, counts) as c (id, count) where i.id = c.id;
    end if;
    return null;
end
$$;
create or replace trigger counted_in after insert on image_likes referencing new table as added
    for each statement execute function picture.count_likes();
create or replace trigger counted_out after delete on image_likes referencing old table as removed
    for each statement execute function picture.count_likes();

-- To like changes a row that is somebody else's. False: there is no such image to see. It is locked first: who makes it
-- private in this moment goes before or after, and two who like it wait for each other here and nowhere else.
create or replace function picture.set_like(image uuid, liked boolean) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    viewer uuid = picture.viewer_id();
begin
    perform from images i where i.id = image
        and (i.user_id = viewer or (i.is_public and i.archived_at is null and i.hidden_at is null)) for no key update;
    if viewer is null or not found then
        return false;
    end if;
    if liked then
        insert into image_likes (user_id, image_id) values (viewer, image) on conflict (user_id, image_id) do nothing;
    else
        delete from image_likes where user_id = viewer and image_id = image;
    end if;
    return true;
exception when foreign_key_violation then  -- the viewer's account ends in this moment
    return false;
end
$$;
revoke insert, update, delete on image_likes from picture_api;

-- ── Search ────────────────────────────────────────────────────────────────

-- The words of a text in any language, without case, accents and points; what looks for them is split the same way. Separators
-- are named one by one, as `[:alpha:]` means ASCII where a database has the locale C. Scripts that set no blanks between
-- words (Han, kana, Thai, …; hangul, for its particles) become single characters and pairs: whatever part of a sentence
-- is looked for, all of its pairs are there.
create or replace function picture.words(said text) returns text[]
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
    select coalesce(array_agg(distinct word collate "C"), '{}') from (
        select unnest(case
            when run ~ '^[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u2600-\u27bf\u3005-\u3007\u3021-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U0001f000-\U0001faff\U00020000-\U0003ffff]'
            then array(select substr(run, at, length) from generate_series(1, length(run)) as at, (values (1), (2)) as l (length))
            else array[left(run, 64)] end) as word
        from regexp_split_to_table(
            regexp_replace(
                regexp_replace(
                    translate(normalize(regexp_replace(normalize(lower(said), nfkd), '[\u00ad\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670\u200c\u200d]+', '', 'g'), nfkc), 'ς', 'σ'),
                    '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u055a-\u055f\u0589\u058a\u05be\u05c0\u05c3\u05f3\u05f4\u0609-\u060d\u061b-\u061f\u066a-\u066d\u06d4\u0964\u0965\u0e2f\u0e5a\u0e5b\u0f0b-\u0f14\u104a-\u104f\u1361-\u1368\u1680\u17d4-\u17da\u2000-\u206f\u20a0-\u20cf\u2100-\u25ff\u27c0-\u2bff\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020\u3030\u303d\u30a0\u30fb\ufe00-\ufe6f\ufeff\ufff0-\uffff]+',
                    ' ', 'g'),
                '([\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u2600-\u27bf\u3005-\u3007\u3021-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U0001f000-\U0001faff\U00020000-\U0003ffff]+)',
                ' \1 ', 'g'),
            ' +') as run
        where run <> ''
    ) split
    where word <> ''
$$;

-- Beside the images, not among their columns: a like makes a new version of its image, and would enter all its words
-- anew. Two marks stand among the words, which hold no `@`: whose it is, and whether everybody may see it. So the index
-- alone finds somebody's own, or everybody's, with these words.
create table if not exists image_words (
    image_id uuid primary key references images on delete cascade,
    words text[] collate "C" not null
);
create index if not exists image_words_words on image_words using gin (words);
alter table image_words enable row level security;
alter table image_words force row level security;
revoke all on image_words from public, anon, authenticated, picture_api, picture_worker;
grant select, insert, update, delete on image_words to picture_worker;
grant select on image_words to anon, authenticated, picture_api;
drop policy if exists worker on image_words;
create policy worker on image_words to picture_worker using (true) with check (true);
drop policy if exists visible on image_words;
create policy visible on image_words for select to anon, authenticated, picture_api
    using ('@' = any (words) or '@' || (select picture.viewer_id()) = any (words));
do $$
begin
    execute 'drop policy if exists owner on image_words';
    execute format('create policy owner on image_words to %I using (true) with check (true)', current_user);
end
$$;

create or replace function picture.marked_words(image images) returns text[]
language sql stable set search_path = public, pg_temp as $$
    select array['@' || image.user_id]
        || case when image.is_public and image.archived_at is null and image.hidden_at is null then array['@'] else '{}' end
        || picture.words(image.prompt)
$$;

-- What hangs on an image's prompt, and on who may see it. One that is not yet indexed by the migration is left to it.
create or replace function picture.follow_image() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if new.prompt <> '' then
        insert into image_words (image_id, words) values (new.id, picture.marked_words(new))
            on conflict (image_id) do update set words = excluded.words;
    elsif tg_op = 'UPDATE' then
        delete from image_words where image_id = new.id;
    end if;
    if tg_op = 'UPDATE' then
        update image_tags t set is_public = new.is_public and new.archived_at is null and new.hidden_at is null
            where t.image_id = new.id
                and t.is_public <> (new.is_public and new.archived_at is null and new.hidden_at is null);
    end if;
    return null;
end
$$;
create or replace trigger followed_in after insert on images
    for each row when (new.prompt <> '') execute function picture.follow_image();
create or replace trigger followed after update of is_public, archived_at, hidden_at, prompt on images
    for each row when ((old.is_public and old.archived_at is null and old.hidden_at is null, old.prompt)
        is distinct from (new.is_public and new.archived_at is null and new.hidden_at is null, new.prompt))
    execute function picture.follow_image();

-- Images with all of these words that everybody may see, or that are the viewer's own; at most so many. As the owner,
-- because under row-level security no index for words is used; only ids are given out.
create or replace function picture.matching(in_words text[], mine boolean, most int) returns setof uuid
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
    return query select w.image_id from image_words w
        where w.words @> (in_words || case when mine then '@' || picture.viewer_id() else '@' end) limit most;
end
$$;

-- ── Mending ───────────────────────────────────────────────────────────────

-- What triggers keep of tags and likes, anew: for rows that came in without them.
create or replace function picture.mend_gallery() returns void
language plpgsql set search_path = public, pg_temp as $$
begin
    update image_tags t set user_id = i.user_id, image_created_at = i.created_at,
            is_public = i.is_public and i.archived_at is null and i.hidden_at is null
        from images i where i.id = t.image_id and (t.user_id, t.image_created_at, t.is_public) is distinct from
            (i.user_id, i.created_at, i.is_public and i.archived_at is null and i.hidden_at is null);
    update tags set public_count = c.count from (
            select t.id, count(m.tag_id) from tags t left join image_tags m on m.tag_id = t.id and m.is_public group by t.id) c
        where c.id = tags.id and c.count <> tags.public_count;
    update image_likes l set image_created_at = i.created_at
        from images i where i.id = l.image_id and l.image_created_at is distinct from i.created_at;
    update images set like_count = c.count from (
            select i.id, count(l.image_id) from images i left join image_likes l on l.image_id = i.id group by i.id) c
        where c.id = images.id and c.count <> images.like_count;
end
$$;

-- The words of the next images that have none yet; the last one's id, null when there is nothing behind `after`.
create or replace function picture.index_words(after uuid, most int) returns uuid
language sql set search_path = public, pg_temp as $$
    with next as materialized (
        select i from images i where i.id > after order by i.id limit most
    ), indexed as (
        insert into image_words (image_id, words)
            select (n.i).id, picture.marked_words(n.i) from next n where (n.i).prompt <> ''
            on conflict (image_id) do nothing
    )
    select max((n.i).id::text)::uuid from next n
$$;

select picture.mend_gallery();

revoke all on function picture.tag_as_image, picture.count_tags, picture.tags_named, picture.like_as_image,
    picture.count_likes, picture.set_like, picture.words, picture.marked_words, picture.follow_image, picture.matching,
    picture.mend_gallery, picture.index_words from public;
grant execute on function picture.words, picture.tags_named, picture.set_like, picture.matching to picture_api;
grant execute on function picture.words, picture.matching to picture_worker;
