"""What an event did to customers: adjusted differences with intervals, or a named refusal."""
