-- PULL: the numbers after $3 of a webhook with what became of each, in one snapshot, so that none is missed while a delivery
-- goes from one table to the other. $1 clinic · $2 webhook · $3 after · $4 numbers at most · $5 bytes of facts, after which a
-- page ends
-- Every number up to `highest` was given together with its row; one that is in neither table is no longer kept.
with span as materialized (
  select r.next_sequence - 1 as highest, least($3::bigint + $4::int, r.next_sequence - 1) as up_to
  from runs r where r.clinic_id = $1::bigint and r.webhook_id = $2::bigint),
ended as materialized (
  select f.sequence, f.event_id, f.part, f.participants_per_request, f.choice_practitioner, f.choice_patient, f.state, f.reason,
    f.attempt, f.created_at, f.finished_at
  from finished_deliveries f
  where f.clinic_id = $1::bigint and f.webhook_id = $2::bigint and f.sequence > $3::bigint and f.sequence <= (select up_to from span)),
-- The hot table has no index on the number (giving one would not be HOT): it is looked through only for numbers that are
-- missing in the other one, and no further than until they are found. Those that are no longer kept are found nowhere: they
-- were given before a later number's delivery ended, and to events of before then. Where that was more than a day ago, only
-- what is as old is looked at, by its event's id, which tells its time (an hour more, for clocks differ). Where no later
-- number's delivery is kept either, or the clinic keeps records for hours only, all that waits for the webhook is looked at.
later as materialized (
  select min(f.sequence) as sequence, min(f.finished_at) + interval '1 hour' as at from (
    select sequence, finished_at from finished_deliveries
    where clinic_id = $1::bigint and webhook_id = $2::bigint and sequence > (select up_to from span)
    order by sequence limit 20) f),
missing as materialized (
  select greatest(0, s.up_to - $3::bigint - (select count(*) from ended)) as count,
    case when l.at < now() - interval '1 day' then instant_bound(l.at) end as before, l.sequence as next_ended
  from span s cross join later l),
aged as materialized (
  select x.* from deliveries x
  where x.clinic_id = $1::bigint and x.webhook_id = $2::bigint and x.event_id < (select before from missing)
    and x.sequence > $3::bigint
  -- all of them; but in this order and with an end that the planner cannot know, it goes by the index on events
  order by x.event_id limit (select 1000000000 from missing)),
unfinished as materialized (
  select d.sequence, d.event_id, d.part, d.participants_per_request, d.choice_practitioner, d.choice_patient,
    case when d.begun_at is null then 'waiting' else 'sending' end as state, null::text as reason, d.attempt, d.created_at,
    null::timestamptz as finished_at
  from (
    select * from aged
    union all
    select x.* from deliveries x
    where x.clinic_id = $1::bigint and x.webhook_id = $2::bigint and (select before is null from missing)) d
  where d.sequence > $3::bigint and d.sequence <= (select up_to from span)
  limit (select count from missing)),
shown as materialized (select * from ended union all select * from unfinished),
weighed as (
  select s.*, e.name, e.subject, e.subject_version, e.facts,
    sum(coalesce(octet_length(e.facts), 0)) over (order by s.sequence) - coalesce(octet_length(e.facts), 0) as bytes_before
  from shown s left join lateral (                 -- one look-up each, in the one partition that its id names
    select x.name, x.subject, x.subject_version, x.facts from events x where x.clinic_id = $1::bigint and x.id = s.event_id limit 1) e on true)
select s.highest, s.up_to,
  -- where nothing is kept, the page goes as far as that holds
  case when s.up_to < s.highest and not exists (select from shown) then least(
    (select next_ended from missing),
    (select min(d.sequence) from aged d where d.sequence > s.up_to),
    (select min(d.sequence) from deliveries d
      where d.clinic_id = $1::bigint and d.webhook_id = $2::bigint and d.sequence > s.up_to
        and (select before is null from missing))) end as next_kept,
  w.sequence, w.event_id, w.part, w.participants_per_request, w.choice_practitioner, w.choice_patient, w.state, w.reason,
  w.attempt, w.created_at, w.finished_at, w.name, w.subject, w.subject_version,
  w.bytes_before < $5::int as fits, case when w.bytes_before < $5::int then w.facts end as facts
from span s left join weighed w on true
order by w.sequence
