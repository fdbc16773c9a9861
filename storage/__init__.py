"""Pictures as bytes: objects in S3 or a folder, their keys, and what is made of them."""
