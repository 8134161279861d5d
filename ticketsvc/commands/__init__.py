"""The commands of `flask`, one module per group. `ticketsvc.cli` registers them."""
