"""An evaluation shown: text, JSON, a page, a picture."""
