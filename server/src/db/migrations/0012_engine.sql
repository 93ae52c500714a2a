-- The engine at full strength: the health of a webhook's receiver, and what managers are told of it.

alter table runs
  add column failures integer not null default 0,          -- of the receiver itself, in a row (contract §7, parked)
  add column failing_since timestamptz,                    -- the first failure since the last success
  add column parked_at timestamptz,                        -- next_at is the next probe as long as this is set
  add column probes smallint not null default 0,           -- probes that failed since it was parked
  add column warned smallint not null default 0,           -- 1 sustained failure, 2 a day of it, 3 a day before it is turned off
  add column warned_at timestamptz,
  add column recovered_at timestamptz,                     -- the last time it left parking: from then on its rate rises
  add column yielded_by bigint,                            -- the node that gave it away so that others have their share
  add column yielded_at timestamptz,
  add check (failures >= 0 and probes >= 0 and warned between 0 and 3),
  add check ((failures > 0) = (failing_since is not null)),
  add check (parked_at is null or failing_since is not null),
  add check ((yielded_by is null) = (yielded_at is null));

-- What a clinic's managers are told, once per cause. Holds no patient's data: names of webhooks, numbers and times only.
create table notices (
  clinic_id bigint not null references clinics (id),
  id bigint generated always as identity,
  kind text not null check (kind in (
    'webhook.failing',             -- first sustained failure: it was parked
    'webhook.still_failing',       -- for a day
    'webhook.off_soon',            -- it will be turned off in a day
    'webhook.turned_off',          -- after five days
    'webhook.gone',                -- its receiver answered 410
    'webhook.recovered',           -- after a notice of failing
    'delivery.late',               -- still undelivered shortly before the consult starts
    'deliveries.expiring')),       -- their content will soon no longer be kept
  webhook_id bigint,
  -- one notice per cause: the same cause noticed twice (a retried statement, another node) is told once
  cause text not null check (length(cause) between 1 and 300),
  details text not null default '{}' check (length(details) <= 4000),   -- JSON
  created_at timestamptz not null default now(),
  read_at timestamptz,
  read_by text,
  primary key (clinic_id, id),
  unique (clinic_id, cause),
  check ((read_at is null) = (read_by is null))
);

alter table notices enable row level security, force row level security;
create policy of_this_clinic on notices to hookwell_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
do $$ begin execute format('create policy of_the_owner on notices to %I using (true) with check (true)', current_user); end $$;
create policy of_the_sender on notices to hookwell_dispatch using (true) with check (true);
grant select, insert, update on notices to hookwell_app;
grant select, insert on notices to hookwell_dispatch;
