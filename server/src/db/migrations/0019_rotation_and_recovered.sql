-- A new secret for a clinic's operational webhook: the one before it stays valid for a day beside it, as with other webhooks.
alter table operational_webhooks
  add column previous_secret bytea,                -- sealed under the same place as the current one
  add column previous_secret_until timestamptz,
  add check ((previous_secret is null) = (previous_secret_until is null));

-- Which recovery a delivery came back with stays with its record, so that the recovery can tell how many have arrived since.
alter table finished_deliveries add column recovery_id bigint;
create index finished_deliveries_recovered on finished_deliveries (clinic_id, webhook_id, recovery_id)
  where recovery_id is not null and state = 'delivered';
