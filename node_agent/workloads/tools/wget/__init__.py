"""`wget`, as BusyBox has it: what an image of tools brings along."""
