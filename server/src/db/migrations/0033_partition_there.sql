-- As 0016 has it, but for one line: several nodes at once could try to make the same day twice.
-- Makes the partition of a day. Answers `made`, `there`, `busy` (try again later) or `crowded`: rows of that day that the
-- default partition took meanwhile move along, but where they are too many to be moved while others wait, the day goes
-- without a partition and its rows go by their age (delivery/partitions.ts). Several nodes may call it at once.
create or replace function make_partition(parent text, day date) returns text language plpgsql security definer as $$
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
  -- Not by to_regclass, which remembers that there was none: whoever had the lock before may just have made it.
  if exists (select from pg_class c join pg_class p on p.relnamespace = c.relnamespace
    where c.relname = child and p.oid = to_regclass(parent)) then return 'there'; end if;
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

-- What is replaced loses its search path.
do $$
begin
  execute format('alter function make_partition(text, date) set search_path = %I, pg_temp', current_schema());
end $$;
