-- Returns the number of tickets created in a window (since inclusive, before exclusive, NULL means unbounded) by
-- their facets, as rows to sum up. Whole days in UTC come from the counters; the ends of the window, which are parts
-- of a day, from the tickets.
-- depends: midnights, uuid_v7_floor
CREATE OR REPLACE FUNCTION counted_tickets(since timestamptz, before timestamptz)
    RETURNS TABLE (category ticket_category, priority ticket_priority, status ticket_status, tickets integer)
    LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT t.category, t.priority, t.status, t.tickets
    FROM ticket_totals AS t
    WHERE since IS NULL AND before IS NULL
    UNION ALL
    SELECT d.category, d.priority, d.status, d.tickets
    FROM ticket_days AS d
    WHERE (since IS NOT NULL OR before IS NOT NULL)
        AND d.day >= coalesce((first_midnight(since) AT TIME ZONE 'UTC')::date, '-infinity')
        AND d.day < coalesce((last_midnight(before) AT TIME ZONE 'UTC')::date, 'infinity')
    UNION ALL
    SELECT c.category, c.priority, c.status, c.tickets
    FROM ticket_count_deltas AS c
    WHERE c.created >= coalesce(first_midnight(since), '-infinity')
        AND c.created < coalesce(last_midnight(before), 'infinity')
    UNION ALL
    SELECT t.category, t.priority, t.status, 1
    FROM tickets AS t
    WHERE t.id >= uuid_v7_floor(since)
        AND t.id < uuid_v7_floor(least(first_midnight(since), before))
    UNION ALL
    SELECT t.category, t.priority, t.status, 1
    FROM tickets AS t
    WHERE t.id >= uuid_v7_floor(greatest(last_midnight(before), first_midnight(since)))
        AND t.id < uuid_v7_floor(before);
END;
