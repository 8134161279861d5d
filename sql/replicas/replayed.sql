-- Returns how far a replica has replayed the log of its primary; for a server that has become a primary, how far it has
-- written its own. The timeline of a replica may be older than the log, never newer: its control file tells a new one
-- with the next restart point, the receiver at once, but only to roles with pg_read_all_stats.
-- Retry: safe
SELECT
    CASE
        WHEN pg_is_in_recovery()
            THEN upper(
                lpad(
                    to_hex(
                        greatest(
                            (pg_control_checkpoint()).timeline_id,
                            (SELECT received_tli FROM pg_stat_wal_receiver)
                        )
                    ), 8, '0'
                )
            )
        ELSE left(pg_walfile_name(pg_current_wal_insert_lsn()), 8)
    END AS timeline,
    CASE
        WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
        ELSE pg_current_wal_insert_lsn()
    END::text AS lsn
