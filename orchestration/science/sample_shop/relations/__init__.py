"""What lies between the orders: contacts, surveys, visits of the site, points, tiers and invitations.

One module per subject: what is drawn, from a stream of its own, and how an export shows it.
"""
