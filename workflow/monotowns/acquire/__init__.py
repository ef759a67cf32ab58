"""From registered addresses to tidy tables: verified, read, compared."""
