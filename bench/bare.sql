-- A page of a gallery as its JSON. $1 claims, $2 who asks, $3 how many, $4 what addresses begin with, $5 and $6 the
-- secret's pads (HMAC), $7 how many seconds a signed address stays the same, $8 when one that is handed out now ends at
-- the earliest. `{scope}` is put in by bench/bare.py.
select case when set_config('request.jwt.claims', $1, true) is not null then (
with page as materialized (
    select id, user_id, generation_id, publication_id, width, height, blurhash, like_count,
        encode(timestamptz_send(created_at) || uuid_send(id), 'base64') as cursor,
        row_number() over (order by created_at desc, id desc) as place
    from images where {scope} and archived_at is null order by created_at desc, id desc limit $3::int + 1
)
select row_to_json(answer)::text from (select (select row_to_json(data) from (select (select row_to_json(images) from (select
    (select coalesce(json_agg(edge), '[]') from (
        select i.cursor, (select row_to_json(node) from (select
            encode(convert_to('Image:' || i.id, 'UTF8'), 'base64') as id,
            $4::text || address.full as url,
            $4::text || address.small as "thumbnailUrl",
            i.width, i.height, i.blurhash,
            (select coalesce(json_agg(tag), '[]') from (
                select t.name from image_tags it join tags t on t.id = it.tag_id where it.image_id = i.id order by t.name
            ) tag) as tags,
            i.like_count as "likeCount",
            coalesce((select true from image_likes l where l.user_id = $2::uuid and l.image_id = i.id limit 1), false)
                as "likedByMe",
            (select row_to_json(owner) from (select p.username from profiles p where p.id = i.user_id) owner) as owner,
            (select row_to_json(generation) from (
                select g.prompt, (select row_to_json(model) from (select m.slug from models m where m.id = g.model_id) model)
                    as model
                from image_generations g where g.id = i.generation_id
            ) generation) as generation
        ) node) as node
        from page i cross join lateral (
            select i.publication_id || '/full' as full, i.publication_id || '/small' as small
            where i.publication_id is not null
            union all
            select i.id || '/full?until=' || until || '&signature=' || encode(sha256($6::bytea ||
                    sha256($5::bytea || (i.id || '/full/' || until)::bytea)), 'hex'),
                i.id || '/small?until=' || until || '&signature=' || encode(sha256($6::bytea ||
                    sha256($5::bytea || (i.id || '/small/' || until)::bytea)), 'hex')
            from (select $8::bigint + mod($7::bigint - mod($8::bigint - ((get_byte(uuid_send(i.id), 14) * 256
                    + get_byte(uuid_send(i.id), 15)) * $7::bigint >> 16), $7::bigint), $7::bigint) as until) as ending
            where i.publication_id is null
        ) address
        where i.place <= $3::int order by i.place
    ) edge) as edges,
    (select row_to_json(info) from (select (select count(*) from page) > $3::int as "hasNextPage",
        (select cursor from page where place <= $3::int order by place desc limit 1) as "endCursor") info) as "pageInfo",
    (select count(*) from images where {scope} and archived_at is null) as "totalCount"
) images) as images) data) as data) answer
) end
