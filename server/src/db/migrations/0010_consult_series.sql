-- Recurring consults: a series binds its occurrences; each occurrence is a consult like any other. And the status of a
-- patient who cancels late.

create table consult_series (
  clinic_id bigint not null references clinics (id),
  id bigint generated always as identity,
  every text not null check (every in ('day', 'week', 'month')),
  every_count integer not null default 1 check (every_count between 1 and 52), -- 2 with 'week': every other week
  created_at timestamptz not null default now(),
  primary key (clinic_id, id)
);

alter table consults add column series_id bigint,
  add foreign key (clinic_id, series_id) references consult_series (clinic_id, id);
create index consults_by_series on consults (clinic_id, series_id, starts_at) where series_id is not null;

alter table consult_participants drop constraint consult_participants_arrival_check,
  add constraint consult_participants_arrival_check check (arrival in ('expected', 'arrived', 'no_show', 'late_cancel'));

alter table consult_series enable row level security, force row level security;
create policy of_this_clinic on consult_series to hookwell_app
  using (clinic_id = current_clinic()) with check (clinic_id = current_clinic());
do $$ begin
  execute format('create policy of_the_owner on consult_series to %I using (true) with check (true)', current_user);
end $$;
grant select, insert on consult_series to hookwell_app;
