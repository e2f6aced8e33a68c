"""What people agree to, what they are sent, and what becomes of it: consents, campaigns, messages and
the experiments with them. Drawn and shown like the other subjects."""
