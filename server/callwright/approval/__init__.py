"""When a person is asked, what the question says, and how an answer is proved: every change passes here."""
