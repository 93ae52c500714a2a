-- BEAT: a node says that it lives, and learns of the others. $1 node · $2 ms for which it will live · $3 whether it takes
-- webhooks · $4 ms since its last beat for which a node may still begin requests.
-- Told apart from what is done for the dead (reap.sql): a beat waits for nobody's row.
with beat as (
  update nodes set alive_until = now() + $2::float8 * interval '1 millisecond', takes = $3::boolean where id = $1::bigint returning id),
others as (
  select takes, alive_until, alive_until > now() + ($2::float8 - $4::float8) * interval '1 millisecond' as sends from nodes where id <> $1::bigint)
select exists (select from beat) as alive,
  (select count(*) from others where sends)::int as others_sending,
  (select count(*) from others where sends and takes)::int as others_taking,
  (select extract(epoch from min(alive_until) - now())::float8 * 1000 from others) as first_end_ms,
  -- those that are held, and those just given away that nobody holds yet
  (select count(*) from runs where owner is not null)::int
    + (select count(*) from runs where owner is null and next_at <= now() and next_at > now() - interval '5 seconds'
      and yielded_at is not null)::int as held,
  exists (select from runs r where r.owner is not null and not exists (select from nodes n
    where n.id = r.owner and (n.id = $1::bigint or n.alive_until >= now() - interval '5 seconds'))) as orphaned
