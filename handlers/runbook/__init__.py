"""A diagnosis becomes a page: templates, rendering, and the escaping of everything that comes from outside."""
