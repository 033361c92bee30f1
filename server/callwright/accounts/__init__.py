"""Who asks over HTTP: principals, what their tokens may do, and what each of them works on."""
