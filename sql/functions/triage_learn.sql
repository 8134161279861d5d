-- Subtracts the training example that the ticket was from the label and token counts, and adds the one that it is
-- now. Its author is the API key of the change, which is in the setting ticketsvc.author (tickets/update.sql); of a
-- change without a key it is the key that created the ticket, and '' if there is none. Rows are locked in the order of
-- their keys, texts before tokens, those of keys before those of all. That is an order within one ticket only, so one
-- transaction learns at a time: two that each change many tickets cannot deadlock.
CREATE OR REPLACE FUNCTION triage_learn() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    earlier triage_examples;
    current_author text := '';
BEGIN
    IF TG_OP = 'UPDATE'
        AND category_label(OLD) IS NOT DISTINCT FROM category_label(NEW)
        AND priority_label(OLD) IS NOT DISTINCT FROM priority_label(NEW)
        AND ((category_label(NEW) IS NULL AND priority_label(NEW) IS NULL)
            OR (OLD.title, OLD.description) IS NOT DISTINCT FROM (NEW.title, NEW.description))
    THEN
        RETURN NULL;
    END IF;
    -- Costs no concurrency: every example changes the row of all tokens, which is locked until the commit anyway.
    PERFORM pg_advisory_xact_lock(7598253, 2);
    -- Waits for a retraining that is running; the next statement then sees its counts. A retraining takes no other lock
    -- that a change may hold.
    LOCK TABLE triage_text_counts IN ROW EXCLUSIVE MODE;
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM triage_examples AS e WHERE e.ticket_id = OLD.id RETURNING e.* INTO earlier;
    END IF;
    IF TG_OP <> 'DELETE' AND (category_label(NEW) IS NOT NULL OR priority_label(NEW) IS NOT NULL) THEN
        current_author := coalesce(
            nullif(split_part(current_setting('ticketsvc.author', true), ' ', 2), ''), NEW.created_by, ''
        );
        IF current_author <> '' THEN
            INSERT INTO triage_examples (ticket_id, author) VALUES (NEW.id, current_author);
        END IF;
    END IF;
    WITH change AS (
        SELECT version.author, triage_text_hash(example.text_hash, version.author) AS text_hash, example.buckets,
            triage_sum(example.label_counts, version.sign) AS label_counts
        FROM (
            VALUES (OLD::tickets, coalesce(earlier.author, ''), -1), (NEW::tickets, current_author, 1)
        ) AS version (ticket, author, sign)
        CROSS JOIN LATERAL training_example(version.ticket) AS example
        WHERE version.sign = 1 OR earlier.is_forgotten IS NOT TRUE
        GROUP BY version.author, example.text_hash, example.buckets
    ),
    counted AS (
        INSERT INTO triage_text_counts AS t (text_hash, label_counts)
        SELECT change.text_hash, change.label_counts FROM change ORDER BY change.text_hash
        ON CONFLICT (text_hash) DO UPDATE SET label_counts = triage_add(t.label_counts, excluded.label_counts)
        RETURNING t.text_hash, t.label_counts
    ),
    learned AS (
        SELECT change.author, token.bucket, triage_sum(labels.change, token.weight) AS label_counts
        FROM change
        JOIN counted USING (text_hash)
        CROSS JOIN LATERAL (
            SELECT triage_add(
                majority_labels(counted.label_counts),
                majority_labels(triage_add(counted.label_counts, change.label_counts, -1)),
                -1
            )
            OFFSET 0 -- once a text, not once a token
        ) AS labels (change)
        CROSS JOIN LATERAL token_weights(change.buckets) AS token
        WHERE labels.change <> '{0,0,0,0,0,0,0,0}'
        GROUP BY change.author, token.bucket
    ),
    by_author AS (
        INSERT INTO triage_author_counts AS a (bucket, author, label_counts)
        SELECT l.bucket, l.author, l.label_counts FROM learned AS l WHERE l.author <> '' ORDER BY l.bucket DESC, l.author
        ON CONFLICT (bucket, author) DO UPDATE SET label_counts = triage_add(a.label_counts, excluded.label_counts)
        RETURNING a.bucket
    )
    INSERT INTO triage_token_counts AS w (bucket, label_counts)
    SELECT l.bucket, triage_sum(l.label_counts, 1)
    FROM learned AS l
    WHERE (SELECT count(*) FROM by_author) IS NOT NULL -- before this insert
    GROUP BY l.bucket
    ORDER BY l.bucket DESC -- the sums, which every example changes, are locked last
    ON CONFLICT (bucket) DO UPDATE SET label_counts = triage_add(w.label_counts, excluded.label_counts);
    PERFORM triage_mark_minor_keys();

    IF TG_OP <> 'INSERT' AND (category_label(OLD) IS NOT NULL OR priority_label(OLD) IS NOT NULL) THEN
        DELETE FROM triage_text_counts AS t
        WHERE t.text_hash = (
                SELECT triage_text_hash(example.text_hash, coalesce(earlier.author, ''))
                FROM training_example(OLD) AS example
            )
            AND t.label_counts = '{0,0,0,0,0,0,0,0}';
    END IF;
    RETURN NULL;
END $$;
