"""What agents may ask (Model Context Protocol): read-only tools on the same pipeline as the terminal's commands. docs/agents.md shows each."""
