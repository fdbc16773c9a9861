-- A page of a gallery as its JSON: $1 claims, $2 who asks, $3 how many, $4 what addresses begin with, $5 and $6 the
-- secret's two pads of HMAC, $7 how many seconds a signed address stays the
-- same, $8 the rest of 2^68 by that. `{scope}` is put in by bench/bare.py.
select case when set_config('request.jwt.claims', $1, true) is not null then (
with page as materialized (
    select id, user_id, generation_id, publication_id, width, height, blurhash, like_count, created_at
    from images where {scope} and archived_at is null order by created_at desc, id desc limit $3::int + 1
), placed as materialized (
    select *, row_number() over (order by created_at desc, id desc) as place,
        translate(encode(convert_to('["' || to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US+00:00')
            || '","' || id || '"]', 'UTF8'), 'base64'), E'+/=\n', '-_') as cursor
    from page
)
select row_to_json(answer)::text from (select (select row_to_json(data) from (select (select row_to_json(images) from (select
    (select coalesce(json_agg(edge), '[]') from (
        select i.cursor, (select row_to_json(node) from (select
            encode(convert_to('Image:' || i.id, 'UTF8'), 'base64') as id,
            address.base || 'full' || address.rest_of_full as url,
            address.base || 'small' || address.rest_of_small as "thumbnailUrl",
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
        from placed i cross join lateral (
            select $4 || '/i/' || i.id || '/' as base, '?until=' || until || '&signature=' || encode(sha256($6::bytea ||
                    sha256($5::bytea || convert_to(i.id || '/full/' || until, 'UTF8'))), 'hex') as rest_of_full,
                '?until=' || until || '&signature=' || encode(sha256($6::bytea ||
                    sha256($5::bytea || convert_to(i.id || '/small/' || until, 'UTF8'))), 'hex') as rest_of_small
            from (
                -- A window of the picture's own: it begins at the id, as a number, modulo its length.
                select (floor((extract(epoch from now()) + $7::int / 2 - modulo) / $7::int) + 1)::bigint * $7::int + modulo
                    as until
                from (
                    select (('x' || substr(hex, 1, 15))::bit(60)::bigint % $7::int * $8::int
                        + ('x' || substr(hex, 16, 15))::bit(60)::bigint % $7::int * 256
                        + ('x' || substr(hex, 31, 2))::bit(8)::int) % $7::int as modulo
                    from (select replace(i.id::text, '-', '') as hex) as digits
                ) as begun
            ) as ending where i.publication_id is null
            union all
            select $4 || '/i/' || i.publication_id || '/', '', '' where i.publication_id is not null
        ) address
        where i.place <= $3::int order by i.place
    ) edge) as edges,
    (select row_to_json(info) from (select (select count(*) from page) > $3::int as "hasNextPage",
        (select cursor from placed where place <= $3::int order by place desc limit 1) as "endCursor") info) as "pageInfo",
    (select count(*) from images where {scope} and archived_at is null) as "totalCount"
) images) as images) data) as data) answer
) end
