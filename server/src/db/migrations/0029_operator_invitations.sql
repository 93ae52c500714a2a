-- That the operator invites a manager is written down as his act as well.
alter table operator_acts drop constraint operator_acts_action_check;
alter table operator_acts
  add constraint operator_acts_action_check check (action in ('sending.paused', 'sending.resumed', 'clinic.created',
    'clinic.manager_invited', 'staff.reset_link_made', 'staff.second_factor_removed'));
