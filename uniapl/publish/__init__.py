"""Published sets: what is in them, how they are made, and that they follow from their own rows."""
