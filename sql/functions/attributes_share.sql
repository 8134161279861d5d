-- Returns the share of the tickets that have any of these attributes, as far as the statistics of the planner know it: NULL for
-- attributes that few have. A ticket that has several counts for each.
CREATE OR REPLACE FUNCTION attributes_share(attributes text[]) RETURNS real
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (
        SELECT sum(frequent.share)
        FROM pg_stats AS s
        CROSS JOIN unnest(s.most_common_vals::text::text[], s.most_common_freqs) AS frequent (attribute, share)
        WHERE s.schemaname = current_schema() AND s.tablename = 'ticket_attributes' AND s.attname = 'attribute'
            AND frequent.attribute = ANY (attributes)
    );
