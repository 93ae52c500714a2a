-- The operator's kill switches: sending of one webhook, one clinic or all is paused. What waits is kept.

create table sending_pauses (
  id bigint generated always as identity primary key,
  clinic_id bigint references clinics (id),        -- null: all clinics
  webhook_id bigint,                               -- null: all of the clinic's
  reason text not null check (length(reason) between 1 and 500), -- for operators; clinics are not shown it
  paused_at timestamptz not null default now(),
  check (webhook_id is null or clinic_id is not null),
  foreign key (clinic_id, webhook_id) references webhooks (clinic_id, id),
  unique nulls not distinct (clinic_id, webhook_id)
);

-- What the operator did. Clinics find what concerns them in their own audit, too.
create table operator_acts (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  action text not null check (action in ('sending.paused', 'sending.resumed')),
  clinic_id bigint,
  webhook_id bigint,
  reason text not null,
  came_from text not null                          -- the address of the caller, or the command line
);
create function refuse_change() returns trigger language plpgsql as $$
  begin
    raise exception 'what the operator did is only ever added to';
  end $$;
create trigger operator_acts_append_only before update or delete on operator_acts for each row execute function refuse_change();

-- Derived from sending_pauses, whoever writes it and however: so the engine asks a row that it reads anyway, and a webhook
-- that is made while its clinic is paused is paused from its first moment.
alter table webhooks
  add column paused boolean not null default false,
  add column tested_at timestamptz;                -- the last test of an address that has not answered yet: one a second
create function keep_paused() returns trigger language plpgsql security definer as $$
  begin
    new.paused := exists (select from sending_pauses p
      where (p.clinic_id is null or p.clinic_id = new.clinic_id) and (p.webhook_id is null or p.webhook_id = new.id));
    return new;
  end $$;
revoke all on function keep_paused() from public;
do $$ begin execute format('alter function keep_paused() set search_path = %I, pg_temp', current_schema()); end $$;
create trigger webhooks_keep_paused before insert or update of paused on webhooks for each row execute function keep_paused();

do $$
declare table_name text;
begin
  foreach table_name in array array['sending_pauses', 'operator_acts'] loop
    execute format('alter table %I enable row level security, force row level security', table_name);
    execute format('create policy of_the_owner on %I to %I using (true) with check (true)', table_name, current_user);
  end loop;
end $$;
create policy of_the_sender on sending_pauses for select to hookwell_dispatch using (true);
grant select on sending_pauses to hookwell_dispatch;
