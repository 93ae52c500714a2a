-- ANNOUNCE: tells a clinic which of its webhooks have deliveries that will end as "cancelled: expired" soon, and when the
-- first does. $1 the operator's days · $2 days that whatever waits is kept at least · $3 days ahead · $4 days until the same
-- webhook is spoken of again · $5 days between a notice and the first delivery that ends by it · $6 days for which one holds.
-- Whatever is near its end and in no notice that still holds is announced: what enters the last days as time goes by, and
-- what does so at once, because fewer days were chosen or because it is sent again (expire.sql ends nothing else).
-- up_to and before in its details say which deliveries of the webhook it is about: those that waited then have no higher id
-- and no later event. One that comes back later has a higher id.
with limits as materialized (
  select id as clinic_id, time_zone, kept, instant_bound(now() - kept + $3::int * interval '1 day') as before from (
    select c.id, c.time_zone,
      (greatest(least(coalesce(c.retention_days, $1::int), $1::int), $2::int) - 1) * interval '1 day' as kept
    from clinics c) k),
announced as materialized (
  select distinct on (clinic_id, webhook_id) clinic_id, webhook_id, created_at,
    (details::jsonb ->> 'up_to')::bigint as up_to, (details::jsonb ->> 'before')::uuid as before
  from notices where kind = 'deliveries.expiring' and created_at > now() - $6::int * interval '1 day'
  order by clinic_id, webhook_id, id desc)
insert into notices (clinic_id, kind, webhook_id, cause, details)
select w.clinic_id, 'deliveries.expiring', w.webhook_id,
  format('deliveries.expiring:%s:%s:%s', w.webhook_id, w.expires_on, (now() at time zone 'UTC')::date),
  json_build_object('waiting', w.count, 'expires_at', to_char(
    w.expires_on::timestamp at time zone w.time_zone at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    'up_to', w.up_to, 'before', w.before)::text
from (
  select d.clinic_id, d.webhook_id, l.time_zone, l.before, count(*) as count, max(d.id) as up_to,
    (greatest(instant_of(min(d.event_id::text)::uuid) + l.kept, now() + $5::int * interval '1 day')
      at time zone l.time_zone)::date as expires_on
  from limits l
    join deliveries d on d.clinic_id = l.clinic_id and not d.test and d.event_id < l.before
    left join announced a on a.clinic_id = d.clinic_id and a.webhook_id = d.webhook_id
  group by d.clinic_id, d.webhook_id, l.time_zone, l.before, l.kept
  having not bool_and(coalesce(d.id <= a.up_to and d.event_id < a.before, false))
    and coalesce(max(a.created_at) < now() - $4::int * interval '1 day', true)) w
on conflict (clinic_id, cause) do nothing
returning clinic_id, webhook_id
