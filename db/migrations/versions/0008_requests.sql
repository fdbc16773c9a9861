-- Batches, masks, deadlines and repeated requests.
set local lock_timeout = '5s';  -- fail, rather than make everybody queue behind us
