-- Reports, the audit trail, and accounts that end.
set local lock_timeout = '5s';  -- fail, rather than make everybody queue behind us
