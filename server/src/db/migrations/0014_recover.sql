-- Recover: jobs that bring finished deliveries back into the hot table. Pull: receivers read by sequence (contract §7).

create table recoveries (
  clinic_id bigint not null,
  webhook_id bigint not null,
  id bigint generated always as identity,
  states text[] not null check (states <@ array['failed', 'off'] and cardinality(states) between 1 and 2),
  from_time timestamptz not null,                  -- of the events
  to_time timestamptz check (to_time > from_time), -- exclusive; null: up to the start
  until_event_id uuid not null,                    -- what lies below it is looked at …
  cursor_event_id uuid not null,                   -- … after these two
  cursor_part smallint not null,
  pace_per_second integer check (pace_per_second between 1 and 500), -- null: half of the webhook's own, which is the most it ever is
  found integer not null check (found >= 0),       -- at the start, counted up to a limit
  left_out integer not null check (left_out >= 0), -- at the start: their content is no longer kept
  counted_all boolean not null,
  queued integer not null default 0 check (queued >= 0),
  state text not null default 'running' check (state in ('running', 'paused', 'done', 'cancelled')),
  next_at timestamptz not null default now(),      -- when the next batch is due
  started_by text not null,                        -- the user's id
  started_by_name text not null,
  created_at timestamptz not null default now(),
  ended_at timestamptz,
  primary key (clinic_id, webhook_id, id),
  foreign key (clinic_id, webhook_id) references webhooks (clinic_id, id),
  check ((state in ('done', 'cancelled')) = (ended_at is not null))
);
create unique index recoveries_one_active on recoveries (clinic_id, webhook_id) where state in ('running', 'paused');
create index recoveries_due on recoveries (next_at) where state = 'running';
create index recoveries_ended on recoveries (ended_at) where ended_at is not null;

-- Which recovery a delivery came back with. Never changed, so that claim and retry stay HOT; no row that came by itself is in the index.
alter table deliveries add column recovery_id bigint;
create index deliveries_recovered on deliveries (clinic_id, webhook_id, recovery_id) where recovery_id is not null;

-- What can be recovered is few among what was delivered.
create index finished_deliveries_undelivered on finished_deliveries (clinic_id, webhook_id, event_id, part) where state <> 'delivered';
create index finished_deliveries_by_sequence on finished_deliveries (clinic_id, webhook_id, sequence) where sequence is not null;

-- A key that pulls is its receiver's, and reads what one webhook had to deliver.
alter table api_keys drop constraint api_keys_scopes_check;
alter table api_keys add column webhook_id bigint;
alter table api_keys
  add constraint api_keys_scopes_check check (scopes <@ array['feed', 'deliveries:pull'] and cardinality(scopes) >= 1),
  add constraint api_keys_webhook_check check (('deliveries:pull' = any (scopes)) = (webhook_id is not null)),
  add foreign key (clinic_id, webhook_id) references webhooks (clinic_id, id);
drop function api_key_of(bytea);
create function api_key_of(wanted_hash bytea)
  returns table (clinic_id bigint, id bigint, name text, scopes text[], used_lately boolean, lives_ms double precision, webhook_id bigint)
  language sql stable security definer
  as $$ select k.clinic_id, k.id, k.name, k.scopes, coalesce(k.last_used_at > now() - interval '1 minute', false),
          (extract(epoch from k.expires_at - now()) * 1000)::double precision, k.webhook_id
        from api_keys k where k.key_hash = wanted_hash and k.revoked_at is null and (k.expires_at is null or k.expires_at > now()) $$;
revoke all on function api_key_of(bytea) from public;
grant execute on function api_key_of(bytea) to hookwell_app;
do $$ begin execute format('alter function api_key_of(bytea) set search_path = %I, pg_temp', current_schema()); end $$;

alter table recoveries enable row level security, force row level security;
create policy of_this_clinic on recoveries to hookwell_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
do $$ begin execute format('create policy of_the_owner on recoveries to %I using (true) with check (true)', current_user); end $$;
create policy of_the_sender on recoveries to hookwell_dispatch using (true) with check (true);
grant select, insert, update on recoveries to hookwell_app;
grant select, update on recoveries to hookwell_dispatch;
-- A batch of a recovery is one statement of the worker's: out of the one table and into the other.
grant insert on deliveries to hookwell_dispatch;
grant delete on finished_deliveries to hookwell_dispatch;
