-- REAP: the webhooks of nodes that have not been heard of for 5 s after their time come due again, at once.
-- The owner and fence that were judged are the ones that are taken away: while this waits for a row's lock, the webhook may
-- have gone to a node that lives, and that node is not in this statement's snapshot.
-- Tells how many nodes were lost: those declared dead here, and those of which only what they held was left.
with dead as (delete from nodes where alive_until < now() - interval '5 seconds' returning id),
abandoned as materialized (
  select r.clinic_id, r.webhook_id, r.owner, r.fence from runs r
  where r.owner is not null
    and not exists (select from nodes n where n.id = r.owner and n.alive_until >= now() - interval '5 seconds')),
locked as materialized (                           -- in the order of all who wait for locks (store.ts)
  select r.clinic_id, r.webhook_id, a.owner from abandoned a join runs r
    on r.clinic_id = any (array[a.clinic_id]) and r.webhook_id = a.webhook_id -- looked up by its key, as in begin.sql
      and r.owner is not distinct from a.owner and r.fence = a.fence
  order by a.clinic_id, a.webhook_id for no key update of r),
given_back as (
  update runs r set owner = null, next_at = now() from locked l where r.clinic_id = any (array[l.clinic_id]) and r.webhook_id = l.webhook_id)
select (select count(*)::int from (select id from dead union select owner from locked) lost) as nodes,
  (select count(*)::int from locked) as webhooks
