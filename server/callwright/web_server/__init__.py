"""An HTTP server of bounded patience that ends in order: what every server of this program listens with."""
