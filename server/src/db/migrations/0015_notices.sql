-- What becomes of a notice once its row stands: who is told by e-mail, which system is told, and the watch over consults
-- whose change is still undelivered shortly before they start.

-- From the notice to its sends: set in the transaction that makes the rows of notice_sends.
alter table notices add column spread_at timestamptz;
create index notices_fresh on notices (created_at) where spread_at is null;
create index notices_unread on notices (clinic_id, id) where read_at is null;
create index notices_by_age on notices (created_at);
grant update (spread_at) on notices to hookwell_dispatch;

-- One row per notice, channel and recipient: durable, so that a crash may tell twice and never not at all.
create table notice_sends (
  clinic_id bigint not null,
  notice_id bigint not null,
  channel text not null check (channel in ('email', 'webhook')),
  recipient text not null check (length(recipient) between 1 and 200),  -- the manager's user id; 'operational'
  state text not null default 'waiting' check (state in ('waiting', 'sent', 'given_up')),
  attempts smallint not null default 0 check (attempts >= 0),           -- begun so far; also what fences a late result
  due_at timestamptz default now(),                -- while begun_at is set: when the lease ends
  begun_at timestamptz,
  ended_at timestamptz,
  last_error text check (last_error ~ '^[a-z_]{1,40}$'),
  last_status smallint,                            -- of SMTP or HTTP, where one was given
  primary key (clinic_id, notice_id, channel, recipient),
  foreign key (clinic_id, notice_id) references notices (clinic_id, id) on delete cascade,
  check ((state = 'waiting') = (due_at is not null)),
  check ((state = 'waiting') = (ended_at is null)),
  check (begun_at is null or (state = 'waiting' and attempts > 0)),
  check (state <> 'given_up' or last_error is not null)
);
create index notice_sends_due on notice_sends (channel, due_at) where state = 'waiting';
create index notice_sends_of_recipient on notice_sends (clinic_id, channel, recipient, ended_at);

-- Where a clinic's operational events go: at most one address a clinic. The row is made and removed by managers.
create table operational_webhooks (
  clinic_id bigint not null references clinics (id),
  url bytea not null,                              -- sealed: path and query are credentials of many services
  url_host text not null check (length(url_host) between 1 and 261),
  secret bytea not null,                           -- sealed
  events text[] not null check (cardinality(events) between 1 and 8 and events <@ array['webhook.failing',
    'webhook.still_failing', 'webhook.off_soon', 'webhook.turned_off', 'webhook.gone', 'webhook.recovered',
    'delivery.late', 'deliveries.expiring']),
  enabled boolean not null default true,
  off_reason text check (off_reason in ('you', 'receiver_gone')),
  version integer not null default 1,
  last_delivered_at timestamptz,
  last_failed_at timestamptz,
  last_error text check (last_error ~ '^[a-z_]{1,40}$'),
  last_status smallint,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (clinic_id),
  check (enabled = (off_reason is null))
);

-- Who is to be told: the managers of one clinic and their e-mail, and nothing else of anybody's account.
create function managers_of_clinic(wanted_clinic_id bigint)
  returns table (user_id text, email text) language sql stable security definer
  as $$
    select s.user_id, u."email" from staff s join auth."user" u on u."id" = s.user_id
    where s.clinic_id = wanted_clinic_id and s.role = 'manager' order by s.created_at, s.user_id limit 20
  $$;
revoke all on function managers_of_clinic(bigint) from public;
grant execute on function managers_of_clinic(bigint) to hookwell_dispatch;

-- The watch over deadlines. A delivery that still waits after a while is looked at once: where it is a change of a consult,
-- its start is remembered here. Deliveries themselves get no column and no index, so that their updates stay HOT.
create table late_watches (
  clinic_id bigint not null,
  webhook_id bigint not null,
  delivery_id bigint not null,
  delivery text not null check (length(delivery) between 1 and 100),   -- its webhook-id
  event text not null check (event in ('consult.updated', 'participant.removed')),
  subject text not null,
  starts_at timestamptz not null,
  primary key (clinic_id, webhook_id, delivery_id)
);
create index late_watches_by_start on late_watches (starts_at);

-- How far each webhook's waiting deliveries have been looked at; only webhooks behind which something waited have a row.
create table late_scans (
  clinic_id bigint not null,
  webhook_id bigint not null,
  seen_id bigint not null,
  primary key (clinic_id, webhook_id)
);

-- One row: when the next pass is due, on whichever node, and up to which id all that was ever drawn is visible or rolled back.
create table late_pass (
  one boolean primary key default true check (one),
  next_at timestamptz not null default now(),
  safe_id bigint not null default 0,
  mark_id bigint not null default 0,               -- the last id drawn at mark_at; safe as soon as mark_xmax has passed
  mark_xmax bigint not null default 0,
  mark_at timestamptz not null default '-infinity',
  at_clinic_id bigint not null default 0,          -- where a pass that had enough goes on
  at_webhook_id bigint not null default 0
);
insert into late_pass default values;

do $$
declare table_name text;
begin
  foreach table_name in array array['notice_sends', 'operational_webhooks', 'late_watches', 'late_scans'] loop
    execute format('alter table %I enable row level security, force row level security', table_name);
    execute format('create policy of_the_owner on %I to %I using (true) with check (true)', table_name, current_user);
    execute format('create policy of_the_sender on %I to hookwell_dispatch using (true) with check (true)', table_name);
  end loop;
  foreach table_name in array array['notice_sends', 'operational_webhooks'] loop
    execute format('create policy of_this_clinic on %I to hookwell_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic())', table_name);
  end loop;
end $$;
grant select on notice_sends to hookwell_app;
grant select, insert, update on notice_sends to hookwell_dispatch;
grant select, insert, update, delete on operational_webhooks to hookwell_app;
grant select on operational_webhooks to hookwell_dispatch;
grant update (enabled, off_reason, version, last_delivered_at, last_failed_at, last_error, last_status)
  on operational_webhooks to hookwell_dispatch;
grant select, insert, update, delete on late_watches, late_scans to hookwell_dispatch;
grant select, update on late_pass to hookwell_dispatch;
grant select on sequence deliveries_id_seq to hookwell_dispatch;

do $$ begin
  execute format('alter function managers_of_clinic(bigint) set search_path = %I, pg_temp', current_schema());
end $$;
