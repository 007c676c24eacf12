"""Jobs kept in files: one or several as TOML, or a table with a shot a line."""
