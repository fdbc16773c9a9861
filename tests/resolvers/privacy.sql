-- What is alice's alone (PRIVATE: ids that begin with 1), and what she shows to everybody (ids that begin with 2), made by
-- something that she does not show.
insert into batch_generations (id, user_id, total_count) values ('10000000-0000-0000-0000-00000000000b', ALICE, 1);
insert into image_generations (id, user_id, model_id, batch_id, batch_index, prompt, status, completed_at)
    select ('10000000-0000-0000-0000-0000000000f' || n)::uuid, ALICE, (select id from models where slug = 'flux-schnell'),
        '10000000-0000-0000-0000-00000000000b', n, 'hers', 'failed', now() from generate_series(0, 1) n;
update image_generations set retry_of = '10000000-0000-0000-0000-0000000000f0'
    where id = '10000000-0000-0000-0000-0000000000f1';
insert into images (id, user_id, generation_id, image_index, width, height, storage_path, is_public, publication_id,
                    archived_at, hidden_at)
    select id::uuid, ALICE, '10000000-0000-0000-0000-0000000000f0', n, 256, 256, 'key', is_public, gen_random_uuid(),
        archived_at, hidden_at
    from (values (1, '10000000-0000-0000-0000-000000000001', false, null, null),
                 (2, '10000000-0000-0000-0000-000000000002', true, now(), null),
                 (3, '10000000-0000-0000-0000-000000000003', true, null, now()),
                 (4, '20000000-0000-0000-0000-000000000001', true, null, null))
        as i (n, id, is_public, archived_at, hidden_at);
insert into tags (id, name, created_by) values ('10000000-0000-0000-0000-0000000000e1', 'hers', ALICE),
    ('20000000-0000-0000-0000-0000000000e1', 'shown', ALICE);
insert into image_tags (image_id, tag_id) values
    ('10000000-0000-0000-0000-000000000001', '10000000-0000-0000-0000-0000000000e1'),
    ('20000000-0000-0000-0000-000000000001', '20000000-0000-0000-0000-0000000000e1');
insert into prompt_templates (id, user_id, name, prompt, is_public) values
    ('10000000-0000-0000-0000-0000000000d1', ALICE, 'hers', 'hers', false),
    ('20000000-0000-0000-0000-0000000000d1', ALICE, 'shown', 'shown', true);
insert into uploads (id, user_id, filename, content_type, size, object_key, expires_at)
    values ('10000000-0000-0000-0000-0000000000c1', ALICE, 'a.png', 'image/png', 1, 'key', now() + interval '1 hour');
