"""What messages say. The words are templates that a person can edit (``templates/*.md``), one a kind of message."""
