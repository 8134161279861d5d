"""The commands of `flask`: a module for each group, which `ticketsvc.cli` registers."""
