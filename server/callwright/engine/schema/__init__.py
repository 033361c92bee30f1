"""The tables of the embedded platform, the steps that make them, and the defaults of stored documents."""
