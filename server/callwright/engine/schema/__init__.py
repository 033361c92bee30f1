"""The tables of the embedded platform, the migrations that create them, and the defaults of stored documents."""
