-- Marks the newest tickets for the encoder, if none has signs or is marked: the encoder has been switched on.
-- Retry: safe
-- Cost: high
SELECT ticket_signs_begin() WHERE NOT EXISTS (SELECT FROM ticket_signs)
