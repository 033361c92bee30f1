"""What must hold of a document, a call or a request before anything is stored or done."""
