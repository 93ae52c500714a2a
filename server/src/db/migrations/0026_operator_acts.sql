-- What the operator does to accounts and clinics is written down as well, and nothing of it is wiped out at one stroke.
alter table operator_acts drop constraint operator_acts_action_check;
alter table operator_acts
  add column user_id text,                         -- whose account it was
  add constraint operator_acts_action_check check (action in ('sending.paused', 'sending.resumed', 'clinic.created',
    'staff.reset_link_made', 'staff.second_factor_removed')),
  add constraint operator_acts_user_check check ((user_id is not null) = (action like 'staff.%'));
create trigger operator_acts_whole before truncate on operator_acts for each statement execute function refuse_change();
