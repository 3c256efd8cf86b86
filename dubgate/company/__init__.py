"""What a company keeps once for all its deliveries: its register of tools and vendors, and what must never be AI."""
