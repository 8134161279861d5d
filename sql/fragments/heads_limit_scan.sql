-- Value: how many tickets are read in all, for statements that look at more than a page.
-- $1 scan_limit
$1::integer
