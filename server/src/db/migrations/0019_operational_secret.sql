-- A new secret for a clinic's operational webhook: the one before it stays valid for a day beside it, as with other webhooks.
alter table operational_webhooks
  add column previous_secret bytea,                -- sealed under the same place as the current one
  add column previous_secret_until timestamptz,
  add check ((previous_secret is null) = (previous_secret_until is null));
