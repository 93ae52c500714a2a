-- Webhooks and their secrets: configuration, written by managers, read by the sender.

create table webhooks (
  clinic_id bigint not null references clinics (id),
  id bigint generated always as identity,
  name text not null check (length(name) between 1 and 100),
  url bytea not null,                              -- sealed: path and query are credentials of many services
  url_host text not null check (length(url_host) between 1 and 261),
  events text[] not null default '{}' check (cardinality(events) <= 13),
  include_practitioner text not null default 'off' check (include_practitioner in ('off', 'id', 'all')),
  include_patient text not null default 'off' check (include_patient in ('off', 'id', 'all')),
  one_participant_per_request boolean not null default false,
  format text not null default 'documented' check (format in ('documented')),
  headers bytea,                                   -- sealed JSON array of {name, value}
  pace_per_second integer not null default 50 check (pace_per_second between 1 and 1000),
  concurrency integer not null default 8 check (concurrency between 1 and 64),
  signatures text[] not null default '{v1}' check (signatures <@ array['v1'] and cardinality(signatures) >= 1),
  recipient_organisation text check (length(recipient_organisation) between 1 and 200),
  recipient_country text check (recipient_country ~ '^[A-Z]{2}$'),
  recipient_purpose text check (length(recipient_purpose) between 1 and 500),
  recipient_agreement_on_file boolean,
  enabled boolean not null,
  off_reason text check (off_reason in ('you', 'receiver_gone', 'failing')),
  draft boolean not null default false,
  draft_until timestamptz,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  deleted_at timestamptz,
  primary key (clinic_id, id),
  check (enabled or draft or off_reason is not null or cardinality(events) = 0),
  check (not (enabled and draft)),
  check (draft = (draft_until is not null)),
  check (draft or (include_patient = 'off' and not 'patient_account.created' = any (events))
    or (recipient_organisation is not null and recipient_country is not null and recipient_purpose is not null
        and recipient_agreement_on_file is not null))
);

create table webhook_secrets (
  clinic_id bigint not null,
  webhook_id bigint not null,
  id bigint generated always as identity,
  secret bytea not null,                           -- sealed
  created_at timestamptz not null default now(),
  retires_at timestamptz,                          -- null: the current one
  primary key (clinic_id, webhook_id, id),
  foreign key (clinic_id, webhook_id) references webhooks (clinic_id, id) on delete cascade
);
create unique index webhook_secrets_one_current on webhook_secrets (clinic_id, webhook_id) where retires_at is null;

-- What the built-in test inbox received; kept 24 h.
create table inbox_messages (
  clinic_id bigint not null references clinics (id),
  id bigint generated always as identity,
  received_at timestamptz not null default now(),
  message bytea not null,                          -- sealed JSON: headers and exact body
  primary key (clinic_id, id)
);
create index inbox_messages_by_age on inbox_messages (received_at);
create function clinic_of_inbox(wanted_token text) returns bigint language sql stable security definer
  as $$ select id from clinics where inbox_token = wanted_token $$;
revoke all on function clinic_of_inbox(text) from public;
grant execute on function clinic_of_inbox(text) to hookwell_app;

do $$
declare table_name text;
begin
  foreach table_name in array array['webhooks', 'webhook_secrets', 'inbox_messages'] loop
    execute format('alter table %I enable row level security, force row level security', table_name);
    execute format('create policy of_this_clinic on %I to hookwell_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic())', table_name);
    execute format('create policy of_the_owner on %I to %I using (true) with check (true)', table_name, current_user);
  end loop;
end $$;
create policy of_the_sender on webhooks for select to hookwell_dispatch using (true);
create policy of_the_sender_off on webhooks for update to hookwell_dispatch using (true);
create policy of_the_sender on webhook_secrets for select to hookwell_dispatch using (true);
grant select, insert, update, delete on webhooks, webhook_secrets, inbox_messages to hookwell_app;
grant select on webhooks, webhook_secrets to hookwell_dispatch;
grant update (enabled, off_reason, version, updated_at) on webhooks to hookwell_dispatch; -- a receiver said 410
