"""Answers over HTTP: `queue` and `workers` give each request its time, `app` and `server` speak the protocol."""
