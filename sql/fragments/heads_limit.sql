-- Value: how many tickets are read in all.
-- $1 limit
$1::integer
