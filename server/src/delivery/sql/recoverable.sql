-- The common condition of count_recoverable.sql and recover.sql: which finished deliveries (f) a recovery (r) takes back.
-- Only what had ended when it was started: what fails again is not taken a second time.
f.clinic_id = r.clinic_id and f.webhook_id = r.webhook_id and not f.test and f.finished_at <= r.created_at
and f.event_id >= r.cursor_event_id and (f.event_id, f.part) > (r.cursor_event_id, r.cursor_part) and f.event_id < r.until_event_id
and f.state <> 'delivered'                         -- as in the index
and ((f.state = 'given_up' and 'failed' = any (r.states)) or (f.state = 'cancelled' and f.reason = 'off' and 'off' = any (r.states)))
