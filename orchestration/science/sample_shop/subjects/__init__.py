"""What happens beside orders, returns and memberships: a module draws one subject, each from a
random stream of its own, and shows it as known at a moment.

Orders, parcels and memberships are read here and never changed.
"""
