-- Memberships of both types (contract §4): plans, who has one, and what was charged for it. Money is in the currency's
-- smallest unit; dates are the clinic's calendar dates. What is due is found by one instant on the membership's row.

create table membership_plans (
  clinic_id bigint not null references clinics (id),
  id bigint generated always as identity,
  type text not null check (type in ('clinic_package_membership', 'academy_membership')),
  name text not null check (length(name) between 1 and 200),
  price_minor bigint not null check (price_minor >= 0),
  tax_rate_thousandths integer not null check (tax_rate_thousandths between 0 and 100000), -- of a percent
  currency text not null check (currency ~ '^[a-z]{3}$'),
  recurrence_interval text not null check (recurrence_interval in ('day', 'week', 'month', 'year')),
  number_of_payments integer check (number_of_payments between 1 and 1000), -- null: until it is cancelled
  credit_value_minor bigint check (credit_value_minor > 0), -- what each charge opens for the patient to pay with
  active boolean not null default true,
  created_at timestamptz not null default now(),
  primary key (clinic_id, id),
  check (type = 'clinic_package_membership' or credit_value_minor is null)
);

-- The courses and webinars that an academy membership opens.
create table membership_plan_items (
  clinic_id bigint not null,
  plan_id bigint not null,
  item_id bigint not null,
  position integer not null check (position >= 0),
  primary key (clinic_id, plan_id, item_id),
  foreign key (clinic_id, plan_id) references membership_plans (clinic_id, id),
  foreign key (clinic_id, item_id) references academy_items (clinic_id, id)
);
create index membership_plan_items_by_item on membership_plan_items (clinic_id, item_id);

create table memberships (
  clinic_id bigint not null references clinics (id),
  id bigint generated always as identity,
  plan_id bigint not null,
  client_id bigint not null,
  state text not null default 'pending' check (state in ('pending', 'active', 'paused', 'cancelled', 'ended')),
  payment_source text not null check (payment_source in ('at_desk', 'practice_card', 'practice_card_declined')),
  -- The plan's terms as they were agreed: a plan that is changed later changes nothing here.
  price_minor bigint not null check (price_minor >= 0),
  tax_rate_thousandths integer not null check (tax_rate_thousandths between 0 and 100000),
  currency text not null check (currency ~ '^[a-z]{3}$'),
  recurrence_interval text not null check (recurrence_interval in ('day', 'week', 'month', 'year')),
  number_of_payments integer check (number_of_payments between 1 and 1000),
  credit_value_minor bigint check (credit_value_minor > 0),
  started_at timestamptz,                          -- when it first became active
  cancelled_at timestamptz,
  cancel_reason text check (cancel_reason in ('staff', 'patient', 'payment_failed', 'switched')),
  access_until date,                               -- the first day without access, of a cancelled or ended one
  access_ended boolean not null default false,
  anchor_on date,                                  -- the day from which periods are counted
  next_period integer not null default 0 check (next_period >= 0),  -- how many periods after the anchor the next begins
  next_period_on date,
  charges_made integer not null default 0 check (charges_made >= 0),
  paused_on date,
  due_at timestamptz,                              -- when the scheduler has to look at it; null: not by itself
  due_failures integer not null default 0 check (due_failures >= 0),
  created_at timestamptz not null default now(),
  primary key (clinic_id, id),
  foreign key (clinic_id, plan_id) references membership_plans (clinic_id, id),
  foreign key (clinic_id, client_id) references patients (clinic_id, id),
  check ((state = 'cancelled') = (cancelled_at is not null)),
  check ((cancelled_at is null) = (cancel_reason is null)),
  check ((state = 'paused') = (paused_on is not null)),
  check (state not in ('active', 'paused', 'ended') or started_at is not null),
  check ((started_at is null) = (next_period_on is null)),
  check ((started_at is null) = (anchor_on is null)),
  check (state <> 'pending' or started_at is null)
);
create index memberships_due on memberships (due_at) where due_at is not null;
create index memberships_by_client on memberships (clinic_id, client_id, id);
create index memberships_by_plan on memberships (clinic_id, plan_id, id);

-- One row for each period that was charged, whatever came of it: the wall against charging a period twice.
create table membership_charges (
  clinic_id bigint not null,
  membership_id bigint not null,
  number integer not null check (number > 0),      -- 1 for the first charge of the membership
  due_on date not null,                            -- the first day of the period
  invoice_id bigint,                               -- its record; null for an academy membership, or when it was deleted
  outcome text not null check (outcome in ('paid', 'declined', 'awaiting')),
  tries integer not null default 0 check (tries >= 0),
  declined_on date,                                -- the day of the first decline
  retry_on date,
  primary key (clinic_id, membership_id, number),
  foreign key (clinic_id, membership_id) references memberships (clinic_id, id),
  foreign key (clinic_id, invoice_id) references invoices (clinic_id, id) on delete set null (invoice_id),
  check (outcome <> 'paid' or retry_on is null),
  check (outcome <> 'declined' or declined_on is not null)
);
create index membership_charges_by_invoice on membership_charges (clinic_id, invoice_id) where invoice_id is not null;

do $$
declare table_name text;
begin
  foreach table_name in array array['membership_plans', 'membership_plan_items', 'memberships', 'membership_charges'] loop
    execute format('alter table %I enable row level security, force row level security', table_name);
    execute format('create policy of_this_clinic on %I to hookwell_app using (clinic_id = current_clinic()) with check (clinic_id = current_clinic())', table_name);
    execute format('create policy of_the_owner on %I to %I using (true) with check (true)', table_name, current_user);
  end loop;
end $$;

grant select, insert, update on membership_plans, memberships, membership_charges to hookwell_app;
grant select, insert, delete on membership_plan_items to hookwell_app;

-- Which clinics have work due must be known before any clinic is named: the scheduler's one door around row-level security.
-- It tells clinics' ids and nothing else; the work itself runs inside one clinic. The longest overdue come first.
create function due_clinics(work text, at timestamptz, clinics_max integer)
  returns table (clinic_id bigint) language sql stable security definer
  as $$
    select due.clinic_id from (
      select m.clinic_id, min(m.due_at) as since from memberships m
      where work = 'memberships' and m.due_at <= at group by m.clinic_id
      union all
      select c.clinic_id, min(c.expires_at) from academy_checkouts c
      where work = 'checkouts' and c.state = 'open' and c.expires_at <= at group by c.clinic_id) due
    order by due.since, due.clinic_id limit clinics_max
  $$;
revoke all on function due_clinics(text, timestamptz, integer) from public;
grant execute on function due_clinics(text, timestamptz, integer) to hookwell_app;
