-- RELEASE: put held webhooks to sleep. $1 owner; $2..$5 arrays: clinic, webhook, fence, ms until the next due retry (null: none).
-- Unconditional: a bell that was not consumed wakes the webhook again at once.
update runs r set owner = null,
  next_at = case when s.next_in_ms is null then 'infinity' else now() + s.next_in_ms * interval '1 millisecond' end
from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::float8[]) as s (clinic_id, webhook_id, fence, next_in_ms)
where r.clinic_id = s.clinic_id and r.webhook_id = s.webhook_id and r.fence = s.fence and r.owner = $1::bigint
