-- WARN: tell a clinic once how its webhook's receiver fares, and remember how far it has been told. In one statement: had the
-- process been lost in between, the warning would be noticed as missing at the next attempt and given then.
-- $1 clinic, $2 webhook, $3 owner, $4 fence, $5 kind of notice, $6 how far it has then been told, $7 details (JSON)
with told as (
  update runs r set warned = $6::smallint, warned_at = case when $6::smallint = 0 then null else now() end
  from runs old
  where r.clinic_id = $1::bigint and r.webhook_id = $2::bigint and r.owner is not distinct from $3::bigint and r.fence = $4::bigint
    and (r.failing_since is not null or $6::smallint = 0) and old.clinic_id = r.clinic_id and old.webhook_id = r.webhook_id
  returning r.clinic_id, r.webhook_id, r.failing_since, coalesce(r.failing_since, old.warned_at) as since)
insert into notices (clinic_id, kind, webhook_id, cause, details)
select t.clinic_id, $5::text, t.webhook_id,
  $5::text || ':' || t.webhook_id || ':' || (extract(epoch from t.since) * 1000)::bigint,
  ($7::jsonb || jsonb_strip_nulls(jsonb_build_object('failing_since', t.failing_since,
    'off_at', case when $6::smallint = 3 then greatest(t.failing_since + interval '5 days', now() + interval '1 day') end)))::text
from told t where t.since is not null
on conflict (clinic_id, cause) do nothing
