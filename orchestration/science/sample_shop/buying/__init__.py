"""When people buy, and what happens on the way: the process, its calendar, and what is in store for each order."""
