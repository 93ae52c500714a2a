-- ANNOUNCE: tells a clinic which of its webhooks have deliveries that will end as "cancelled: expired" soon, and when the
-- first does. $1 the operator's days · $2 days that whatever waits is kept at least · $3 days ahead · $4 days until the same
-- webhook is spoken of again. Whatever expires is announced at least $3 - $4 days before.
with limits as materialized (
  select c.id as clinic_id, c.time_zone,
    (greatest(least(coalesce(c.retention_days, $1::int), $1::int), $2::int) - 1) * interval '1 day' as kept
  from clinics c)
insert into notices (clinic_id, kind, webhook_id, cause, details)
select l.clinic_id, 'deliveries.expiring', w.webhook_id, format('deliveries.expiring:%s:%s', w.webhook_id, w.expires_on),
  json_build_object('waiting', w.count, 'expires_at', to_char(
    w.expires_on::timestamp at time zone l.time_zone at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))::text
from limits l cross join lateral (
  select d.webhook_id, count(*) as count,
    (greatest(instant_of(min(d.event_id::text)::uuid) + l.kept, now()) at time zone l.time_zone)::date as expires_on
  from deliveries d
  where d.clinic_id = l.clinic_id and not d.test
    and d.event_id < instant_bound(now() - l.kept + $3::int * interval '1 day')
  group by d.webhook_id) w
where not exists (select from notices n where n.clinic_id = l.clinic_id and n.kind = 'deliveries.expiring'
  and n.webhook_id = w.webhook_id and n.created_at > now() - $4::int * interval '1 day')
on conflict (clinic_id, cause) do nothing
returning clinic_id, webhook_id
