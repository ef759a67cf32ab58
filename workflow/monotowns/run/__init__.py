"""Settings, how a script runs and what it leaves behind."""
