-- Changes all tickets that match the filters, or none if they are too many. Returns how many match, how many of them
-- change, and the largest number of tags that a changed ticket has; no row if too many match.
-- The tickets are locked in the order of their ids, so that two of these statements cannot deadlock. Those that had to be
-- waited for are read again, with the conditions but that on the text.
-- The history trigger reads who made the change from the setting ticketsvc.author (tickets/update.sql). The trigger
-- tickets_unjudged sees from `false` that nobody has judged the labels. The setting ticketsvc.learning lets triage_learn()
-- collect the training examples that go; triage_learn_deferred() subtracts them at the end and resets the setting.
-- Cost: high
-- Position: after
-- $1 maximum: how many tickets may match
-- $2 dry_run: only count; nothing is locked or changed
-- $3 author: who makes the change: the request id, a space, the name of the API key
-- $4 status: NULL in this and the following two means no change
-- $5 category
-- $6 priority
-- $7 has_assignee: whether the assignee is set or cleared
-- $8 assignee
-- $9 add_tags
-- $10 remove_tags
WITH matching AS MATERIALIZED (
    SELECT t.id, t.status, t.category, t.priority, t.assignee, t.tags
    FROM tickets AS t
    WHERE /* include: filters */ true
        AND /* include: updated */ true
        AND /* include: text_if_any */ true
    LIMIT $1::integer + 1
),
size AS MATERIALIZED (
    SELECT count(*) <= $1::integer AS is_allowed FROM matching
),
locked AS MATERIALIZED (
    SELECT t.id, t.status, t.category, t.priority, t.assignee, t.tags
    FROM tickets AS t
    WHERE t.id = ANY (ARRAY(SELECT matching.id FROM matching CROSS JOIN size WHERE size.is_allowed AND NOT $2::boolean))
        AND /* include: facets */ true
        AND /* include: created */ true
        AND /* include: updated */ true
        AND /* include: people */ true
    ORDER BY t.id
    FOR NO KEY UPDATE
),
found AS (
    SELECT * FROM locked
    UNION ALL
    SELECT * FROM matching WHERE $2::boolean
),
changing AS MATERIALIZED (
    SELECT found.id, wanted.*
    FROM found
    CROSS JOIN LATERAL (
        SELECT
            coalesce($4::ticket_status, found.status) AS status,
            coalesce($5::ticket_category, found.category) AS category,
            coalesce($6::ticket_priority, found.priority) AS priority,
            CASE WHEN $7::boolean THEN $8::text ELSE found.assignee END AS assignee,
            nullif(ARRAY(
                SELECT DISTINCT tag COLLATE "C" AS tag
                FROM unnest(found.tags || $9::text[]) AS tag
                WHERE tag <> ALL ($10::text[])
                ORDER BY tag
            ), '{}') AS tags
        OFFSET 0 -- evaluated once a ticket
    ) AS wanted
    WHERE (found.status, found.category, found.priority, found.assignee, found.tags)
        IS DISTINCT FROM (wanted.status, wanted.category, wanted.priority, wanted.assignee, wanted.tags)
),
changed AS (
    UPDATE tickets AS t
    SET status = changing.status,
        category = changing.category,
        priority = changing.priority,
        assignee = changing.assignee,
        tags = changing.tags,
        category_unjudged = false,
        priority_unjudged = false,
        version = t.version + 1,
        updated_at = greatest(now(), t.updated_at)
    FROM changing
    WHERE t.id = changing.id AND NOT $2::boolean
    RETURNING note_change('ticketsvc.author', $3::text, t.id), note_change('ticketsvc.learning', 'deferred', t.id)
)
SELECT
    (SELECT count(*) FROM found) AS matched,
    (SELECT count(*) FROM changing) AS changed,
    (SELECT coalesce(max(cardinality(changing.tags)), 0) FROM changing) AS most_tags
FROM size
WHERE size.is_allowed
