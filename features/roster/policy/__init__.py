"""What people say of their teams in `policy.toml`: its keys, its presets, and its check against the other files."""
