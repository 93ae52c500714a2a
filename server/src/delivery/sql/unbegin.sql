-- UNBEGIN: deliveries that were begun and of which nothing has left (withdrawn.ts tells when that is): as if they had never been
-- begun, but for their number and how narrow they have become, which they keep. Whatever was begun again meanwhile, by whomever,
-- is another attempt under another fence. $1..$8 arrays: clinic, webhook, id, event, part, fence, attempt, order key.
update deliveries d set begun_at = null, attempt = d.attempt - 1
from (
  select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::uuid[], $5::smallint[], $6::bigint[], $7::smallint[],
    $8::text[]) as u (clinic_id, webhook_id, id, event_id, part, fence, attempt, order_key)
  order by clinic_id, webhook_id, id) u            -- as all who wait for locks take them (store.ts)
where d.clinic_id = any (array[u.clinic_id]) and d.webhook_id = u.webhook_id and d.id = u.id and d.event_id = u.event_id and d.part = u.part
  and d.order_key = any (array[u.order_key])
  and d.fence = u.fence and d.attempt = u.attempt
  and d.begun_at is not null
