"""Forecasts of orders per customer: one record, many ways to make it, none of them judged here."""
