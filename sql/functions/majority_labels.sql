-- Returns the labels of a text as an array of 1 and 0: of each field the label with the highest count, none when
-- there is a tie.
CREATE OR REPLACE FUNCTION majority_labels(label_counts bigint[]) RETURNS bigint[]
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
    SELECT array_agg((ranked.count > 0 AND ranked.rank = 1 AND ranked.ties = 1)::integer::bigint ORDER BY ranked.label)
    FROM (
        SELECT counted.label, counted.count,
            rank() OVER (PARTITION BY counted.label < 'low' ORDER BY counted.count DESC) AS rank,
            count(*) OVER (PARTITION BY counted.label < 'low', counted.count) AS ties
        FROM unnest(enum_range(NULL::triage_label), label_counts) AS counted (label, count)
    ) AS ranked;
END;
