-- Similar tickets: what stores stems empties the pending list of their index itself (index_pending_stems), once for many tickets.
-- With the list of 128 kB it was emptied ten times as often, which took a third of the time.
-- depends: 0017_signs

ALTER INDEX ticket_stems_search RESET (gin_pending_list_limit);
