revision = "1a2b"
