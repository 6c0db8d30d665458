"""The pages: one module per use."""
