-- v1a signatures (ed25519) on demand: a webhook's key pairs, and the address at which receivers find the public ones.

alter table webhooks drop constraint webhooks_signatures_check;
alter table webhooks add constraint webhooks_signatures_check check (signatures = '{v1}' or signatures = '{v1,v1a}');
-- Part of the public address; drawn when v1a is first switched on, and kept over rotations and over switching it off.
alter table webhooks add column keys_token text unique check (length(keys_token) >= 32);
alter table webhooks add check (keys_token is not null or signatures = '{v1}');

create table webhook_keys (
  clinic_id bigint not null,
  webhook_id bigint not null,
  id bigint generated always as identity,
  private_key bytea not null,                      -- sealed
  public_key text not null check (public_key ~ '^whpk_[A-Za-z0-9+/]{43}=$'),
  created_at timestamptz not null default now(),
  retires_at timestamptz,                          -- null: the current one
  primary key (clinic_id, webhook_id, id),
  foreign key (clinic_id, webhook_id) references webhooks (clinic_id, id) on delete cascade
);
create unique index webhook_keys_one_current on webhook_keys (clinic_id, webhook_id) where retires_at is null;

alter table webhook_keys enable row level security, force row level security;
create policy of_this_clinic on webhook_keys to hookwell_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
do $$ begin execute format('create policy of_the_owner on webhook_keys to %I using (true) with check (true)', current_user); end $$;
create policy of_the_sender on webhook_keys for select to hookwell_dispatch using (true);
grant select, insert, update, delete on webhook_keys to hookwell_app;
grant select on webhook_keys to hookwell_dispatch;

-- Whose public keys these are must be known before any clinic is.
create function webhook_of_keys(wanted_token text)
  returns table (clinic_id bigint, webhook_id bigint) language sql stable security definer
  as $$ select w.clinic_id, w.id from webhooks w
        where w.keys_token = wanted_token and w.deleted_at is null and (w.draft_until is null or w.draft_until > now()) $$;
revoke all on function webhook_of_keys(text) from public;
grant execute on function webhook_of_keys(text) to hookwell_app;
do $$ begin execute format('alter function webhook_of_keys(text) set search_path = %I, pg_temp', current_schema()); end $$;
