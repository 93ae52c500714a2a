-- What is due is looked for by two kinds of TAKE: of receivers that are well, and of those in doubt (they failed last, or have
-- never answered). Each has its own index, so that many of the one kind never stand in the way of the other.
drop index runs_due;
create index runs_due_healthy on runs (next_at)
  where owner is null and next_at < 'infinity' and failures = 0 and answered_at is not null;
create index runs_due_suspect on runs (next_at)
  where owner is null and next_at < 'infinity' and (failures > 0 or answered_at is null);
