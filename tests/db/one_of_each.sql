-- One row of each kind, all of them alice's, under names that the test knows them by.
delete from models;
insert into models (id, slug, is_active) values
    ('00000000-0000-0000-0000-00000000000a', 'model', true), (gen_random_uuid(), 'retired', false);
insert into profiles (id, username, email) values (ALICE, 'alice', 'alice@example.com');
insert into batch_generations (id, user_id, name) values ('00000000-0000-0000-0000-00000000000b', ALICE, 'batch');
insert into image_generations (id, user_id, model_id, batch_id, prompt, is_public)
    select ('00000000-0000-0000-0000-0000000000f' || n)::uuid, ALICE, '00000000-0000-0000-0000-00000000000a',
        '00000000-0000-0000-0000-00000000000b', 'fox', true from generate_series(1, 2) n;
-- Like her generation, her image of an archived or a private picture is nobody else's business.
insert into images (id, user_id, generation_id, blurhash, is_public, publication_id, archived_at, is_favorite, rating,
                    storage_path, prompt)
    select id::uuid, ALICE, '00000000-0000-0000-0000-0000000000f1', name, is_public, gen_random_uuid(), archived_at,
        true, 5, 'key of ' || name, 'fox'
    from (values ('00000000-0000-0000-0000-000000000001', 'public', true, null),
                 ('00000000-0000-0000-0000-000000000002', 'private', false, null),
                 ('00000000-0000-0000-0000-000000000003', 'archived', true, now())) as i (id, name, is_public, archived_at);
insert into images (id, user_id, blurhash, is_public, publication_id, hidden_at, prompt)
    values ('00000000-0000-0000-0000-000000000004', ALICE, 'hidden', true, gen_random_uuid(), now(), 'fox');
insert into tags (id, name, created_by)
    select ('00000000-0000-0000-0000-0000000000e' || n)::uuid, name, ALICE
    from (values (1, 'on public'), (2, 'on private'), (3, 'on archived'), (4, 'unused')) as t (n, name);
insert into image_tags (image_id, tag_id)
    select ('00000000-0000-0000-0000-00000000000' || n)::uuid, ('00000000-0000-0000-0000-0000000000e' || n)::uuid
    from generate_series(1, 3) n;
insert into image_likes (user_id, image_id) values (ALICE, '00000000-0000-0000-0000-000000000001');
insert into prompt_templates (user_id, name, is_public) values (ALICE, 'public', true), (ALICE, 'private', false);
insert into generation_performance (generation_id, user_id) values ('00000000-0000-0000-0000-0000000000f1', ALICE);
insert into generation_errors (generation_id, user_id) values ('00000000-0000-0000-0000-0000000000f1', ALICE);
insert into user_rate_limits (user_id) values (ALICE);
insert into generation_events (user_id, seq, generation_id, kind, attempt)
    values (ALICE, 1, '00000000-0000-0000-0000-0000000000f1', 'queued', 0);
insert into idempotency_keys (user_id, mutation, key, input_hash) values (ALICE, 'createGeneration', 'key', '');
insert into objects (key, kind, user_id) values ('object', 'image', ALICE);
insert into queue_lines (engine, model_id, priority) values ('comfyui', '00000000-0000-0000-0000-00000000000a', 0);
insert into workers (name, engine) values ('worker', 'comfyui');
insert into revoked_subjects (sub) values (gen_random_uuid());
insert into reports (image_id, user_id, reason) values ('00000000-0000-0000-0000-000000000001', ALICE, 'reason');
insert into audit_log (operator, action, target) values ('operator', 'hide_image', '00000000-0000-0000-0000-000000000004');
insert into uploads (id, user_id, filename, content_type, size, object_key, expires_at)
    values (gen_random_uuid(), ALICE, 'fox.png', 'image/png', 1, 'upload', now() + interval '1 hour');
