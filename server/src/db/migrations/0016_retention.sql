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

-- What was found about the locks of partition work (PostgreSQL 18, by trying; the manual of 15 says the same):
-- * `detach partition … concurrently` is refused while there is a default partition, and there has to be one: without it a
--   row whose day has no partition is refused, and that may be the late result of an attempt whose day was dropped just
--   now, or an accepted change after a week in which no partition could be made. Ranges that reach to infinity in its place
--   would have to be detached themselves each day, and between two statements rows would have no home.
-- * `attach partition` takes SHARE UPDATE EXCLUSIVE on the parent, which emitters do not feel, and ACCESS EXCLUSIVE on the
--   default partition. But whoever is just putting a row of that day into the default partition waits there, and is then
--   refused ("violates partition constraint"): the change fails. Under ACCESS EXCLUSIVE on the parent he waits before his
--   row has been given a place, and succeeds.
-- * So days are made and taken away under ACCESS EXCLUSIVE on the parent. What hurts about that is not holding it (1.6
--   ms to detach) but waiting for it, for whoever comes later queues behind the one who waits. Therefore it is asked for with NOWAIT
--   again and again, which nobody feels, and only if that never succeeds it is waited for, for 200 ms.
-- * Nothing long is done under it: a table is built before it is attached, and one that is detached is dropped afterwards,
--   when it is nobody's, however long that takes.

-- Takes ACCESS EXCLUSIVE on the given tables, alone of each, for the rest of the transaction; false where they are too busy.
create function lock_days(tables text[]) returns boolean language plpgsql set lock_timeout = '200ms' as $$
declare
  wanted text := (select string_agg(format('only %I', t), ', ') from unnest(tables) as t);
  tries_max constant integer := 100;
begin
  for try in 1..tries_max loop
    begin
      execute format('lock table %s in access exclusive mode nowait', wanted);
      return true;
    exception when lock_not_available then
      perform pg_sleep(0.001 + random() * 0.01);
    end;
  end loop;
  begin
    execute format('lock table %s in access exclusive mode', wanted);
    return true;
  exception when lock_not_available or deadlock_detected then
    return false;
  end;
end $$;

-- Makes the partition of a day. Answers `made`, `there`, `busy` (try again later) or `crowded`: rows of that day that the
-- default partition took meanwhile move along, but where they are too many to be moved while others wait, the day goes
-- without a partition and its rows go by their age (delivery/partitions.ts). Several nodes may call it at once.
create function make_partition(parent text, day date) returns text language plpgsql security definer as $$
declare
  child text := parent || '_' || to_char(day, 'YYYYMMDD');
  other text := parent || '_other';
  key text := case parent when 'events' then 'id' else 'event_id' end;
  moved_max constant integer := 10000;
  crowd text := format('select count(*) from (select from %I where %I >= %L and %I < %L limit %s) s',
    other, key, day_bound(day), key, day_bound(day + 1), moved_max + 1);
  strays bigint;
begin
  if parent not in ('events', 'attempts', 'finished_deliveries') then raise exception 'not partitioned by day: %', parent; end if;
  if to_regclass(child) is not null then return 'there'; end if;
  if not pg_try_advisory_xact_lock(hashtext('hookwell partitions')) then return 'busy'; end if;
  if to_regclass(child) is not null then return 'there'; end if;
  execute crowd into strays;
  if strays > moved_max then return 'crowded'; end if;
  -- Insert-only but for resends: frozen by the first vacuum, so that none has to come back before the day is dropped.
  execute format('create table %I (like %I including all) with (autovacuum_freeze_min_age = 0,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 20000)', child, parent);
  if not lock_days(array[parent, other]) then
    execute format('drop table %I', child);
    return 'busy';
  end if;
  execute crowd into strays;
  if strays > moved_max then
    execute format('drop table %I', child);
    return 'crowded';
  end if;
  if strays > 0 then
    execute format('with moved as (delete from %I where %I >= %L and %I < %L returning *) insert into %I select * from moved',
      other, key, day_bound(day), key, day_bound(day + 1), child);
  end if;
  execute format('alter table %I attach partition %I for values from (%L) to (%L)', parent, child, day_bound(day), day_bound(day + 1));
  return 'made';
end $$;

-- Takes a day out of its table; what it held is out of sight from then on, and `drop table` follows. Answers
-- `detached`, `gone` (there is none), `waiting` (deliveries of that day have not ended) or `busy` (try again later).
create function detach_partition(parent text, day date) returns text language plpgsql security definer as $$
declare
  child text := parent || '_' || to_char(day, 'YYYYMMDD');
  waits constant text := 'select exists (select from clinics c cross join lateral (select from deliveries d
    where d.clinic_id = c.id and d.event_id >= day_bound($1) and d.event_id < day_bound($1 + 1) limit 1) w)';
  is_waited_for boolean;
begin
  if parent not in ('events', 'attempts', 'finished_deliveries') then raise exception 'not partitioned by day: %', parent; end if;
  if not pg_try_advisory_xact_lock(hashtext('hookwell partitions')) then return 'busy'; end if;
  if not exists (select from pg_inherits where inhrelid = to_regclass(child) and inhparent = to_regclass(parent)) then return 'gone'; end if;
  execute waits into is_waited_for using day;
  if is_waited_for then return 'waiting'; end if;
  if not lock_days(array[parent, child, parent || '_other']) then return 'busy'; end if;
  -- Once more: a resend that had read an event of that day has committed by now, or waits for us and finds it gone.
  execute waits into is_waited_for using day;
  if is_waited_for then return 'waiting'; end if;
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
      if make_partition(parent, day) = 'made' then made := made + 1; end if;
      day := day + 1;
    end loop;
  end loop;
  return made;
end $$;

revoke all on function lock_days(text[]), make_partition(text, date), detach_partition(text, date) from public;

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
