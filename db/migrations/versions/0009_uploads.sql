-- Uploads.
set local lock_timeout = '5s';  -- fail, rather than make everybody queue behind us
