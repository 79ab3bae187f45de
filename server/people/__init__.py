"""Accounts, sessions, passwords, and who has failed too often."""
