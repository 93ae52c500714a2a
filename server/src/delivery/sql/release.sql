-- RELEASE: put held webhooks to sleep. $1 owner; $2..$7 arrays: clinic, webhook, fence, the webhook's version that its holder
-- knows, ms until the next due retry (null: none), and whether it is given away so that others have their share (take.sql
-- leaves it to them for a while).
-- `is not distinct from` is no condition of an index: each row is looked up by its key, whatever the plan believes of `owner`.
-- A bell that nobody has heard wakes the webhook again at once; for those that its holder has heard and not followed, the
-- holder says 0 ms. What it knows of the receiver is of the past where the webhook was changed meanwhile: then it is due at once.
update runs r set owner = null,
  next_at = case when s.version <> r.webhook_version then now()
    when s.next_in_ms is null then 'infinity' else now() + s.next_in_ms * interval '1 millisecond' end,
  yielded_by = case when s.yields then $1::bigint end, yielded_at = case when s.yields then now() end
from (
  select * from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::int[], $6::float8[], $7::boolean[])
    as s (clinic_id, webhook_id, fence, version, next_in_ms, yields)
  order by clinic_id, webhook_id) s                -- as all who wait for locks take them (store.ts)
where r.clinic_id = any (array[s.clinic_id]) and r.webhook_id = s.webhook_id and r.fence = s.fence and r.owner is not distinct from $1::bigint
