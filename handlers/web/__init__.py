"""The runbook page: who may open it, what it shows, and its HTML."""
