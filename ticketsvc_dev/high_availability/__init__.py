"""PostgreSQL with Patroni on one machine, and the service on it while servers die (`script/high-availability`)."""
