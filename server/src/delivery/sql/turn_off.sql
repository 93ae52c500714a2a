-- TURN OFF: a webhook whose receiver is gone or has failed for too long; what waits is kept. Its clinic is told with it.
-- $1 clinic, $2 webhook, $3 version that the decision is about, $4 reason, $5 kind of notice, $6 details (JSON)
-- Not where it was changed since: the decision was about what it was then.
with off as (
  update webhooks set enabled = false, off_reason = $4::text, version = version + 1, updated_at = now()
  where clinic_id = $1::bigint and id = $2::bigint and version = $3::int and enabled and deleted_at is null
  returning clinic_id, id, version)
insert into notices (clinic_id, kind, webhook_id, cause, details)
select o.clinic_id, $5::text, o.id, $5::text || ':' || o.id || ':' || o.version,
  ($6::jsonb || jsonb_strip_nulls(jsonb_build_object('failing_since', r.failing_since)))::text
from off o left join runs r on r.clinic_id = o.clinic_id and r.webhook_id = o.id
on conflict (clinic_id, cause) do nothing
