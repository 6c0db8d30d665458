"""Object storage: a small interface and its S3 implementation."""
