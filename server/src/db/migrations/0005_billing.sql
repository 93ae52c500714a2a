-- Invoices, packages, membership charges and gift certificates (contract §4): what is owed, and what was paid of it. Money
-- is in the currency's smallest unit. What a payment or an invoice is worth is derived from these rows; the sums and the
-- status on an invoice are kept for lists and filters only, written in one place (clinic/billing/invoice-changes.ts).

-- The order in which money came in and went back, over payments and refunds alike.
create sequence invoice_entries;

create table invoices (
  clinic_id bigint not null references clinics (id),
  id bigint generated always as identity,
  type text not null check (type in ('patient_invoice', 'clinic_package', 'clinic_package_membership',
    'clinic_package_gift_certificate')),
  invoice_number text not null check (length(invoice_number) between 1 and 60),
  invoice_date date not null,
  currency text not null check (currency ~ '^[a-z]{3}$'),
  client_id bigint not null,                       -- the patient billed
  payer_id bigint,                                 -- who pays, where it is another patient; never sent
  practitioner_id bigint,
  status text not null default 'no_payment_needed' check (status in ('draft', 'partially_paid', 'paid_in_full', 'paid',
    'over_paid', 'no_payment_needed', 'partially_refunded', 'refunded')),
  subtotal_minor bigint not null default 0 check (subtotal_minor >= 0),
  taxes_minor bigint not null default 0 check (taxes_minor >= 0),
  total_minor bigint not null default 0,
  unpaid_subtotal_balance_minor bigint not null default 0, -- negative when over-paid
  created_at timestamptz not null default now(),
  primary key (clinic_id, id),
  constraint invoice_number_once unique (clinic_id, invoice_number),
  check (total_minor = subtotal_minor + taxes_minor),
  foreign key (clinic_id, client_id) references patients (clinic_id, id),
  foreign key (clinic_id, payer_id) references patients (clinic_id, id),
  foreign key (clinic_id, practitioner_id) references practitioners (clinic_id, id)
);
create index invoices_by_client on invoices (clinic_id, client_id, id);
create index invoices_by_status on invoices (clinic_id, status, id);

create table invoice_line_items (
  clinic_id bigint not null,
  id bigint generated always as identity,
  invoice_id bigint not null,
  position integer not null check (position between 0 and 299),
  description text not null check (length(description) <= 2000),
  unit_price_minor bigint not null check (unit_price_minor >= 0),
  units integer not null check (units between 1 and 1000000),
  discount_minor bigint not null default 0 check (discount_minor >= 0),
  tax_rate_thousandths integer not null default 0 check (tax_rate_thousandths between 0 and 100000), -- 13 % is 13000
  primary key (clinic_id, id),
  foreign key (clinic_id, invoice_id) references invoices (clinic_id, id) on delete cascade
);
create index invoice_line_items_by_invoice on invoice_line_items (clinic_id, invoice_id, position);

create table payments (
  clinic_id bigint not null,
  id bigint generated always as identity,
  invoice_id bigint not null,
  payment_method text not null check (payment_method in ('cash', 'cheque', 'credit_card', 'debit_card', 'e_transfer',
    'insurer', 'package', 'gift_certificate', 'membership', 'other')),
  total_minor bigint not null check (total_minor > 0),
  settled_entry bigint,                            -- when it was settled among invoice_entries; null: a draft
  credit_id bigint,                                -- the credit that it draws down; null: new money
  created_at timestamptz not null default now(),
  primary key (clinic_id, id),
  foreign key (clinic_id, invoice_id) references invoices (clinic_id, id) on delete cascade
);
create index payments_by_invoice on payments (clinic_id, invoice_id, id);

create table refunds (
  clinic_id bigint not null,
  id bigint generated always as identity,
  payment_id bigint not null,
  total_minor bigint not null check (total_minor > 0),
  entry bigint not null default nextval('invoice_entries'),
  created_at timestamptz not null default now(),
  primary key (clinic_id, id),
  foreign key (clinic_id, payment_id) references payments (clinic_id, id) on delete cascade
);
create index refunds_by_payment on refunds (clinic_id, payment_id);

-- The next number of each type. A number is given once; gaps are no loss.
create table invoice_numbers (
  clinic_id bigint not null references clinics (id),
  type text not null check (type in ('patient_invoice', 'clinic_package', 'clinic_package_membership',
    'clinic_package_gift_certificate')),
  last_number bigint not null check (last_number > 0),
  primary key (clinic_id, type)
);

do $$
declare table_name text;
begin
  foreach table_name in array array['invoices', 'invoice_line_items', 'payments', 'refunds', 'invoice_numbers'] loop
    execute format('alter table %I enable row level security, force row level security', table_name);
    execute format('create policy of_this_clinic on %I to hookwell_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic())', table_name);
    execute format('create policy of_the_owner on %I to %I using (true) with check (true)', table_name, current_user);
  end loop;
end $$;

grant usage on sequence invoice_entries to hookwell_app;
grant select, insert, update, delete on invoices, invoice_line_items, payments to hookwell_app;
grant select, insert on refunds to hookwell_app;
grant select, insert, update on invoice_numbers to hookwell_app;
