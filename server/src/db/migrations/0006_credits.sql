-- Credits: money value that a patient holds and can pay invoices with. Bought as a package or a gift certificate, or
-- granted by a membership's charge; each belongs to the record by which it was bought. That record's client is the
-- purchaser.

create table packages (
  clinic_id bigint not null references clinics (id),
  id bigint generated always as identity,
  name text not null check (length(name) between 1 and 200),
  currency text not null check (currency ~ '^[a-z]{3}$'),
  price_minor bigint not null check (price_minor >= 0),
  value_minor bigint not null check (value_minor > 0),
  tax_rate_thousandths integer not null check (tax_rate_thousandths between 0 and 100000), -- of a percent
  expires_after_days integer check (expires_after_days between 1 and 3650),
  active boolean not null default true,
  created_at timestamptz not null default now(),
  primary key (clinic_id, id)
);

create table credits (
  clinic_id bigint not null references clinics (id),
  id bigint generated always as identity,
  kind text not null check (kind in ('package', 'membership', 'gift_certificate')),
  invoice_id bigint,                               -- the record it was bought by; null once that record was deleted
  client_id bigint,                                -- who holds it; null while a gift certificate is not redeemed
  name text not null check (length(name) between 1 and 200),
  currency text not null check (currency ~ '^[a-z]{3}$'),
  value_minor bigint not null check (value_minor > 0),   -- as it was sold
  entitled_minor bigint not null default 0,        -- what the money paid for its record opens of that value
  drawn_minor bigint not null default 0,           -- what has been paid with it, less what was given back
  expires_after_days integer check (expires_after_days between 1 and 3650),         -- counted from the day it opens
  expires_on date,                                 -- the last day, by the clinic's calendar, on which it can be used
  opened_at timestamptz,                           -- when its record was first settled in full
  created_at timestamptz not null default now(),
  primary key (clinic_id, id),
  foreign key (clinic_id, invoice_id) references invoices (clinic_id, id) deferrable initially deferred,
  foreign key (clinic_id, client_id) references patients (clinic_id, id),
  unique (clinic_id, invoice_id),
  check (entitled_minor between 0 and value_minor),
  -- Whatever a command forgets: no credit is ever drawn below zero.
  check (drawn_minor between 0 and entitled_minor),
  check (entitled_minor = 0 or opened_at is not null),
  check (client_id is not null or kind = 'gift_certificate'),
  check (client_id is not null or drawn_minor = 0)
);
create index credits_by_client on credits (clinic_id, client_id, id);

create table gift_certificates (
  clinic_id bigint not null references clinics (id),
  id bigint generated always as identity,
  credit_id bigint not null,
  code bytea not null,                             -- sealed; whoever knows it can redeem it
  code_hash bytea not null check (octet_length(code_hash) = 32),   -- HMAC-SHA-256 with the clinic's key below
  redeemed_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (clinic_id, id),
  foreign key (clinic_id, credit_id) references credits (clinic_id, id) on delete cascade,
  unique (clinic_id, credit_id),
  unique (clinic_id, code_hash)
);

-- With this key codes are found again. It is sealed, so that the tables alone do not allow to try codes out.
create table gift_certificate_keys (
  clinic_id bigint primary key references clinics (id),
  key bytea not null
);

alter table payments add foreign key (clinic_id, credit_id) references credits (clinic_id, id);
create index payments_by_credit on payments (clinic_id, credit_id) where credit_id is not null;

do $$
declare table_name text;
begin
  foreach table_name in array array['packages', 'credits', 'gift_certificates', 'gift_certificate_keys'] loop
    execute format('alter table %I enable row level security, force row level security', table_name);
    execute format('create policy of_this_clinic on %I to hookwell_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic())', table_name);
    execute format('create policy of_the_owner on %I to %I using (true) with check (true)', table_name, current_user);
  end loop;
end $$;

grant select, insert, update on packages, gift_certificates to hookwell_app;
grant select, insert, update, delete on credits to hookwell_app;
grant select, insert on gift_certificate_keys to hookwell_app;
