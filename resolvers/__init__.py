"""One plain function per field; root.py is the table of contents."""
