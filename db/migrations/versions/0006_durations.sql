set local lock_timeout = '5s';  -- fail, rather than make everybody queue behind us

alter table generation_performance
    add column if not exists fetch_seconds double precision,
    add column if not exists render_seconds double precision;
