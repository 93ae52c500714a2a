-- DELETE RECORDS: events with all that came of them, where a clinic keeps them for a shorter time than the partitions stand.
-- A record stays for a day after its last delivery has ended, so that whoever looks can see how. $1 the operator's days ·
-- $2 days that the partitions stand · $3 events at most.
with limits as materialized (
  select id as clinic_id, instant_bound(now() - greatest(days, 1) * interval '1 day') as bound
  from (select id, least(coalesce(retention_days, $1::int), $1::int) as days from clinics) c where days < $2::int),
picked as materialized (
  select p.clinic_id, p.id from limits l cross join lateral (
    select e.clinic_id, e.id from events e
    where e.clinic_id = l.clinic_id and e.id < l.bound
      and not exists (select from deliveries d where d.clinic_id = e.clinic_id and d.event_id = e.id)
      and not exists (select from finished_deliveries f where f.clinic_id = e.clinic_id and f.event_id = e.id
        and f.finished_at > now() - interval '1 day')
    order by e.id limit $3::int) p
  limit $3::int),
attempts_gone as (delete from attempts a using picked p where a.clinic_id = p.clinic_id and a.event_id = p.id),
deliveries_gone as (delete from finished_deliveries f using picked p where f.clinic_id = p.clinic_id and f.event_id = p.id)
delete from events e using picked p where e.clinic_id = p.clinic_id and e.id = p.id
