-- How long events, attempts and finished deliveries are kept (contract §7; security, Privacy).

alter table clinics add column retention_days smallint check (retention_days between 0 and 3650); -- null: the operator's
grant update (retention_days) on clinics to hookwell_app;

-- Null: the content is no longer kept, while the record of what was sent still is.
alter table events alter column facts drop not null;

-- The smallest UUIDv7 of an instant, and the instant of one: what is older than so many days is a range of the index.
create function instant_bound(at timestamptz) returns uuid language sql stable parallel safe
  as $$ select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid $$;
create function instant_of(id uuid) returns timestamptz language sql immutable parallel safe
  as $$ select to_timestamp(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint / 1000.0) $$;

-- What was found, on PostgreSQL 15 to 18, about the locks of partition work:
-- * `create table … partition of` takes ACCESS EXCLUSIVE on the parent: everybody who emits waits. `attach partition` takes
--   SHARE UPDATE EXCLUSIVE on it, which emitters do not feel, and ACCESS EXCLUSIVE on the default partition.
-- * `detach partition … concurrently` is refused while there is a default partition, and there has to be one: without it a
--   row whose day has no partition is refused, and that may be the late result of an attempt whose day was dropped just
--   now, or an accepted change after a week in which no partition could be made. Ranges that reach to infinity in its place
--   would have to be detached themselves each day, and between two statements rows would have no home.
-- * So a day is detached under ACCESS EXCLUSIVE on the parent, the day and the default partition. What hurts about that is
--   not holding it (1 to 3 ms) but waiting for it, for whoever comes later queues behind the one who waits. Therefore it is
--   asked for with NOWAIT again and again, which nobody feels, and only if that never succeeds it is waited for, shortly.
-- * `drop table` of a day that is detached touches nothing else, however long it takes.

-- Makes the partition of a day; false where there is one, or where it cannot be made now. Several nodes may call it at once.
-- Rows of that day that the default partition took meanwhile move along. Where they are too many to be moved while others
-- wait, the day goes without a partition and its rows go by age (delivery/retention.ts).
create function make_partition(parent text, day date) returns boolean language plpgsql security definer
  set lock_timeout = '200ms' as $$
declare
  child text := parent || '_' || to_char(day, 'YYYYMMDD');
  other text := parent || '_other';
  key text := case parent when 'events' then 'id' else 'event_id' end;
  moved_max constant integer := 10000;
  strays bigint;
begin
  if parent not in ('events', 'attempts', 'finished_deliveries') then raise exception 'not partitioned by day: %', parent; end if;
  if to_regclass(child) is not null then return false; end if;
  if not pg_try_advisory_xact_lock(hashtext('hookwell partitions')) then return false; end if;
  if to_regclass(child) is not null then return false; end if;
  -- Insert-only but for resends: frozen by the first vacuum, so that none has to come back before the day is dropped.
  execute format('create table %I (like %I including all) with (autovacuum_freeze_min_age = 0,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 20000)', child, parent);
  execute format('lock table %I in access exclusive mode', other);
  execute format('select count(*) from (select from %I where %I >= %L and %I < %L limit %s) s',
    other, key, day_bound(day), key, day_bound(day + 1), moved_max + 1) into strays;
  if strays > moved_max then
    execute format('drop table %I', child);
    return false;
  end if;
  if strays > 0 then
    execute format('with moved as (delete from %I where %I >= %L and %I < %L returning *) insert into %I select * from moved',
      other, key, day_bound(day), key, day_bound(day + 1), child);
  end if;
  execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, child, day_bound(day), day_bound(day + 1));
  return true;
end $$;

-- Takes a day out of its table; what it held is out of sight from then on, and `drop table` follows. Answers
-- `detached`, `gone` (there is none), `waiting` (deliveries of that day have not ended) or `busy` (try again later).
create function detach_partition(parent text, day date) returns text language plpgsql security definer
  set lock_timeout = '200ms' as $$
declare
  child text := parent || '_' || to_char(day, 'YYYYMMDD');
  other text := parent || '_other';
  tries_max constant integer := 100;
  is_locked boolean := false;
begin
  if parent not in ('events', 'attempts', 'finished_deliveries') then raise exception 'not partitioned by day: %', parent; end if;
  if not pg_try_advisory_xact_lock(hashtext('hookwell partitions')) then return 'busy'; end if;
  if not exists (select from pg_inherits where inhrelid = to_regclass(child) and inhparent = to_regclass(parent)) then return 'gone'; end if;
  for try in 1..tries_max loop
    begin
      execute format('lock table only %I, %I, %I in access exclusive mode nowait', parent, child, other);
      is_locked := true;
      exit;
    exception when lock_not_available then
      perform pg_sleep(0.002 + random() * 0.02);
    end;
  end loop;
  if not is_locked then
    begin
      execute format('lock table only %I, %I, %I in access exclusive mode', parent, child, other);
    exception when lock_not_available then
      return 'busy';
    end;
  end if;
  -- Only now: a resend that had read an event of that day has committed by now, or waits for us and finds it gone.
  if exists (select from clinics c cross join lateral (select from deliveries d where d.clinic_id = c.id
      and d.event_id >= day_bound(day) and d.event_id < day_bound(day + 1) limit 1) w) then
    return 'waiting';
  end if;
  execute format('alter table %I detach partition %I', parent, child);
  return 'detached';
end $$;

-- As before, by the gentler way. Nodes of the version before call it.
create or replace function make_partitions(from_day date, to_day date) returns integer language plpgsql security definer as $$
declare parent text; day date; made integer := 0;
begin
  foreach parent in array array['events', 'attempts', 'finished_deliveries'] loop
    day := from_day;
    while day <= to_day loop
      if make_partition(parent, day) then made := made + 1; end if;
      day := day + 1;
    end loop;
  end loop;
  return made;
end $$;

revoke all on function make_partition(text, date), detach_partition(text, date) from public;

-- Functions that run with their owner's rights look names up in this schema only, and in pg_temp last.
do $$
declare signature text;
begin
  foreach signature in array array['make_partition(text, date)', 'detach_partition(text, date)', 'make_partitions(date, date)'] loop
    execute format('alter function %s set search_path = %I, pg_temp', signature, current_schema());
  end loop;
end $$;

-- Partitions that exist already, the default ones too; and tables of which every event changes or leaves a row: a share of
-- a large table is too much to wait for, and cleaning up must not be slowed down while rows come at full speed.
do $$
declare child regclass;
begin
  for child in select inhrelid::regclass from pg_inherits
      where inhparent in ('events'::regclass, 'attempts'::regclass, 'finished_deliveries'::regclass)
        and inhrelid in (select oid from pg_class where relkind = 'r') loop
    execute format('alter table %s set (autovacuum_freeze_min_age = 0, autovacuum_vacuum_insert_scale_factor = 0,
      autovacuum_vacuum_insert_threshold = 20000)', child);
  end loop;
end $$;
alter table subjects set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);
alter table idempotency_keys set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000);
alter table feed_keys set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 20000, autovacuum_freeze_min_age = 0);
alter table nodes set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_cost_delay = 0);
