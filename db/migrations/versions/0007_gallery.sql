-- Search, likes, tags, and what an operator hides.

-- By an admin: gone for all but its owner.
alter table images add column if not exists hidden_at timestamptz;
